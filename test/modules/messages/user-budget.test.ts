import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Message, Sent } from "#src/modules/messages/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { makeUser, type PlayedUsers, playUsers } from "#test/support/user-channel.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The test clock stands at noon. */
const midnight = ({ clock }: TestApp) => toTime(clock.now() + 12 * HOUR);

const left = ({ headers }: { headers: Headers }) => ["limit", "remaining", "reset"].map((name) => headers.get(`x-sendlimit-${name}`));

/** An app whose live environment has a user account that sends nowhere. */
async function town(engine: TestApp["db"]["engine"], changes: object = { gap_seconds: [0, 0] }) {
  const users: PlayedUsers = playUsers();
  const app = await setup({ engine, channels: () => [users.channel] });
  const id = await makeUser(app);
  await app.live.patch(`/v1/accounts/${id}`, changes);
  const send = (to: string, more: object = {}) =>
    app.live.post<Sent & { code: string }>("/v1/messages/send", { account_id: id, to, text: "Hello", ...more });
  const account = async () => (await app.live.get<Account>(`/v1/accounts/${id}`)).body;
  const message = async (id: string) => (await app.live.get<Message>(`/v1/messages/${id}`)).body;
  return {
    app,
    users,
    id,
    send,
    account,
    message,
    sentTo: () => users.sent.map(({ recipient }) => recipient),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

describe.each(appEngines)("a user account's budget, on %s,", (engine) => {
  test("begins with 50 sends a day, 10 of them to new people, 2 to 6 seconds apart", async () => {
    await using user = await town(engine, {});
    expect(await user.account()).toMatchObject({ daily_cap: 50, new_peer_daily_cap: 10, gap_seconds: [2, 6], quiet_hours: null });
  });

  test("lets one message go after another, with a pause drawn anew for each", async () => {
    await using user = await town(engine, { gap_seconds: [2, 6] });
    const { app } = user;
    const started = app.clock.now();
    const etas = [];
    for (const to of ["@a", "@b", "@c"]) etas.push(Date.parse((await user.send(to)).body.eta) - started);
    expect(etas).toEqual([0, 4_000, 8_000]);
    await app.settled();
    expect(user.sentTo()).toEqual(["@a"]);
    expect((await user.account()).lane).toEqual({ state: "paced", held_until: null, reason: null });
    await app.advance(1_999);
    expect(user.sentTo()).toEqual(["@a"]);
    await app.advance(12_001);
    expect(user.sentTo()).toEqual(["@a", "@b", "@c"]);
    expect((await user.account()).lane).toEqual({ state: "free", held_until: null, reason: null });
  });

  test("refuses a send past today's cap, says when it opens, and tells what is left", async () => {
    await using user = await town(engine, { gap_seconds: [0, 0], daily_cap: 2 });
    expect(left(await user.send("@a"))).toEqual(["2", "1", "43200"]);
    expect(left(await user.send("@b"))).toEqual(["2", "0", "43200"]);
    const refused = await user.send("@c");
    expect([refused.status, refused.body.code]).toEqual([429, "daily_send_limit_reached"]);
    expect(left(refused)).toEqual(["2", "0", "43200"]);
    expect(Number(refused.headers.get("retry-after"))).toBe(12 * 3_600);
    expect((await user.account()).budget).toEqual({
      day: toTime(user.app.clock.now()).slice(0, 10),
      sent: 2,
      remaining: 0,
      new_peers: 2,
      new_peers_remaining: 8,
      resets_at: midnight(user.app),
    });
    await user.app.leap(12 * HOUR);
    expect((await user.send("@c")).status).toBe(200);
  });

  test("counts new people by themselves, and whom it has written with no more", async () => {
    await using user = await town(engine, { gap_seconds: [0, 0], new_peer_daily_cap: 1 });
    expect((await user.send("@a")).status).toBe(200);
    expect((await user.send("@a")).status).toBe(200);
    expect((await user.send("@b")).status).toBe(429);
    await user.app.settled();
    expect((await user.send("@a")).status).toBe(200);
    expect((await user.account()).budget).toMatchObject({ sent: 3, new_peers: 1, new_peers_remaining: 0 });
  });

  test("tells of its sends of the day, and of those to new people where these are what refuses one", async () => {
    await using user = await town(engine, { gap_seconds: [0, 0], daily_cap: 5, new_peer_daily_cap: 1 });
    expect(left(await user.send("@a"))).toEqual(["5", "4", "43200"]);
    const refused = await user.send("@b");
    expect([refused.status, left(refused)]).toEqual([429, ["1", "0", "43200"]]);
    expect(left(await user.send("@a"))).toEqual(["5", "3", "43200"]);
    await user.app.live.patch(`/v1/accounts/${user.id}`, { daily_cap: null });
    const uncapped = await user.send("@a");
    expect([uncapped.status, left(uncapped)]).toEqual([200, [null, null, null]]);
    expect(left(await user.send("@b"))).toEqual(["1", "0", "43200"]);
    await user.app.live.patch(`/v1/accounts/${user.id}`, { new_peer_daily_cap: 2 });
    expect(left(await user.send("@b"))).toEqual([null, null, null]);
  });

  test("lets a scheduled send to somebody new wait for the next day, and holds up nobody meanwhile", async () => {
    await using user = await town(engine, { gap_seconds: [0, 0], new_peer_daily_cap: 1 });
    const { app } = user;
    await user.send("@a");
    await app.settled();
    const schedule_at = toTime(app.clock.now() + 1_000);
    const later = await user.send("@b", { schedule_at });
    const known = await user.send("@a", { schedule_at });
    await app.advance(2_000);
    expect([(await user.message(later.body.id)).status, (await user.message(known.body.id)).status]).toEqual(["queued", "sent"]);
    await app.leap(12 * HOUR);
    expect((await user.message(later.body.id)).status).toBe("sent");
  });

  test("sends nothing in quiet hours, by the clock of its timezone", async () => {
    await using user = await town(engine, { gap_seconds: [0, 0], timezone: "Asia/Kathmandu", quiet_hours: { from: "17:30", to: "18:30" } });
    const { app } = user;
    // It is 17:45 in Kathmandu.
    const ends = toTime(app.clock.now() + 45 * 60_000);
    const { body } = await user.send("@a");
    expect(body.eta).toBe(ends);
    await app.settled();
    expect(user.sentTo()).toEqual([]);
    expect((await user.account()).lane).toEqual({ state: "held", held_until: ends, reason: "quiet hours" });
    await app.leap(HOUR);
    expect(user.sentTo()).toEqual(["@a"]);
  });

  test("that Telegram takes for spam fails that message, and keeps new people waiting for a day, then for two", async () => {
    await using user = await town(engine);
    const { app, users } = user;
    await user.send("@known");
    await app.settled();
    for (const days of [1, 2]) {
      users.results.push({ kind: "restricted", reason: "PEER_FLOOD" });
      const { body } = await user.send("@victim");
      await app.settled();
      expect(await user.message(body.id)).toMatchObject({ status: "failed", error: { code: "account_restricted" } });
      expect((await user.account()).restricted_until).toBe(toTime(app.clock.now() + days * DAY));
      const fresh = await user.send(`@new_${days}`);
      const old = await user.send("@known");
      await app.settled();
      expect([(await user.message(fresh.body.id)).status, (await user.message(old.body.id)).status]).toEqual(["queued", "sent"]);
      await app.leap(days * DAY);
      expect((await user.message(fresh.body.id)).status).toBe("sent");
    }
  });

  test("is held as long as Telegram asks, for one chat or for all, and is paused where a person has to look", async () => {
    await using user = await town(engine);
    const { app, users } = user;
    users.results.push({ kind: "hold_chat", ms: 60_000, reason: "SLOWMODE_WAIT_60" });
    const slow = await user.send("-100200");
    const other = await user.send("@a");
    await app.settled();
    expect([(await user.message(slow.body.id)).status, (await user.message(other.body.id)).status]).toEqual(["queued", "sent"]);
    await app.advance(60_000);
    expect((await user.message(slow.body.id)).status).toBe("sent");
    users.results.push({ kind: "hold", ms: 30_000, reason: "FLOOD_WAIT_30" });
    await user.send("@a");
    await app.settled();
    expect((await user.account()).lane).toMatchObject({ state: "held", reason: "FLOOD_WAIT_30" });
    await app.advance(30_000);
    users.results.push({ kind: "pause", reason: "Telegram asks to wait for 7200 s." });
    const stuck = await user.send("@a");
    await app.settled();
    expect(await user.account()).toMatchObject({ status: "paused", paused: true, status_reason: "Telegram asks to wait for 7200 s." });
    expect((await user.message(stuck.body.id)).status).toBe("queued");
    await app.live.patch(`/v1/accounts/${user.id}`, { paused: false });
    await app.settled();
    expect((await user.message(stuck.body.id)).status).toBe("sent");
    expect(await user.account()).toMatchObject({ status: "connected", status_reason: null });
  });

  test("is not spent on who has blocked the account, for a week, unless they write", async () => {
    await using user = await town(engine);
    const { app, users } = user;
    const outcome = async (to: string) => {
      const { body } = await user.send(to);
      await app.settled();
      const { status, error } = await user.message(body.id);
      return error?.code ?? status;
    };
    users.results.push({ kind: "failed", code: "recipient_blocked", message: "USER_IS_BLOCKED", link: null });
    expect([await outcome("@a"), await outcome("@a"), await outcome("@b")]).toEqual(["recipient_blocked", "recipient_blocked", "sent"]);
    expect(user.sentTo()).toEqual(["@b"]);
    await app.leap(7 * DAY);
    expect(await outcome("@a")).toBe("sent");
    users.results.push({ kind: "failed", code: "recipient_blocked", message: "USER_IS_BLOCKED", link: null });
    expect([await outcome("@a"), await outcome("@a")]).toEqual(["recipient_blocked", "recipient_blocked"]);
    const { chat_id } = await app.db.read.selectFrom("chats").select("chat_id").where("username", "=", "a").executeTakeFirstOrThrow();
    const person = { telegram_id: Number(chat_id), username: "a", first_name: "A", last_name: null };
    const chat = { id: chat_id, type: "private" as const, title: null, username: "a", first_name: "A", last_name: null };
    const nothing = {
      topic: null,
      update_id: null,
      files: [],
      location: null,
      contact_card: null,
      album_id: null,
      reply_to: null,
      start_payload: null,
    };
    const account = { env_id: app.live.env_id, id: user.id, kind: "telegram_user", username: null };
    const said = { kind: "received" as const, ...nothing, chat, sender: person, remote_id: "900", text: "Hi again", at: app.clock.now() };
    await app.db.write((tx) => app.services.happened(tx, account, [said]));
    expect(await outcome("@a")).toBe("sent");
  });

  test("that is gone for good is disabled, and can't be logged in again", async () => {
    await using user = await town(engine);
    user.users.results.push({ kind: "unauthorized", reason: "USER_DEACTIVATED_BAN", final: true });
    const { body } = await user.send("@a");
    await user.app.settled();
    expect(await user.account()).toMatchObject({ status: "disabled", status_reason: "USER_DEACTIVATED_BAN" });
    expect((await user.message(body.id)).status).toBe("queued");
    expect((await user.app.live.post(`/v1/accounts/${user.id}/login/code`)).status).toBe(409);
  });
});

describe.each(appEngines)("a preflight on %s", (engine) => {
  test("tells when a message would leave under today's caps, and counts nothing", async () => {
    await using user = await town(engine, { gap_seconds: [0, 0], new_peer_daily_cap: 1 });
    const ask = async (to: string) => (await user.app.live.post<{ accounts: object[] }>("/v1/messages/preflight", { to })).body.accounts[0];
    const now = toTime(user.app.clock.now());
    expect(await ask("@a")).toMatchObject({ account_id: user.id, reachable: true, eta: now });
    await user.send("@a");
    await user.app.settled();
    expect(await ask("@b")).toMatchObject({
      reachable: true,
      eta: midnight(user.app),
      message: "The account has used its sends of today.",
    });
    expect(await ask("@a")).toMatchObject({ reachable: true, eta: now });
    expect((await user.account()).budget).toMatchObject({ sent: 1 });
  });

  test("tells why an account can't reach somebody", async () => {
    await using user = await town(engine);
    await user.app.live.post("/v1/suppressions", { to: "@opted_out", reason: "opt_out" });
    const ask = async (to: string) => (await user.app.live.post<{ accounts: object[] }>("/v1/messages/preflight", { to })).body;
    expect(await ask("@opted_out")).toMatchObject({
      best_account_id: null,
      accounts: [{ reachable: false, reason: "recipient_suppressed" }],
    });
    await user.app.live.patch(`/v1/accounts/${user.id}`, { paused: true });
    expect(await ask("@a")).toMatchObject({ best_account_id: null, accounts: [{ reachable: false, reason: "account_paused" }] });
    expect((await user.app.live.post("/v1/messages/preflight", { to: "@a", account_ids: [99] })).status).toBe(404);
  });
});
