import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { queue } from "#test/support/sending.ts";
import { countingKind, startCount } from "#test/support/tasks.ts";

interface Case {
  what: string;
  /** Where it is read, and how each of many at once changes it. */
  of(app: TestApp): Promise<{ path: string; change: (at: number, headers: Record<string, string>) => Promise<{ status: number }> }>;
}

const cases: Case[] = [
  {
    what: "a workspace",
    of: async ({ live }) => ({
      path: "/v1/workspace",
      change: (at, headers) => live.patch("/v1/workspace", { name: `Renamed ${at}` }, headers),
    }),
  },
  {
    what: "a key",
    async of({ live }) {
      const path = `/v1/keys/${String((await live.get("/v1/me")).body.key_id)}`;
      return { path, change: (at, headers) => live.patch(path, { name: `renamed ${at}` }, headers) };
    },
  },
  {
    what: "an account",
    of: async ({ sandbox }) => ({
      path: "/v1/accounts/7421",
      change: (at, headers) => sandbox.patch("/v1/accounts/7421", { name: `renamed ${at}` }, headers),
    }),
  },
  {
    what: "a template",
    async of({ live }) {
      const { body } = await live.post<{ id: string }>("/v1/templates", { name: "Reminder", body: "Hey" });
      const path = `/v1/templates/${body.id}`;
      return { path, change: (at, headers) => live.patch(path, { body: `Hey ${at}` }, headers) };
    },
  },
  {
    what: "a custom field",
    async of({ live }) {
      const { body } = await live.post<{ id: string }>("/v1/fields", { key: "plan", type: "text" });
      const path = `/v1/fields/${body.id}`;
      return { path, change: (at, headers) => live.patch(path, { label: `Plan ${at}` }, headers) };
    },
  },
  {
    what: "a sequence",
    async of({ live }) {
      const { body } = await live.post<{ id: string }>("/v1/sequences", { name: "Welcome", steps: [{ type: "wait", for: "1d" }] });
      const path = `/v1/sequences/${body.id}`;
      return { path, change: (at, headers) => live.patch(path, { name: `Welcome ${at}` }, headers) };
    },
  },
  {
    what: "a webhook",
    async of({ live }) {
      const { body } = await live.post<{ id: string }>("/v1/webhooks", { url: "https://example.com/hook", events: ["*"] });
      const path = `/v1/webhooks/${body.id}`;
      return { path, change: (at, headers) => live.patch(path, { description: `Changed ${at}` }, headers) };
    },
  },
  {
    what: "a delivery",
    async of({ live }) {
      const { body } = await live.post<{ id: string }>("/v1/webhooks", { url: "https://example.com/hook", events: ["*"] });
      const sent = await live.post<{ id: string }>(`/v1/webhooks/${body.id}/test`, {});
      const path = `/v1/deliveries/${sent.body.id}`;
      return { path, change: (_at, headers) => live.post(`${path}/replay`, undefined, headers) };
    },
  },
  {
    what: "a scoring rule",
    async of({ live }) {
      const { body } = await live.post<{ id: string }>("/v1/scoring/rules", { name: "Reads", points: 1, when: { event: "message.read" } });
      const path = `/v1/scoring/rules/${body.id}`;
      return { path, change: (at, headers) => live.patch(path, { points: at + 1 }, headers) };
    },
  },
  {
    what: "the thresholds of scoring",
    of: async ({ live }) => ({
      path: "/v1/scoring",
      change: (at, headers) => live.patch("/v1/scoring", { thresholds: [at] }, headers),
    }),
  },
  {
    what: "a merge",
    async of({ live }) {
      const make = async (name: string) => (await live.post<{ id: string }>("/v1/contacts", { name })).body.id;
      const stays = await make("One");
      const { body } = await live.post<{ id: string }>(`/v1/contacts/${stays}/merge`, { contact_id: await make("Two") });
      const path = `/v1/merges/${body.id}`;
      return { path, change: (_at, headers) => live.post(`${path}/undo`, undefined, headers) };
    },
  },
  {
    what: "a message",
    async of({ clock, sandbox }) {
      const path = `/v1/messages/${await queue(sandbox, { schedule_at: toTime(clock.now() + 60_000) })}`;
      return { path, change: (_at, headers) => sandbox.post(`${path}/cancel`, undefined, headers) };
    },
  },
  {
    what: "a long job",
    async of(app) {
      await app.services.loop.stop();
      const path = `/v1/jobs/${await startCount(app, app.live, { upTo: 2 })}`;
      return { path, change: (_at, headers) => app.live.post(`${path}/cancel`, undefined, headers) };
    },
  },
];

describe.each(appEngines)("If-Match on %s", (engine) => {
  test.each(cases)("lets one of many through that read the same state of $what", async ({ of }) => {
    await using app = await setup({ engine, taskKinds: (db) => [countingKind(db)] });
    const { path, change } = await of(app);
    const tenant = path.includes("/accounts/") || path.includes("/messages/") ? app.sandbox : app.live;
    const etag = (await tenant.get(path)).headers.get("etag")!;
    app.clock.advance(1);
    const statuses = await Promise.all(Array.from({ length: 30 }, async (_, at) => (await change(at, { "if-match": etag })).status));
    const done = path.includes("/deliveries/") ? 202 : 200;
    expect(statuses.toSorted()).toEqual([done, ...Array.from({ length: 29 }, () => 412)]);
    expect((await change(99, { "if-match": "*" })).status).toBe(/\/(?:messages|merges|jobs)\//.test(path) ? 409 : done);
  });

  test("asks for nothing that Telegram has to be asked about when it does not fit", async () => {
    await using app = await setup({ engine });
    const { status } = await app.sandbox.patch("/v1/accounts/7421", { token: `1:${"x".repeat(35)}` }, { "if-match": '"stale"' });
    expect(status).toBe(412);
  });
});
