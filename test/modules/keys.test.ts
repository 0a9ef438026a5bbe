import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import { scopes as allScopes } from "#src/core/principal.ts";
import type { CreatedKey, Key, Me } from "#src/modules/keys/model.ts";
import { hashKey, isWellFormedKey } from "#src/modules/keys/secret.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import type { Caller } from "#test/support/client.ts";
import { cancel, sendTo, turn } from "#test/support/sending.ts";

async function create({ client, live }: TestApp, ask: Record<string, unknown> = {}, by: Caller = live): Promise<Caller & CreatedKey> {
  const { body } = await by.post<CreatedKey>("/v1/keys", { name: "made", scopes: ["read:messages"], ...ask });
  return { ...body, ...client.as(body.key) };
}

const works = async (caller: Caller) => (await caller.get("/v1/me")).status === 200;

describe.each(appEngines)("a key on %s", (engine) => {
  test("is shown once, with a hint that later tells it from others", async () => {
    await using app = await setup({ engine });
    const { status, body } = await app.sandbox.post<CreatedKey>("/v1/keys", { name: "ci", scopes: ["write:messages", "read:messages"] });
    expect([status, Object.keys(body).toSorted()]).toEqual([
      201,
      [
        "account_ids",
        "created_at",
        "environment",
        "expires_at",
        "id",
        "key",
        "mode",
        "name",
        "rate_limit",
        "require_idempotency",
        "scopes",
        "source_addresses",
      ],
    ]);
    expect(body).toMatchObject({
      name: "ci",
      mode: "test",
      environment: "sandbox",
      scopes: ["write:messages", "read:messages"],
      rate_limit: 600,
      expires_at: null,
    });
    const read = await app.sandbox.get<Key>(`/v1/keys/${body.id}`);
    expect(read.text).not.toContain(body.key);
    expect(body.key).toStartWith(`cs_test_${read.body.hint}_`);
    const rows = await app.db.read.selectFrom("keys").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(body.key);
    expect(rows.find(({ id }) => id === body.id)?.hash).toBe(hashKey(body.key));
  });

  test("can't give a scope that it lacks, not even by rotating another key", async () => {
    await using app = await setup({ engine });
    const narrow = await create(app, { scopes: ["manage:keys", "read:messages"] });
    const denied = await narrow.post("/v1/keys", { name: "more", scopes: ["read:messages", "write:messages"] });
    expect([denied.status, denied.body.required_scope]).toEqual([403, "write:messages"]);
    expect((await narrow.post("/v1/keys", { name: "same", scopes: ["read:messages"] })).status).toBe(201);
    const powerful = await create(app, { scopes: [...allScopes] });
    const rotated = await narrow.post(`/v1/keys/${powerful.id}/rotate`, {});
    expect(rotated.status).toBe(403);
  });

  test("bound to accounts acts through these alone, and makes no key that reaches further", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const [own, other] = [(await town.connect()).account.id, (await town.connect()).account.id];
    const bound = await create(app, { scopes: [...allScopes], account_ids: [own] });
    const send = (account_id: number) => sendTo(bound, { account_id, to: 123456 });
    expect([(await send(own)).status, (await send(other)).status]).toEqual([200, 404]);
    const later = toTime(app.clock.now() + 60_000);
    const theirs = (await sendTo(app.live, { account_id: other, to: 123456, schedule_at: later })).body.id;
    expect((await cancel(bound, theirs)).status).toBe(404);
    const changes = await Promise.all(
      [own, other].map(async (id) => (await bound.patch(`/v1/accounts/${id}`, { name: "Renamed" })).status),
    );
    expect(changes).toEqual([200, 404]);
    expect((await bound.delete(`/v1/accounts/${other}`)).status).toBe(404);
    expect((await bound.post("/v1/accounts", { kind: "telegram_bot", token: telegram.addBot().token })).status).toBe(403);
    const make = async (ask: object) =>
      (await bound.post<CreatedKey>("/v1/keys", { name: "made", scopes: ["read:messages"], ...ask })).status;
    expect([await make({ account_ids: [own] }), await make({ account_ids: [own, other] }), await make({ account_ids: null })]).toEqual([
      201, 403, 403,
    ]);
    expect((await create(app, {}, bound)).account_ids).toEqual([own]);
    const free = await create(app);
    expect((await bound.post(`/v1/keys/${free.id}/rotate`, {})).status).toBe(403);
  });

  test("says who it is", async () => {
    await using app = await setup({ engine });
    const made = await create(app, { name: "me", scopes: ["manage:keys"], rate_limit: 77 });
    const { body } = await made.get<Me>("/me");
    const { id, name } = (await made.get<{ id: string; name: string }>("/v1/workspace")).body;
    expect(body).toEqual({
      key_id: made.id,
      name: "me",
      mode: "live",
      environment: "live",
      scopes: ["manage:keys"],
      workspace: { id, name, plan: null },
      rate_limit: 77,
    });
  });

  test("is renamed, and no other field can be changed", async () => {
    await using app = await setup({ engine });
    const made = await create(app);
    const renamed = await app.live.patch<Key>(`/v1/keys/${made.id}`, { name: "renamed" });
    expect([renamed.status, renamed.body.name]).toEqual([200, "renamed"]);
    expect((await made.get<Me>("/v1/me")).body.name).toBe("renamed");
    expect((await app.live.patch(`/v1/keys/${made.id}`, { scopes: ["manage:keys"] })).status).toBe(422);
    expect((await app.live.patch(`/v1/keys/${made.id}`, { name: "" })).status).toBe(422);
  });

  test("that was used meanwhile is still the one that was read", async () => {
    await using app = await setup({ engine });
    const made = await create(app);
    const { headers } = await app.live.get(`/v1/keys/${made.id}`);
    await works(made);
    while ((await app.live.get<Key>(`/v1/keys/${made.id}`)).body.last_used_at === null) await turn();
    const renamed = await app.live.patch(`/v1/keys/${made.id}`, { name: "renamed" }, { "if-match": headers.get("etag")! });
    const again = await app.live.patch(`/v1/keys/${made.id}`, { name: "again" }, { "if-match": headers.get("etag")! });
    expect([renamed.status, again.status]).toEqual([200, 412]);
  });

  test("works no longer from the moment of its revocation or expiry", async () => {
    await using app = await setup({ engine });
    const revoked = await create(app);
    const expiring = await create(app, { expires_at: toTime(app.clock.now() + 10_000) });
    expect([await works(revoked), await works(expiring)]).toEqual([true, true]);
    expect((await app.live.delete(`/v1/keys/${revoked.id}`)).status).toBe(204);
    expect((await app.live.delete(`/v1/keys/${revoked.id}`)).status).toBe(204);
    app.clock.advance(9_999);
    expect([await works(revoked), await works(expiring)]).toEqual([false, true]);
    app.clock.advance(1);
    expect(await works(expiring)).toBe(false);
    const { body } = await app.live.get<Key>(`/v1/keys/${revoked.id}`);
    expect(body.revoked_at).toBe(toTime(app.clock.now() - 10_000));
  });

  test("rotates into a successor with the same settings, and works until the overlap ends", async () => {
    await using app = await setup({ engine });
    const settings = {
      name: "rotating",
      scopes: ["read:messages", "manage:keys"],
      rate_limit: 9,
      source_addresses: ["127.0.0.1"],
      account_ids: [5],
      require_idempotency: true,
    };
    const old = await create(app, settings);
    const { status, body } = await app.live.post<CreatedKey>(`/v1/keys/${old.id}/rotate`, { overlap_seconds: 60 });
    const successor = app.client.as(body.key);
    expect([status, body]).toMatchObject([201, { ...settings, expires_at: null }]);
    expect(body.id).not.toBe(old.id);
    app.clock.advance(59_999);
    expect([await works(old), await works(successor)]).toEqual([true, true]);
    app.clock.advance(1);
    expect([await works(old), await works(successor)]).toEqual([false, true]);
    expect((await app.live.post(`/v1/keys/${old.id}/rotate`, {})).status).toBe(409);
  });

  test("rotates at once with an overlap of 0, and within a day by itself", async () => {
    await using app = await setup({ engine });
    const [atOnce, patient, short] = [
      await create(app),
      await create(app),
      await create(app, { expires_at: toTime(app.clock.now() + 1_000) }),
    ];
    await app.live.post(`/v1/keys/${atOnce.id}/rotate`, { overlap_seconds: 0 });
    await app.live.post(`/v1/keys/${patient.id}/rotate`);
    await app.live.post(`/v1/keys/${short.id}/rotate`, { overlap_seconds: 60 });
    app.clock.advance(1_000);
    // An overlap never lets a key outlive its own expiry.
    expect([await works(atOnce), await works(patient), await works(short)]).toEqual([false, true, false]);
    app.clock.advance(86_399_000);
    expect(await works(patient)).toBe(false);
  });

  test("can rotate itself", async () => {
    await using app = await setup({ engine });
    const self = await create(app, { scopes: ["manage:keys"] });
    const { status, body } = await self.post<CreatedKey>(`/v1/keys/${self.id}/rotate`, { overlap_seconds: 0 });
    expect([status, await works(self), await works(app.client.as(body.key))]).toEqual([201, false, true]);
  });

  test("is taken from its source addresses only", async () => {
    await using app = await setup({ engine });
    const made = await create(app, { source_addresses: ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7"] });
    const from = async (peer: string) =>
      (await app.client.send(new Request("http://localhost/v1/me", { headers: { authorization: `Bearer ${made.key}` } }), peer)).status;
    const statuses = await Promise.all(
      [
        "203.0.113.77",
        "::ffff:203.0.113.77",
        "2001:db8::1",
        "198.51.100.7",
        "198.51.100.8",
        "203.0.114.1",
        "2001:db9::1",
        "127.0.0.1",
        "unknown",
      ].map(from),
    );
    expect(statuses).toEqual([200, 200, 200, 200, 401, 401, 401, 401, 401]);
  });

  test("takes anywhere as a source address", async () => {
    await using app = await setup({ engine });
    const made = await create(app, { source_addresses: ["0.0.0.0/0", "::/0"] });
    expect(await works(made)).toBe(true);
  });

  test("with bad settings is not made", async () => {
    await using app = await setup({ engine });
    const bad: [Record<string, unknown>, string][] = [
      [{ name: undefined }, "name"],
      [{ name: "" }, "name"],
      [{ scopes: [] }, "scopes"],
      [{ scopes: ["fly"] }, "scopes.0"],
      [{ scopes: ["read:messages", "read:messages"] }, "scopes"],
      [{ expires_at: toTime(app.clock.now()) }, "expires_at"],
      [{ expires_at: "never" }, "expires_at"],
      [{ rate_limit: 0 }, "rate_limit"],
      [{ rate_limit: 1_000_000_001 }, "rate_limit"],
      [{ source_addresses: ["300.1.1.1"] }, "source_addresses"],
      [{ source_addresses: ["10.0.0.0/33"] }, "source_addresses"],
      [{ source_addresses: ["10.0.0.0/"] }, "source_addresses"],
      [{ source_addresses: ["example.com"] }, "source_addresses"],
      [{ account_ids: [] }, "account_ids"],
      [{ environment: "live" }, "environment"],
    ];
    for (const [ask, field] of bad) {
      const { status, body } = await app.live.post<{ details: { field: string }[] }>("/v1/keys", {
        name: "bad",
        scopes: ["read:messages"],
        ...ask,
      });
      expect([ask, status, body.details?.[0]?.field]).toEqual([ask, 422, field]);
    }
  });

  test("that asks for an Idempotency-Key takes no write without one", async () => {
    await using app = await setup({ engine });
    const strict = await app.makeKey(app.sandbox, { require_idempotency: true });
    const without = await sendTo(strict);
    const withOne = await sendTo(strict, {}, { "idempotency-key": "k-1" });
    expect([without.status, withOne.status, (await strict.get("/v1/messages")).status]).toEqual([422, 200, 200]);
    expect(without.body).toMatchObject({ details: [{ field: "Idempotency-Key", error: "required" }] });
  });

  test("notes when it was used, at most once a minute", async () => {
    await using app = await setup({ engine });
    const made = await create(app);
    const lastUse = async () => (await app.live.get<Key>(`/v1/keys/${made.id}`)).body.last_used_at;
    const usedAt = async (ms: number) => {
      while ((await lastUse()) !== toTime(ms)) await turn();
    };
    expect(await lastUse()).toBeNull();
    await works(made);
    await usedAt(app.clock.now());
    app.clock.advance(59_999);
    await works(made);
    app.clock.advance(1);
    await works(made);
    // Had the use before been noted, this one would come too soon after it.
    await usedAt(app.clock.now());
  });

  test("is listed newest first, revoked ones included", async () => {
    await using app = await setup({ engine });
    const [first, second] = [await create(app), await create(app)];
    await app.live.delete(`/v1/keys/${first.id}`);
    const { body } = await app.live.get<{ items: Key[]; total: number }>("/v1/keys?limit=2");
    expect([body.total, ...body.items.map(({ id, revoked_at }) => [id, revoked_at === null])]).toEqual([
      3,
      [second.id, true],
      [first.id, false],
    ]);
  });
});

describe("the form of a key", () => {
  test("tells a mistyped one from an unknown one by its checksum", async () => {
    await using app = await setup();
    for (const { key, mode } of [
      { key: app.live.key, mode: "live" },
      { key: app.sandbox.key, mode: "test" },
    ]) {
      expect(key).toMatch(new RegExp(`^cs_${mode}_[a-z0-9]{4}_[0-9A-Za-z]{34}$`));
      expect(isWellFormedKey(key)).toBe(true);
      for (let at = 8; at < key.length; at++) {
        const mistyped = key.slice(0, at) + (key[at] === "x" ? "y" : "x") + key.slice(at + 1);
        expect([mistyped, isWellFormedKey(mistyped)]).toEqual([mistyped, false]);
      }
      expect(isWellFormedKey(key.replace(`cs_${mode}`, mode === "live" ? "cs_test" : "cs_live"))).toBe(false);
    }
  });
});
