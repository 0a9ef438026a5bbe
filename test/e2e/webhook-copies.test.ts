import { beforeAll, describe, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { engines, freshDatabase } from "#test/support/databases.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { makeWebhook } from "#test/support/webhooks.ts";
import { connect, eventually } from "./api.ts";
import { startPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

/** A lease lasts thirty seconds, and is looked for every few. */
const TAKEN_OVER_MS_MAX = 45_000;
const ENDPOINTS = 5;
const EVENTS = 60;

describe.each(engines().filter((engine) => engine === "postgres"))("two copies of the executable on %s", (engine) => {
  test("lose no event when the one that delivers is killed: the other takes over when its leases end", async () => {
    await using database = await freshDatabase(engine, { migrated: false });
    await using receiver = openReceiver();
    const env = { DATABASE_URL: database.url!, POSTHOUSE_SECRET: "a secret that both copies know", ALLOW_PRIVATE_WEBHOOKS: "true" };
    await using first = await startPosthouse({ env });
    const key = await first.sandboxKey();
    await using second = await startPosthouse({ env });
    const [one, other] = [(await connect(first)).as(key), (await connect(second)).as(key)];
    const paths = Array.from({ length: ENDPOINTS }, (_, number) => `/hook/${number}`);
    for (const path of paths) await makeWebhook(one, { url: receiver.url(path), events: ["contact.*"] });
    const expected: string[] = [];
    const happen = async (caller: typeof one, count: number) => {
      for (let number = 0; number < count; number++) {
        const { status, body } = await caller.post("/v1/contacts", { external_id: `person-${expected.length}` });
        expect(status).toBe(201);
        expected.push(body["id"] as string);
      }
    };
    const subjects = (path: string) =>
      receiver.received.filter((came) => came.path === path).map(({ body }) => (JSON.parse(body) as { subject: string }).subject);

    // What the second copy is told is delivered by the first, which has the lanes.
    await happen(other, EVENTS);
    await receiver.waitFor(EVENTS, paths[0]);
    // Whoever is killed has some on the wire.
    for (const path of paths) receiver.answer(path, () => new Promise(() => {}));
    await happen(one, EVENTS);
    await receiver.waitFor(EVENTS + 10, paths.at(-1));
    await first.stop("SIGKILL");
    for (const path of paths) receiver.answer(path, () => 200);
    await happen(other, EVENTS);
    const missing = () => Promise.resolve(paths.flatMap((path) => expected.filter((id) => !subjects(path).includes(id))).length);
    await eventually("something is lost", missing, (count) => count === 0, TAKEN_OVER_MS_MAX);
    const list = () => other.get<{ total: number }>("/v1/deliveries?status=delivered&limit=1");
    await eventually("not recorded", list, ({ body }) => body.total === ENDPOINTS * expected.length);
    // Again only what the first had on the wire.
    for (const path of paths) expect(subjects(path).length).toBeLessThanOrEqual(expected.length + 64);
    expect(await second.stop()).toBe(0);
  }, 120_000);

  test("hear at once of what happens at the other", async () => {
    await using database = await freshDatabase(engine, { migrated: false });
    const env = { DATABASE_URL: database.url!, POSTHOUSE_SECRET: "a secret that both copies know" };
    await using first = await startPosthouse({ env });
    const key = await first.sandboxKey();
    await using second = await startPosthouse({ env });
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      // Leases are looked at every ten seconds, and everything with them: that would be too late.
      const signal = AbortSignal.timeout(5_000);
      const stream = await fetch(`${to.url}/v1/events/stream`, { headers: { authorization: `Bearer ${key}` }, signal });
      const { body } = await (await connect(from)).as(key).post("/v1/contacts", { name: "Somebody" });
      let heard = "";
      for await (const part of stream.body!) {
        heard += new TextDecoder().decode(part);
        if (heard.includes(body["id"] as string)) break;
      }
      expect(heard).toContain("event: contact.created");
    }
  }, 60_000);
});
