import { describe, expect, test } from "bun:test";
import { plays } from "#plugins/sandbox/recipients.ts";
import { toTime } from "#src/core/clock.ts";
import { outcomes } from "#src/core/outcomes.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { cancel, queue, read, sendTo, turn } from "#test/support/sending.ts";

const failing = [...plays].flatMap(([to, play]) => (play.kind === "fails" ? [[to, play.code] as const] : []));
const SANDBOX = "/v1/accounts/7421";

async function eventsOf({ sandbox }: TestApp, id: string): Promise<string[]> {
  const { body } = await sandbox.get<{ items: { event: string; subject: string }[] }>("/v1/events?limit=200");
  return body.items.filter(({ subject }) => subject === id).map(({ event }) => event);
}

describe("a magic recipient of the sandbox", () => {
  test.each(failing)("%s fails as %s", async (to, code) => {
    await using app = await setup();
    const id = await queue(app.sandbox, { to });
    await app.settled();
    const message = await read(app.sandbox, id);
    const link = code === "recipient_not_started" ? "https://t.me/posthouse_sandbox" : null;
    expect(message).toMatchObject({
      status: "failed",
      error: { code, message: outcomes[code], link },
      last_error: outcomes[code],
      sent_at: null,
    });
    expect(message.attempts).toMatchObject([{ outcome: "failed", code }]);
    expect(await eventsOf(app, id)).toEqual(["message.queued", "message.failed"]);
  });

  test("there is one for every outcome that only a variable or time brings about otherwise", () => {
    const played = new Set<string>(failing.map(([, code]) => code));
    expect(Object.keys(outcomes).filter((code) => !played.has(code))).toEqual(["variable_missing"]);
  });

  test("answers by writing, by a reaction, by a button, by STOP and by blocking the account", async () => {
    await using app = await setup();
    const buttons = [[{ text: "Yes", data: "yes" }]];
    const ids = new Map<string, string>();
    for (const name of ["echo", "reacts", "presses", "blocks"])
      ids.set(name, (await sendTo(app.sandbox, { to: `@sandbox_${name}`, text: "Hello", buttons })).body.id);
    await app.settled();
    const { body } = await app.sandbox.get<{ items: { event: string; data: Record<string, unknown> }[] }>("/v1/events?limit=200");
    const happened = (type: string) => body.items.filter(({ event }) => event === type).map(({ data }) => data);
    expect(happened("message.received")).toMatchObject([
      { text: "Hello", sender: { username: "sandbox_echo" }, reply_to: ids.get("echo") },
    ]);
    expect(happened("message.reacted")).toMatchObject([{ id: ids.get("reacts"), reactions: ["\u{1F44D}"] }]);
    expect(happened("message.button_pressed")).toMatchObject([{ id: ids.get("presses"), button: { data: "yes" } }]);
    expect((await read(app.sandbox, ids.get("blocks")!)).status).toBe("sent");
    const { body: reach } = await app.sandbox.post("/v1/messages/preflight", { to: "@sandbox_blocks" });
    expect(reach).toMatchObject({ best_account_id: null, accounts: [{ account_id: 7421, reachable: false, reason: "recipient_blocked" }] });
  });

  test("is foretold as not to be reached, with the link to hand over beside the words", async () => {
    await using app = await setup();
    const { body } = await app.sandbox.post("/v1/messages/preflight", { to: "@sandbox_not_started" });
    const message = "@sandbox_not_started has not started the bot, and a bot can't write first.";
    const link = "https://t.me/posthouse_sandbox";
    expect(body).toMatchObject({ accounts: [{ reachable: false, reason: "recipient_not_started", message, link }] });
  });

  test("is delivered, or delivered and read, and says when", async () => {
    await using app = await setup();
    const delivered = await queue(app.sandbox, { to: "@sandbox_delivered" });
    const seen = await queue(app.sandbox, { to: "@Sandbox_Read" });
    await app.settled();
    const at = toTime(app.clock.now());
    expect(await read(app.sandbox, delivered)).toMatchObject({ status: "delivered", sent_at: at, delivered_at: at, read_at: null });
    expect(await read(app.sandbox, seen)).toMatchObject({ status: "read", sent_at: at, delivered_at: at, read_at: at });
    expect(await eventsOf(app, delivered)).toEqual(["message.queued", "message.sent", "message.delivered"]);
    expect(await eventsOf(app, seen)).toEqual(["message.queued", "message.sent", "message.delivered", "message.read"]);
  });

  test("can ask for patience, which holds the account and costs no attempt", async () => {
    await using app = await setup();
    const flooded = await queue(app.sandbox, { to: "@sandbox_flood" });
    await app.settled();
    const behind = await queue(app.sandbox);
    await app.settled();
    expect(await read(app.sandbox, flooded)).toMatchObject({
      status: "queued",
      last_error: "retry after 3 s",
      attempts: [{ outcome: "held" }],
    });
    expect((await read(app.sandbox, behind)).status).toBe("queued");
    await app.advance(3_000);
    const after = await read(app.sandbox, flooded);
    expect(after).toMatchObject({ status: "sent", last_error: null });
    expect(after.attempts.map(({ outcome }) => outcome)).toEqual(["held", "sent"]);
    expect((await read(app.sandbox, behind)).status).toBe("sent");
  });

  test("can be out of reach once, and is tried again", async () => {
    await using app = await setup();
    const id = await queue(app.sandbox, { to: "@sandbox_unreachable" });
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ status: "queued", attempts: [{ outcome: "unreached" }] });
    await app.advance(60_000);
    expect((await read(app.sandbox, id)).attempts.map(({ outcome }) => outcome)).toEqual(["unreached", "sent"]);
  });

  test("can be slow, and be taken back meanwhile", async () => {
    await using app = await setup();
    const ids = [await queue(app.sandbox, { to: "@sandbox_slow" }), await queue(app.sandbox, { to: "@sandbox_slow" })];
    while (app.clock.nextTimer() === null) await turn();
    expect((await cancel(app.sandbox, ids[0]!)).status).toBe(200);
    for (const _ of ids) {
      while (app.clock.nextTimer() === null) await turn();
      app.clock.advance(2_000);
    }
    await app.settled();
    const states = await Promise.all(ids.map(async (id) => (await read(app.sandbox, id)).status));
    expect(states).toEqual(["canceled", "sent"]);
    expect(await eventsOf(app, ids[0]!)).toEqual(["message.queued", "message.canceled"]);
  });

  test("can refuse at once as an account does that has used its day", async () => {
    await using app = await setup();
    const { status, body, headers } = await sendTo(app.sandbox, { to: "@sandbox_daily_limit" });
    expect([status, (body as unknown as { code: string }).code]).toEqual([429, "daily_send_limit_reached"]);
    expect(headers.get("x-sendlimit-remaining")).toBe("0");
    expect((await app.sandbox.get("/v1/messages")).body.total).toBe(0);
  });
});

const limits = (headers: Headers) => ["limit", "remaining", "reset"].map((name) => headers.get(`x-sendlimit-${name}`));

describe.each(appEngines)("a daily cap of the sandbox on %s", (engine) => {
  test("counts down in headers, refuses, and opens on the next day of its timezone", async () => {
    await using app = await setup({ engine });
    // The clocks begin at noon UTC: 02:00 of the next day on Kiritimati, which has 22 hours left.
    await app.sandbox.patch(SANDBOX, { daily_cap: 2, timezone: "Pacific/Kiritimati" });
    const reset = String(22 * 3_600);
    expect(limits((await sendTo(app.sandbox)).headers)).toEqual(["2", "1", reset]);
    app.clock.advance(1_500);
    expect(limits((await sendTo(app.sandbox)).headers)).toEqual(["2", "0", String(22 * 3_600 - 1)]);
    const third = await sendTo(app.sandbox);
    expect([third.status, ...limits(third.headers)]).toEqual([429, "2", "0", String(22 * 3_600 - 1)]);
    expect(third.headers.get("retry-after")).toBe(String(22 * 3_600 - 1));
    await app.leap(22 * 3_600_000 - 1_501);
    expect((await sendTo(app.sandbox)).status).toBe(429);
    app.clock.advance(1);
    expect(limits((await sendTo(app.sandbox)).headers)).toEqual(["2", "1", String(24 * 3_600)]);
  });

  test("tells nothing where there is none", async () => {
    await using app = await setup({ engine });
    expect(limits((await sendTo(app.sandbox)).headers)).toEqual([null, null, null]);
  });

  test("gives back what is canceled", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch(SANDBOX, { daily_cap: 1, paused: true });
    const id = await queue(app.sandbox);
    expect((await sendTo(app.sandbox)).status).toBe(429);
    await cancel(app.sandbox, id);
    expect((await sendTo(app.sandbox)).status).toBe(200);
  });

  test("is not overrun by sends that arrive together", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch(SANDBOX, { daily_cap: 7 });
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await sendTo(app.sandbox)).status));
    expect(statuses.toSorted()).toEqual([...Array.from({ length: 7 }, () => 200), ...Array.from({ length: 13 }, () => 429)]);
  });

  test("spreads scheduled sends over the days", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch(SANDBOX, { daily_cap: 1 });
    const schedule_at = toTime(app.clock.now() + 1_000);
    const ids = [await queue(app.sandbox, { schedule_at }), await queue(app.sandbox, { schedule_at })];
    await app.advance(1_000);
    expect(await Promise.all(ids.map(async (id) => (await read(app.sandbox, id)).status))).toEqual(["sent", "queued"]);
    await app.leap(86_400_000);
    expect((await read(app.sandbox, ids[1]!)).status).toBe("sent");
  });

  test("that is raised lets out at once what waited for the next day", async () => {
    await using app = await setup({ engine });
    await app.sandbox.patch(SANDBOX, { daily_cap: 1 });
    await queue(app.sandbox);
    const id = await queue(app.sandbox, { schedule_at: toTime(app.clock.now() + 1_000) });
    await app.advance(1_000);
    expect((await read(app.sandbox, id)).status).toBe("queued");
    await app.sandbox.patch(SANDBOX, { daily_cap: null });
    await app.settled();
    expect((await read(app.sandbox, id)).status).toBe("sent");
  });
});
