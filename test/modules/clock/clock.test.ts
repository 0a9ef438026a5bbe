import { describe, expect, test } from "bun:test";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import type { DeliveryDetail } from "#src/modules/webhooks/delivery-model.ts";
import type { Page } from "#src/core/page.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { addEndpoint, delivered } from "#test/support/delivering.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { beginMove, endMove, move, readClock } from "#test/support/rehearsing.ts";
import { queue, read } from "#test/support/sending.ts";
import { faultOf } from "#test/support/webhooks.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the test's own turns take of real time, at most. */
const SLACK_MS = 30_000;

const at = (app: TestApp, ms: number) => new Date(app.clock.now() + ms).toISOString();
const between = (ms: number, least: number) => {
  expect(ms).toBeGreaterThanOrEqual(least);
  expect(ms).toBeLessThan(least + SLACK_MS);
};

describe.each(appEngines)("the test clock on %s", (engine) => {
  test("goes ahead, and tells by how much", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    expect(await readClock(sandbox)).toEqual({ now: at(app, 0), offset_ms: 0, moving: null });
    const before = app.clock.now();
    const { from, to, ...rest } = await move(app, sandbox, { advance: "3d" });
    expect([from, to]).toEqual([new Date(before).toISOString(), new Date(before + 3 * DAY_MS).toISOString()]);
    expect(rest).toEqual({ steps: 1, sent: 0, failed: 0, deliveries: { attempts: 0, delivered: 0, dead_letters: 0 }, events: {} });
    const after = await readClock(sandbox);
    between(after.offset_ms, 3 * DAY_MS - SLACK_MS);
    expect([after.now, after.moving]).toEqual([at(app, after.offset_ms), null]);
    await move(app, sandbox, { to: at(app, 10 * DAY_MS) });
    between(Date.parse((await readClock(sandbox)).now) - app.clock.now(), 10 * DAY_MS - SLACK_MS);
  });

  test("what is scheduled is sent at its time, in order, and what expires ends before", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const start = app.clock.now();
    const late = await queue(sandbox, { to: "@late", schedule_at: at(app, 3 * DAY_MS) });
    const early = await queue(sandbox, { to: "@early", schedule_at: at(app, DAY_MS) });
    const beyond = await queue(sandbox, { to: "@beyond", schedule_at: at(app, 5 * DAY_MS) });
    await app.db.write((tx) => app.services.loop.pauseLane(tx, sandbox.env_id, "account:7421", true));
    const expiring = await queue(sandbox, { to: "@expiring", expires_at: at(app, 2 * DAY_MS) });
    const moved = await move(app, sandbox, { advance: "47h" });
    expect([moved.sent, (await read(sandbox, expiring)).status]).toEqual([0, "queued"]);
    const resumed = await sandbox.post(`/v1/messages/${expiring}/cancel`);
    expect(resumed.status).toBe(200);
    const expired = await queue(sandbox, { to: "@expiring", expires_at: new Date(start + 2 * DAY_MS + HOUR_MS).toISOString() });
    expect(await move(app, sandbox, { advance: "2h" })).toMatchObject({ failed: 1, events: { "message.failed": 1 } });
    expect(await read(sandbox, expired)).toMatchObject({ status: "failed", error: { code: "expired" } });
    between(Date.parse((await read(sandbox, expired)).updated_at), start + 2 * DAY_MS + HOUR_MS);
    await app.db.write((tx) => app.services.loop.pauseLane(tx, sandbox.env_id, "account:7421", false));
    expect(await move(app, sandbox, { to: new Date(start + 4 * DAY_MS).toISOString() })).toMatchObject({ sent: 2 });
    const [first, second] = [await read(sandbox, early), await read(sandbox, late)];
    // It was held by the pause until two days had gone.
    between(Date.parse(first.sent_at!), start + 49 * HOUR_MS);
    between(Date.parse(second.sent_at!), start + 3 * DAY_MS);
    expect(await read(sandbox, beyond)).toMatchObject({ status: "queued", eta: new Date(start + 5 * DAY_MS).toISOString() });
    const fresh = await read(sandbox, await queue(sandbox, { to: "@fresh" }));
    between(Date.parse(fresh.created_at), start + 4 * DAY_MS);
    expect([second.id < fresh.id, first.id > second.id]).toEqual([true, true]);
  });

  test("a daily cap begins anew with each of its days", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await app.db.write((tx) => app.db.in(tx).updateTable("accounts").set({ daily_cap: 2 }).where("id", "=", 7421).execute());
    const start = app.clock.now();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await queue(sandbox, { to: `@person_${n}`, schedule_at: at(app, HOUR_MS + n) }));
    expect(await move(app, sandbox, { advance: "3d" })).toMatchObject({ sent: 5 });
    const days = [];
    for (const id of ids) days.push((await read(sandbox, id)).sent_at!.slice(0, 10));
    const day = (n: number) => new Date(start + n * DAY_MS).toISOString().slice(0, 10);
    expect(days).toEqual([day(0), day(0), day(1), day(1), day(2)]);
    const { body } = await sandbox.get<Account>("/v1/accounts/7421");
    expect(body.budget).toMatchObject({ day: day(3), sent: 0, remaining: 2 });
  });

  test("retries of webhooks are made by their schedule, as the environment's clock has it", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { sandbox } = app;
    const order: string[] = [];
    receiver.answer("/hook", ({ body }, earlier) => {
      const { event } = JSON.parse(body) as { event: string };
      order.push(`${event} ${earlier + 1}`);
      return event === "message.queued" && earlier < 3 ? 500 : 200;
    });
    await addEndpoint(app, sandbox.env_id, receiver.url(), {
      events: ["message.queued", "message.sent"],
      retry: { max_attempts: 5, schedule: [3_600, 36_000, 360_000] },
    });
    const start = app.clock.now();
    await queue(sandbox, { schedule_at: at(app, DAY_MS) });
    // The first attempt comes before the move.
    await delivered(app);
    const moved = await move(app, sandbox, { advance: "7d" });
    expect(moved).toMatchObject({ sent: 1, deliveries: { attempts: 4, delivered: 2, dead_letters: 0 } });
    expect(order).toEqual(["message.queued 1", "message.queued 2", "message.queued 3", "message.sent 1", "message.queued 4"]);
    const { body: page } = await sandbox.get<Page<{ id: string; event: string }>>("/v1/deliveries");
    const { id } = page.items.find(({ event }) => event === "message.queued")!;
    const { body } = await sandbox.get<DeliveryDetail>(`/v1/deliveries/${id}`);
    const times = body.attempts.map((one) => Date.parse(one.at) - start);
    const gaps = times.slice(1).map((time, n) => time - times[n]!);
    for (const [n, hours] of [1, 10, 100].entries()) {
      expect(gaps[n]).toBeGreaterThan(0.79 * hours * HOUR_MS);
      expect(gaps[n]).toBeLessThan(1.21 * hours * HOUR_MS);
    }
    // A receiver goes by its own clock.
    const signed = Number(receiver.received.at(-1)!.headers.get("webhook-timestamp")) * 1_000;
    expect(Math.abs(signed - app.clock.now())).toBeLessThan(SLACK_MS);
  });

  test("an endpoint that fails for five days is disabled on the fifth", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    receiver.answer("/hook", () => 500);
    const id = await addEndpoint(app, app.sandbox.env_id, receiver.url(), { retry: { max_attempts: 9, schedule: [86_400] } });
    await queue(app.sandbox);
    const { events } = await move(app, app.sandbox, { advance: "2w" });
    expect(events).toMatchObject({ "webhook.disabled": 1 });
    expect((await app.sandbox.get(`/v1/webhooks/${id}`)).body).toMatchObject({ status: "disabled", status_reason: "failing" });
  });

  test("other environments do not move", async () => {
    await using app = await setup({ engine });
    const other = await app.makeWorkspace("Other");
    const ids = [await queue(other.sandbox, { schedule_at: at(app, DAY_MS) })];
    const before = app.clock.now();
    await move(app, app.sandbox, { advance: "3d" });
    await app.settled();
    expect(await read(other.sandbox, ids[0]!)).toMatchObject({ status: "queued", eta: new Date(before + DAY_MS).toISOString() });
    expect((await readClock(other.sandbox)).offset_ms).toBe(0);
    const fresh = await read(other.sandbox, await queue(other.sandbox));
    between(Date.parse(fresh.created_at), before);
    expect(fresh.id > ids[0]!).toBe(true);
    const { body } = await other.sandbox.get<Page<{ id: string }>>(
      `/v1/messages?created_after=${at(app, -HOUR_MS)}&created_before=${at(app, HOUR_MS)}`,
    );
    expect(body.items.map(({ id }) => id)).toEqual([fresh.id, ids[0]!]);
  });

  test("a second move is refused while one runs, and allowed after it was canceled", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await queue(sandbox, { to: "@sandbox_slow" });
    const id = await beginMove(sandbox, { advance: "1h" });
    const second = await sandbox.post("/v1/test/clock", { advance: "1h" });
    expect([second.status, (second.body as { code: string }).code]).toEqual([409, "conflict"]);
    expect((await readClock(sandbox)).moving).toBe(id);
    expect((await sandbox.post(`/v1/jobs/${id}/cancel`)).status).toBe(200);
    expect(await endMove(app, sandbox, id)).toMatchObject({ status: "canceled", result: { steps: 0 } });
    expect(await readClock(sandbox)).toMatchObject({ moving: null, offset_ms: 0 });
    expect((await move(app, sandbox, { advance: "1h" })).steps).toBe(1);
  });

  test("live environments have real time", async () => {
    await using app = await setup({ engine });
    expect((await app.live.get("/v1/test/clock")).status).toBe(403);
    const answer = await app.live.post("/v1/test/clock", { advance: "3d" });
    expect([answer.status, (answer.body as { code: string }).code]).toEqual([403, "forbidden"]);
  });

  test("a move has to go ahead, by one way of saying it, and 400 days at most", async () => {
    await using app = await setup({ engine });
    const ask = async (body: object) => faultOf(await app.sandbox.post("/v1/test/clock", body));
    expect(await ask({})).toEqual([422, "advance", "required"]);
    expect(await ask({ advance: "3d", to: at(app, DAY_MS) })).toEqual([422, "advance", "not_allowed"]);
    expect(await ask({ advance: "3 days" })).toEqual([422, "advance", "bad_format"]);
    expect(await ask({ advance: "0d" })).toEqual([422, "advance", "bad_format"]);
    expect(await ask({ advance: "401d" })).toEqual([422, "advance", "too_large"]);
    expect(await ask({ to: at(app, 401 * DAY_MS) })).toEqual([422, "to", "too_large"]);
    expect(await ask({ to: at(app, -1) })).toEqual([422, "to", "too_small"]);
  });

  test("a move lasts until what runs has come to rest, and its end is told", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const slow = await queue(sandbox, { to: "@sandbox_slow" });
    const moved = await move(app, sandbox, { advance: "1d" });
    expect(moved.sent).toBe(1);
    expect((await read(sandbox, slow)).status).toBe("sent");
    const { body } = await sandbox.get<Page<{ event: string; data: Task; created_at: string }>>("/v1/events?type=job.completed");
    expect(body.items).toHaveLength(1);
    between(Date.parse(body.items[0]!.created_at), Date.parse(moved.to));
  });
});
