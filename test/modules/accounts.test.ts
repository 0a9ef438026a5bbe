import { describe, expect, test } from "bun:test";
import { nextDayAt, quietUntil } from "#src/modules/accounts/day.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { makeUser, playUsers } from "#test/support/user-channel.ts";

interface Refused {
  code: string;
  details: { field: string; error: string; received?: unknown }[];
}

describe.each(appEngines)("a bot's account on %s", (engine) => {
  test("is checked with Telegram and kept encrypted", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const bot = telegram.addBot({ username: "acme_support_bot", first_name: "Acme Support" });
    const { status, body, text } = await app.live.post<Account>("/v1/accounts", { kind: "telegram_bot", token: bot.token });
    expect([status, body]).toMatchObject([
      201,
      {
        id: 10_000,
        kind: "telegram_bot",
        name: "Acme Support",
        username: "acme_support_bot",
        telegram_id: bot.id,
        status: "connected",
        status_reason: null,
        paused: false,
        timezone: "UTC",
        daily_cap: null,
      },
    ]);
    expect(text).not.toContain(bot.token.split(":")[1]!);
    const rows = await app.db.read.selectFrom("accounts").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(bot.token.split(":")[1]!);
    const read = await app.live.get<Account>("/v1/accounts/10000");
    expect(read.body).toEqual(body);
    expect((await app.live.get<{ items: Account[] }>("/v1/accounts")).body.items).toEqual([body]);
  });

  test("is there once in an environment, and can be in several", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const second = await app.makeWorkspace("Second");
    const { token } = telegram.addBot();
    const ask = { kind: "telegram_bot", token };
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await app.live.post("/v1/accounts", ask)).status));
    expect(statuses.toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
    expect((await second.live.post("/v1/accounts", ask)).status).toBe(201);
    const { body } = await app.live.get<{ items: Account[] }>("/v1/accounts");
    await app.live.delete(`/v1/accounts/${body.items[0]!.id}`);
    expect((await app.live.post("/v1/accounts", ask)).status).toBe(201);
  });

  test("is refused by its token, and nothing of the token is repeated", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const refused = await app.live.post<Refused>("/v1/accounts", { kind: "telegram_bot", token: `123456:${"z".repeat(35)}` });
    expect([refused.status, refused.body.details]).toEqual([422, [{ field: "token", error: "refused" }]]);
    for (const token of ["", "abc", "123456", `:${"z".repeat(35)}`, `12 3:${"z".repeat(35)}`, `123456:${"z".repeat(35)}\n`]) {
      const { status, body, text } = await app.live.post<Refused>("/v1/accounts", { kind: "telegram_bot", token });
      expect([token, status, body.details[0]]).toEqual([token, 422, { field: "token", error: "bad_format" }]);
      expect(token.length < 10 || !text.includes("zzzz")).toBe(true);
    }
    expect(telegram.requests.by_method["getme"]).toBe(1);
  });

  test("is not made while Telegram can't be reached, and can be made afterwards with the same Idempotency-Key", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const ask = { kind: "telegram_bot", token: telegram.addBot().token };
    telegram.fault({ kind: "status", status: 502 }, { method: "getMe" });
    const headers = { "idempotency-key": "connect-1" };
    const away = await app.live.post<Refused>("/v1/accounts", ask, headers);
    const back = await app.live.post("/v1/accounts", ask, headers);
    const again = await app.live.post("/v1/accounts", ask, headers);
    expect([away.status, away.body.code, back.status, again.text]).toEqual([503, "unavailable", 201, back.text]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  test("asked for many times at once with one Idempotency-Key is made once, and answered alike", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const ask = { kind: "telegram_bot", token: telegram.addBot().token };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => app.live.post("/v1/accounts", ask, { "idempotency-key": "connect-2" })),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(201);
    expect(telegram.requests.by_method["getme"]).toBe(1);
  });

  test("takes a new token of the same bot only", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const path = `/v1/accounts/${account.id}`;
    const renewed = town.telegram.addBot({ token: `${bot.id}:${"N".repeat(35)}`, username: "renamed_bot" });
    const other = town.telegram.addBot();
    const wrong = await town.app.live.patch<Refused>(path, { token: other.token });
    expect([wrong.status, wrong.body.details]).toEqual([422, [{ field: "token", error: "not_allowed" }]]);
    const right = await town.app.live.patch<Account>(path, { token: renewed.token });
    expect([right.status, right.body.username]).toEqual([200, "renamed_bot"]);
  });

  test("is gone once it is removed", async () => {
    await using town = await setupWithTelegram(engine);
    const { account } = await town.connect();
    const path = `/v1/accounts/${account.id}`;
    const { headers } = await town.app.live.get(path);
    expect((await town.app.live.delete(path, { "if-match": '"stale"' })).status).toBe(412);
    expect((await town.app.live.delete(path, { "if-match": headers.get("etag")! })).status).toBe(204);
    expect((await town.app.live.get(path)).status).toBe(404);
    expect((await town.app.live.patch(path, { name: "again" })).status).toBe(404);
    expect((await town.app.live.delete(path)).status).toBe(404);
    expect((await town.app.live.get<{ items: Account[]; total: number }>("/v1/accounts")).body).toMatchObject({ items: [], total: 0 });
  });
});

describe.each(appEngines)("a user account on %s", (engine) => {
  test("has no token to change, and Telegram is not asked about one", async () => {
    await using town = await setupWithTelegram(engine, { channels: () => [playUsers().channel] });
    const path = `/v1/accounts/${await makeUser(town.app)}`;
    const { token } = town.telegram.addBot();
    const { headers } = await town.app.live.get(path);
    const { status, body } = await town.app.live.patch<Refused>(path, { token });
    expect([status, body.details]).toEqual([422, [{ field: "token", error: "not_allowed" }]]);
    expect((await town.app.live.patch(path, { token }, { "if-match": '"stale"' })).status).toBe(412);
    expect((await town.app.live.patch("/v1/accounts/99", { token })).status).toBe(404);
    expect((await town.app.live.get(path)).headers.get("etag")).toBe(headers.get("etag"));
    expect(town.telegram.requests.by_method["getme"]).toBeUndefined();
  });

  test("takes settings of its own, and says which part of one is wrong", async () => {
    await using app = await setup({ engine, channels: () => [playUsers().channel] });
    const path = `/v1/accounts/${await makeUser(app)}`;
    const wanted = { quiet_hours: { from: "22:00", to: "07:30" }, gap_seconds: [1, 2.5], new_peer_daily_cap: 3, daily_cap: null };
    expect((await app.live.patch<Account>(path, wanted)).body).toMatchObject(wanted);
    const bad: [Record<string, unknown>, string, string][] = [
      [{ quiet_hours: { from: "25:00", to: "07:30" } }, "quiet_hours.from", "bad_format"],
      [{ quiet_hours: { from: "22:00" } }, "quiet_hours.to", "required"],
      [{ quiet_hours: { from: "22:00", to: 7 } }, "quiet_hours.to", "wrong_type"],
      [{ quiet_hours: { from: "22:00", to: "07:30", on: "weekends" } }, "quiet_hours.on", "unknown_field"],
      [{ quiet_hours: "22:00-07:30" }, "quiet_hours", "wrong_type"],
      [{ quiet_hours: [] }, "quiet_hours", "wrong_type"],
      [{ gap_seconds: [3, 2] }, "gap_seconds", "bad_format"],
      [{ gap_seconds: [1, -1] }, "gap_seconds.1", "too_small"],
      [{ proxy: "http://proxy.example:8080" }, "proxy", "bad_format"],
    ];
    for (const [patch, field, error] of bad) {
      const { status, body } = await app.live.patch<Refused>(path, patch);
      expect([patch, status, body.details?.[0]]).toMatchObject([patch, 422, { field, error }]);
    }
    expect((await app.live.get(path)).body).toMatchObject(wanted);
  });
});

describe.each(appEngines)("the sandbox account on %s", (engine) => {
  test("is there in every test environment, new ones too, and in no live one", async () => {
    await using app = await setup({ engine });
    const made = await app.live.post<{ id: string; name: string }>("/v1/environments", { name: "staging" });
    expect(made.status).toBe(201);
    const rows = await app.db.read.selectFrom("environments").selectAll().orderBy("id").execute();
    const accounts = await app.db.read.selectFrom("accounts").select(["env_id", "id", "kind"]).orderBy("env_id").execute();
    expect(accounts).toEqual(rows.filter(({ mode }) => mode === "test").map(({ id }) => ({ env_id: id, id: 7421, kind: "sandbox" })));
    expect(rows.map(({ name, mode }) => [name, mode])).toEqual([
      ["live", "live"],
      ["sandbox", "test"],
      ["staging", "test"],
    ]);
    expect((await app.live.get("/v1/accounts/7421")).status).toBe(404);
    expect((await app.sandbox.get("/v1/accounts/7421")).body).toMatchObject({
      id: 7421,
      kind: "sandbox",
      username: "posthouse_sandbox",
      status: "connected",
    });
  });

  test("belongs to its environment: it can't be removed, nor can another be made", async () => {
    await using app = await setup({ engine });
    expect((await app.sandbox.delete("/v1/accounts/7421")).status).toBe(409);
    const { status, body } = await app.sandbox.post("/v1/accounts", { kind: "telegram_bot", token: `1:${"x".repeat(35)}` });
    expect([status, body.code]).toEqual([409, "conflict"]);
  });

  test("takes a name, a timezone and a cap, and nothing that is none", async () => {
    await using app = await setup({ engine });
    const path = "/v1/accounts/7421";
    const changed = await app.sandbox.patch(path, { name: "Testing", timezone: "Europe/Berlin", daily_cap: 0 });
    expect(changed.body).toMatchObject({ name: "Testing", timezone: "Europe/Berlin", daily_cap: 0 });
    const nothing = await app.sandbox.patch(path, {});
    expect(nothing.body).toMatchObject({ name: "Testing", timezone: "Europe/Berlin", daily_cap: 0 });
    const bad: [Record<string, unknown>, string][] = [
      [{ name: "" }, "name"],
      [{ timezone: "Mars/Olympus" }, "timezone"],
      [{ timezone: "" }, "timezone"],
      [{ daily_cap: -1 }, "daily_cap"],
      [{ daily_cap: 1.5 }, "daily_cap"],
      [{ paused: "yes" }, "paused"],
      [{ status: "paused" }, "status"],
      [{ gap_seconds: [2, 6] }, "gap_seconds"],
    ];
    for (const [patch, field] of bad) {
      const { status, body } = await app.sandbox.patch<Refused>(path, patch);
      expect([patch, status, body.details?.[0]?.field]).toEqual([patch, 422, field]);
    }
    expect((await app.sandbox.get(path)).body).toMatchObject({ name: "Testing", daily_cap: 0 });
  });

  test("is one of many in pages by number", async () => {
    await using town = await setupWithTelegram(engine);
    const ids = [];
    for (let at = 0; at < 3; at++) ids.push((await town.connect()).account.id);
    type Page = { items: Account[]; next_cursor: string | null; total: number };
    const first = await town.app.live.get<Page>("/v1/accounts?limit=2");
    const second = await town.app.live.get<Page>(`/v1/accounts?limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual(ids);
    expect([first.body.total, second.body.next_cursor]).toEqual([3, null]);
    for (const forged of ["x", "1e400", "-", "9".repeat(30), "1.5", ""]) {
      const cursor = Buffer.from(`accounts:${town.app.live.env_id}:${forged}`).toString("base64url");
      const { status } = await town.app.live.get(`/v1/accounts?cursor=${cursor}`);
      expect([forged, [200, 422].includes(status)]).toEqual([forged, true]);
    }
  });
});

describe("the next day of a timezone", () => {
  test.each([
    ["2031-03-30T00:30:00Z", "Europe/Berlin", "2031-03-30T22:00:00.000Z"],
    ["2031-10-26T00:30:00Z", "Europe/Berlin", "2031-10-26T23:00:00.000Z"],
    ["2031-01-02T12:00:00Z", "UTC", "2031-01-03T00:00:00.000Z"],
    ["2031-01-02T12:00:00Z", "Asia/Kathmandu", "2031-01-02T18:15:00.000Z"],
    ["2031-01-02T18:15:00Z", "Asia/Kathmandu", "2031-01-03T18:15:00.000Z"],
    ["2031-01-02T18:14:59.999Z", "Asia/Kathmandu", "2031-01-02T18:15:00.000Z"],
  ])("after %s in %s begins at %s, also where a day has 23 or 25 hours", (now, timezone, next) => {
    expect(new Date(nextDayAt(Date.parse(now), timezone)).toISOString()).toBe(next);
  });
});

describe("quiet hours", () => {
  const night = { from: "22:00", to: "07:30" };
  test.each([
    ["2031-01-02T21:59:59.999Z", "UTC", night, null],
    ["2031-01-02T22:00:00Z", "UTC", night, "2031-01-03T07:30:00.000Z"],
    ["2031-01-03T07:29:59.999Z", "UTC", night, "2031-01-03T07:30:00.000Z"],
    ["2031-01-03T07:30:00Z", "UTC", night, null],
    ["2031-01-02T12:10:30Z", "Asia/Kathmandu", { from: "17:30", to: "18:30" }, "2031-01-02T12:45:00.000Z"],
    ["2031-01-02T12:00:00Z", "UTC", { from: "12:00", to: "12:00" }, null],
    ["2031-03-29T23:00:00Z", "Europe/Berlin", night, "2031-03-30T05:30:00.000Z"],
    ["2031-10-25T23:00:00Z", "Europe/Berlin", night, "2031-10-26T06:30:00.000Z"],
    ["2031-03-30T00:30:00Z", "Europe/Berlin", { from: "01:00", to: "02:30" }, "2031-03-30T01:00:00.000Z"],
  ])("at %s in %s, of %j, last until %s", (now, timezone, hours, end) => {
    const until = quietUntil(Date.parse(now), timezone, hours);
    expect(until === null ? null : new Date(until).toISOString()).toBe(end);
  });
});
