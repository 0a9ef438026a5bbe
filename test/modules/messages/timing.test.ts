import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { cancel, queue, read, sendTo } from "#test/support/sending.ts";

const SANDBOX = "/v1/accounts/7421";

describe.each(appEngines)("the time of a message on %s:", (engine) => {
  test("it leaves at its schedule_at and not before", async () => {
    await using app = await setup({ engine });
    const at = app.clock.now() + 86_400_000;
    const { body } = await sendTo(app.sandbox, { schedule_at: toTime(at) });
    expect(body.eta).toBe(toTime(at));
    await app.leap(86_399_999);
    expect((await read(app.sandbox, body.id)).status).toBe("queued");
    await app.advance(1);
    expect(await read(app.sandbox, body.id)).toMatchObject({ status: "sent", sent_at: toTime(at), schedule_at: toTime(at) });
  });

  test("a schedule_at that has passed means now, in whatever offset it is written", async () => {
    await using app = await setup({ engine });
    const past = await queue(app.sandbox, { schedule_at: "2001-01-01T00:00:00+14:00" });
    await app.settled();
    expect(await read(app.sandbox, past)).toMatchObject({ status: "sent", schedule_at: "2000-12-31T10:00:00.000Z" });
  });

  test("messages scheduled for the same chat leave in the order of their times", async () => {
    await using app = await setup({ engine });
    const ids = await Promise.all(
      [3, 1, 2].map((minutes) => queue(app.sandbox, { schedule_at: toTime(app.clock.now() + minutes * 60_000) })),
    );
    // All are due at once: the clock jumps over them.
    app.clock.advance(600_000);
    await app.settled();
    const rows = await app.db.read.selectFrom("messages").select(["id", "remote_id"]).execute();
    const order = rows.toSorted((a, b) => Number(a.remote_id) - Number(b.remote_id)).map((row) => row.id);
    expect(order).toEqual([ids[1]!, ids[2]!, ids[0]!]);
  });

  test("it expires on time while its account is paused", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch(SANDBOX, { paused: true });
    const expiring = await queue(app.sandbox, { expires_at: toTime(app.clock.now() + 60_000) });
    const patient = await queue(app.sandbox);
    await app.advance(59_999);
    expect((await read(app.sandbox, expiring)).status).toBe("queued");
    await app.advance(1);
    const expired = await read(app.sandbox, expiring);
    expect(expired).toMatchObject({ status: "failed", error: { code: "expired", link: null }, sent_at: null, attempts: [] });
    expect(expired.updated_at).toBe(toTime(app.clock.now()));
    await app.sandbox.patch(SANDBOX, { paused: false });
    await app.settled();
    const states = await Promise.all([expiring, patient].map(async (id) => (await read(app.sandbox, id)).status));
    expect(states).toEqual(["failed", "sent"]);
  });

  test("one that was sent in time does not expire", async () => {
    await using app = await setup({ engine });
    const id = await queue(app.sandbox, { expires_at: toTime(app.clock.now() + 60_000) });
    await app.advance(120_000);
    expect(await read(app.sandbox, id)).toMatchObject({ status: "sent", error: null });
  });

  test("one that was canceled does not expire", async () => {
    await using app = await setup({ engine });
    const in_a_minute = toTime(app.clock.now() + 60_000);
    const id = await queue(app.sandbox, { schedule_at: in_a_minute, expires_at: toTime(app.clock.now() + 90_000) });
    await cancel(app.sandbox, id);
    await app.advance(120_000);
    expect(await read(app.sandbox, id)).toMatchObject({ status: "canceled", error: null });
    expect(await app.db.read.selectFrom("jobs").selectAll().execute()).toEqual([]);
  });

  test("an expired one gives its place under the daily cap back", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch(SANDBOX, { paused: true, daily_cap: 1 });
    await queue(app.sandbox, { expires_at: toTime(app.clock.now() + 60_000) });
    expect((await sendTo(app.sandbox)).status).toBe(429);
    await app.advance(60_000);
    expect((await sendTo(app.sandbox)).status).toBe(200);
  });

  test("a paused account keeps its queue, and goes on in order", async () => {
    await using app = await setup({ engine });
    const paused = await app.sandbox.patch(SANDBOX, { paused: true });
    expect(paused.body).toMatchObject({ status: "paused", paused: true });
    const ids = [await queue(app.sandbox, { text: "the first of two" }), await queue(app.sandbox, { text: "the second of two" })];
    await app.leap(3_600_000);
    expect(await Promise.all(ids.map(async (id) => (await read(app.sandbox, id)).status))).toEqual(["queued", "queued"]);
    const resumed = await app.sandbox.patch(SANDBOX, { paused: false });
    expect(resumed.body).toMatchObject({ status: "connected", paused: false });
    await app.settled();
    const rows = await app.db.read.selectFrom("messages").select(["id", "remote_id"]).execute();
    expect(rows.toSorted((a, b) => Number(a.remote_id) - Number(b.remote_id)).map((row) => row.id)).toEqual(ids);
  });

  test("a pause outlives a restart", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch(SANDBOX, { paused: true });
    await app.services.loop.stop();
    const id = await queue(app.sandbox);
    await app.services.loop.start();
    await app.settled();
    expect((await read(app.sandbox, id)).status).toBe("queued");
    await app.sandbox.patch(SANDBOX, { paused: false });
    await app.settled();
    expect((await read(app.sandbox, id)).status).toBe("sent");
  });
});
