import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { NewBroadcast } from "#src/modules/broadcasts/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { act, draft, getBroadcast as get, makePeople, recipientsOf, sentMessages, some } from "#test/support/broadcasting.ts";

const SANDBOX = 7421;
const ended = async ({ sandbox }: TestApp) =>
  (await sandbox.get<Page<{ event: string; data: object }>>("/v1/events?limit=200")).body.items.filter(
    ({ event }) => event === "broadcast.completed",
  );

describe.each(appEngines)("a broadcast on %s", (engine) => {
  test("sends everybody of a tag one message, and ends", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(5));
    await makePeople(sandbox, ["stranger_1"], []);
    const made = await draft(sandbox);
    expect(made).toMatchObject({ status: "draft", counts: { total: 0 } });
    const { body: begun } = await act(sandbox, made, "send");
    expect(begun).toMatchObject({ status: "running", job_id: expect.stringMatching(/^job_/) });
    await app.settled();
    const counts = { total: 5, waiting: 0, queued: 0, sent: 5, failed: 0, skipped: 0, canceled: 0 };
    expect(await get(sandbox, made)).toMatchObject({ status: "completed", is_noted: true, counts });
    const sent = await sentMessages(sandbox);
    expect(sent.map(({ to }) => to).toSorted()).toEqual(some(5).map((name) => `@${name}`));
    expect(sent.map(({ origin }) => origin)).toEqual(sent.map(() => ({ type: "broadcast", id: made.id, step: null, enrollment_id: null })));
    expect(await ended(app)).toMatchObject([{ data: { id: made.id, status: "completed", counts } }]);
    const page = await recipientsOf(sandbox, made);
    expect([page.total, new Set(page.items.map(({ status }) => status))]).toEqual([5, new Set(["sent"])]);
  });

  test("goes to a segment, a filter or a list, as they are when it begins", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const ids = await makePeople(sandbox, some(3));
    const filter = { tag: "vip" };
    const { body: segment, text } = await sandbox.post<{ id: string }>("/v1/segments", { name: "Vips", filter });
    expect(segment.id, text).toBeDefined();
    for (const audience of [{ segment_id: segment.id }, { filter }, { contact_ids: [...ids, ids[0]!] }] as const) {
      const made = await draft(sandbox, { audience: audience as NewBroadcast["audience"] });
      await act(sandbox, made, "send");
      await app.settled();
      expect(await get(sandbox, made)).toMatchObject({ status: "completed", counts: { total: 3, sent: 3 } });
    }
    expect(await sentMessages(sandbox)).toHaveLength(9);
  });

  test("is not sent where a message could be filled in for nobody", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(1));
    await sandbox.post("/v1/fields", { key: "city", type: "text" });
    const refused = async (message: NewBroadcast["message"]) => {
      const answer = await act(sandbox, await draft(sandbox, { message: message! }), "send");
      return [answer.status, (answer.body as unknown as { details?: object[] }).details?.[0]];
    };
    expect(await refused({ text: "Hi {frist_name} of {city} and {_|x}" })).toEqual([
      422,
      { field: "message.text", error: "not_found", received: "frist_name" },
    ]);
    expect(await refused({ template_id: "tpl_01HKQ9R2X80000000000000000" })).toMatchObject([422, { field: "message.template_id" }]);
    expect(await refused({ text: "Hi {frist_name|there} {city} {first_name}" })).toEqual([200, undefined]);
  });

  test("is not sent to an audience that is not here", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const refused = async (audience: NewBroadcast["audience"]) => {
      const made = await draft(sandbox, { audience });
      const { status, body } = await act(sandbox, made, "send");
      return [status, (body as unknown as { details: { field: string }[] }).details[0]!.field, (await get(sandbox, made)).status];
    };
    expect(await refused({ segment_id: "seg_01HKQ9R2X80000000000000000" })).toEqual([422, "audience.segment_id", "draft"]);
    expect(await refused({ filter: { nope: 1 } })).toEqual([422, "audience.filter", "draft"]);
  });

  test("skips whom nobody can write to, and tells why", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, ["ann_other", "sandbox_rejected", "bob_other"]);
    await sandbox.post("/v1/contacts", { email: "mail@example.com", tags: ["vip"] });
    await sandbox.post("/v1/suppressions", { to: "@bob_other" });
    const made = await draft(sandbox);
    await act(sandbox, made, "send");
    await app.settled();
    expect(await get(sandbox, made)).toMatchObject({ status: "completed", counts: { total: 4, sent: 1, failed: 1, skipped: 2 } });
    const { items } = await recipientsOf(sandbox, made, "&status=skipped");
    expect(items.map(({ reason }) => reason).toSorted()).toEqual(["no_address", "recipient_suppressed"]);
    expect((await recipientsOf(sandbox, made, "&status=failed")).items).toMatchObject([{ reason: "message_rejected" }]);
  });

  test("ends at once where there is nobody", async () => {
    await using app = await setup({ engine });
    const made = await draft(app.sandbox);
    await act(app.sandbox, made, "send");
    await app.settled();
    expect(await get(app.sandbox, made)).toMatchObject({ status: "completed", counts: { total: 0 } });
  });

  test("waits for its time", async () => {
    await using app = await setup({ engine });
    const { sandbox, clock } = app;
    await makePeople(sandbox, some(2));
    const at = new Date(clock.now() + 3_600_000).toISOString();
    const made = await draft(sandbox, { schedule: { at } });
    expect((await act(sandbox, made, "send")).body).toMatchObject({ status: "scheduled", starts_at: at });
    await app.leap(3_599_000);
    expect(await get(sandbox, made)).toMatchObject({ status: "scheduled" });
    await app.advance(1_000);
    expect(await get(sandbox, made)).toMatchObject({ status: "completed", started_at: at, counts: { sent: 2 } });
  });

  test("keeps to its pace, and goes on where it was paused", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(6));
    const made = await draft(sandbox, { throttle: { per_minute: 2 } });
    await act(sandbox, made, "send");
    await app.advance(59_000);
    expect((await get(sandbox, made)).counts).toMatchObject({ total: 6, waiting: 4, sent: 2 });
    expect((await act(sandbox, made, "pause")).body.status).toBe("paused");
    await app.leap(600_000);
    expect((await get(sandbox, made)).counts).toMatchObject({ waiting: 4, sent: 2 });
    expect((await act(sandbox, made, "resume")).body.status).toBe("running");
    await app.advance(20_000);
    expect((await get(sandbox, made)).counts).toMatchObject({ waiting: 3, sent: 3 });
    await app.advance(120_000);
    expect(await get(sandbox, made)).toMatchObject({ status: "completed", counts: { sent: 6 } });
  });

  test("takes back what waits when it is paused or canceled", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(4));
    await sandbox.patch(`/v1/accounts/${SANDBOX}`, { paused: true });
    const made = await draft(sandbox);
    await act(sandbox, made, "send");
    await app.settled();
    expect((await get(sandbox, made)).counts).toMatchObject({ total: 4, queued: 4 });
    await act(sandbox, made, "pause");
    await app.settled();
    expect((await get(sandbox, made)).counts).toMatchObject({ queued: 0, waiting: 4, canceled: 0 });
    await act(sandbox, made, "resume");
    await app.settled();
    expect((await get(sandbox, made)).counts).toMatchObject({ queued: 4 });
    await act(sandbox, made, "cancel");
    await app.settled();
    expect(await get(sandbox, made)).toMatchObject({
      status: "canceled",
      ended_at: expect.any(String),
      counts: { queued: 0, canceled: 4 },
    });
    await sandbox.patch(`/v1/accounts/${SANDBOX}`, { paused: false });
    await app.settled();
    expect(new Set((await sentMessages(sandbox)).map(({ status }) => status))).toEqual(new Set(["canceled"]));
    expect(await ended(app)).toMatchObject([{ data: { status: "canceled" } }]);
    expect((await act(sandbox, made, "resume")).status).toBe(409);
  });

  test("stops by itself when too many fail", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, ["sandbox_rejected", ...some(5)]);
    const rate = { throttle: { per_minute: 1 }, stop_at_failure_rate: { percent: 50, after: 1 } };
    const made = await draft(sandbox, rate);
    await act(sandbox, made, "send");
    await app.settled();
    const counts = { failed: 1, sent: 0, canceled: 5, waiting: 0 };
    expect(await get(sandbox, made)).toMatchObject({ status: "stopped", reason: "failure_rate", counts });
  });

  test("counts a message that somebody cancels", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(2));
    await sandbox.patch(`/v1/accounts/${SANDBOX}`, { paused: true });
    const made = await draft(sandbox);
    await act(sandbox, made, "send");
    await app.settled();
    const [one] = await sentMessages(sandbox);
    await sandbox.post(`/v1/messages/${one!.id}/cancel`, undefined);
    await sandbox.patch(`/v1/accounts/${SANDBOX}`, { paused: false });
    await app.settled();
    expect(await get(sandbox, made)).toMatchObject({ status: "completed", counts: { sent: 1, canceled: 1 } });
  });

  test("reaches people once who were merged into somebody who is no recipient", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const ids = await makePeople(sandbox, some(2));
    const [into] = await makePeople(sandbox, ["survivor"], []);
    const made = await draft(sandbox, { audience: { contact_ids: ids } });
    for (const from of ids) {
      const { status, text } = await sandbox.post(`/v1/contacts/${into}/merge`, { contact_id: from });
      expect(status, text).toBeLessThan(300);
    }
    await app.settled();
    await act(sandbox, made, "send");
    await app.settled();
    expect(await sentMessages(sandbox)).toHaveLength(1);
    expect(await get(sandbox, made)).toMatchObject({ status: "completed", counts: { sent: 1, skipped: 1 } });
    expect((await recipientsOf(sandbox, made)).items.map(({ reason }) => reason).toSorted()).toEqual(["merged", null]);
  });
});
