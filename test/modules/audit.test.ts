import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import type { Page } from "#src/core/page.ts";
import type { AuditEntry } from "#src/modules/audit/model.ts";
import type { CreatedKey } from "#src/modules/keys/model.ts";
import type { Environment } from "#src/modules/workspaces/model.ts";
import type { Account } from "#src/modules/accounts/model.ts";
import { settingsOf } from "#src/modules/accounts/present.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import type { Caller } from "#test/support/client.ts";

async function list(caller: Caller, query = ""): Promise<Page<AuditEntry>> {
  return (await caller.get<Page<AuditEntry>>(`/v1/audit${query}`)).body;
}

const idOf = async (caller: Caller) => (await caller.get<{ key_id: string }>("/v1/me")).body.key_id;

/** What was recorded last, oldest first. */
async function last(caller: Caller, count: number): Promise<AuditEntry[]> {
  return (await list(caller, `?limit=${count}`)).items.toReversed();
}

const rowsOf = ({ db }: TestApp) => db.read.selectFrom("audit").selectAll().orderBy("id").execute();

describe.each(appEngines)("the audit on %s", (engine) => {
  test("tells who made, renamed, rotated and revoked a key, and what that changed", async () => {
    await using app = await setup({ engine });
    const actor = await idOf(app.live);
    const made = (await app.live.post<CreatedKey>("/v1/keys", { name: "ci", scopes: ["read:messages"] })).body;
    await app.live.patch(`/v1/keys/${made.id}`, { name: "ci-2" });
    const successor = (await app.live.post<CreatedKey>(`/v1/keys/${made.id}/rotate`, { overlap_seconds: 60 })).body;
    await app.live.delete(`/v1/keys/${made.id}`);
    await app.live.delete(`/v1/keys/${made.id}`);
    const [created, patched, old, fresh, revoked] = await last(app.live, 5);
    const at = toTime(app.clock.now());
    const { body: key } = await app.live.get(`/v1/keys/${successor.id}`);
    expect(created).toMatchObject({ at, actor, operation: "keys.create", subject: made.id, before: null, after: { name: "ci" } });
    expect(patched).toMatchObject({ operation: "keys.patch", subject: made.id, before: { name: "ci" }, after: { name: "ci-2" } });
    expect(old).toMatchObject({
      operation: "keys.rotate",
      subject: made.id,
      before: { expires_at: null },
      after: { expires_at: toTime(app.clock.now() + 60_000) },
    });
    expect(fresh).toMatchObject({ operation: "keys.rotate", subject: successor.id, before: null, after: key });
    expect(revoked).toMatchObject({ operation: "keys.revoke", subject: made.id, before: { revoked_at: null }, after: { revoked_at: at } });
    expect([patched, old, revoked].map((entry) => Object.keys(entry!.after!))).toEqual([["name"], ["expires_at"], ["revoked_at"]]);
  });

  test("tells who connected, changed and removed an account", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const { account, bot } = await town.connect();
    const path = `/v1/accounts/${account.id}`;
    await app.live.patch(path, { paused: true, name: "Helpdesk" });
    await app.live.patch(path, { token: telegram.addBot({ token: `${bot.id}:${"N".repeat(35)}`, username: bot.username }).token });
    const { body: known } = await app.live.get<Account>(path);
    await app.live.delete(path);
    const actor = await idOf(app.live);
    const shared = { actor, subject: String(account.id) };
    expect(await last(app.live, 4)).toMatchObject([
      { ...shared, operation: "accounts.create", before: null, after: settingsOf(account) },
      {
        ...shared,
        operation: "accounts.patch",
        before: { name: account.name, status: "connected", paused: false },
        after: { name: "Helpdesk", status: "paused", paused: true },
      },
      { ...shared, operation: "accounts.patch", before: {}, after: { token_changed: true } },
      { ...shared, operation: "accounts.delete", before: settingsOf(known), after: null },
    ]);
  });

  test("tells of the workspace to its live environment and to the one whose key changed it, and to no other", async () => {
    await using app = await setup({ engine });
    const made = (await app.sandbox.post<Environment>("/v1/environments", { name: "staging" })).body;
    const rows = await app.services.workspaces.rows(app.id);
    const staging = await app.makeKey({ env_id: rows.find(({ name }) => name === "staging")!.id, name: "staging", mode: "test" });
    await app.sandbox.patch("/v1/workspace", { plan: "builder" });
    const actor = await idOf(app.sandbox);
    for (const caller of [app.live, app.sandbox])
      expect(await last(caller, 2)).toMatchObject([
        { actor, operation: "environments.create", subject: made.id, before: null, after: made },
        { actor, operation: "workspace.patch", before: { plan: null }, after: { plan: "builder" } },
      ]);
    expect((await list(staging)).items.map(({ operation }) => operation)).toEqual(["keys.create", "environments.create"]);
  });

  test("calls the command line by its name, from the first workspace on", async () => {
    await using app = await setup({ engine });
    await app.db.write((tx) => app.services.workspaces.patch(tx, app.id, { currency: "EUR" }));
    const { items } = await list(app.live);
    const operations = items.map(({ operation }) => operation).toReversed();
    expect(operations).toEqual(["workspaces.create", "environments.create", "environments.create", "keys.create", "workspace.patch"]);
    expect(new Set(items.map(({ actor }) => actor))).toEqual(new Set(["command"]));
  });

  test("has nothing of what changed nothing, was refused or was repeated", async () => {
    await using app = await setup({ engine });
    const before = (await rowsOf(app)).length;
    const headers = { "idempotency-key": "once" };
    await app.sandbox.patch("/v1/accounts/7421", {});
    await app.sandbox.patch("/v1/accounts/7421", { name: "Sandbox" });
    await app.sandbox.patch("/v1/accounts/7421", { name: "Other" }, { "if-match": '"stale"' });
    await app.sandbox.delete("/v1/accounts/7421");
    await app.live.patch("/v1/workspace", { name: "First" });
    await app.live.post("/v1/environments", { name: "live" });
    await app.live.post("/v1/keys", { name: "past", scopes: ["read:messages"], expires_at: "2001-01-01T00:00:00Z" });
    expect((await rowsOf(app)).length).toBe(before);
    for (let times = 0; times < 3; times++) await app.live.post("/v1/keys", { name: "once", scopes: ["read:messages"] }, headers);
    expect((await rowsOf(app)).length).toBe(before + 1);
  });

  test("never holds a key, a hash of one, a token or a text, also where somebody hands one in", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const { account, bot } = await town.connect();
    const renewed = telegram.addBot({ token: `${bot.id}:${"N".repeat(35)}`, username: bot.username });
    await app.live.patch(`/v1/accounts/${account.id}`, { token: renewed.token });
    const made = (await app.live.post<CreatedKey>("/v1/keys", { name: "ci", scopes: ["read:messages"] })).body;
    const rotated = (await app.live.post<CreatedKey>(`/v1/keys/${made.id}/rotate`, {})).body;
    const nested = { name: "n", items: [{ key: "a key of theirs", text: "a text of theirs", kept: 1 }], token: "a token of theirs" };
    const entry = { actor: "command", operation: "tests.patch", subject: "it" };
    await app.db.write((tx) => {
      app.services.audit.record(tx, app.live.env_id, { ...entry, before: null, after: nested });
      app.services.audit.record(tx, app.live.env_id, { ...entry, before: nested, after: { ...nested, token: "another of theirs" } });
      app.services.audit.record(tx, app.live.env_id, { ...entry, before: nested, after: { ...nested, name: "m" } });
    });
    const hashes = (await app.db.read.selectFrom("keys").select("hash").execute()).map(({ hash }) => hash);
    const secrets = [made, rotated].map(({ key }) => key.slice(13)).concat(hashes, bot.token.split(":")[1]!, renewed.token.split(":")[1]!);
    const kept = JSON.stringify(await rowsOf(app));
    expect([...secrets, "theirs"].filter((secret) => kept.includes(secret))).toEqual([]);
    expect(await last(app.live, 2)).toMatchObject([
      { before: null, after: { name: "n", items: [{ kept: 1 }] } },
      { before: { name: "n" }, after: { name: "m" } },
    ]);
  });

  test("is newest first, in pages, and narrowed by who, what and when", async () => {
    await using app = await setup({ engine });
    const colleague = await app.makeKey(app.live);
    await app.live.post("/v1/keys", { name: "one", scopes: ["read:messages"] });
    app.clock.advance(60_000);
    const since = toTime(app.clock.now());
    const { id } = (await colleague.post<CreatedKey>("/v1/keys", { name: "two", scopes: ["read:messages"] })).body;
    await colleague.patch(`/v1/keys/${id}`, { name: "three" });
    const ids = async (query: string) => (await list(app.live, query)).items.map((entry) => entry.id);
    const all = await ids("");
    const first = await list(app.live, "?limit=2");
    expect([...first.items.map((entry) => entry.id), ...(await ids(`?limit=200&cursor=${first.next_cursor}`))]).toEqual(all);
    expect([all.toSorted().toReversed(), first.total]).toEqual([all, all.length]);
    expect(await ids(`?actor=${await idOf(colleague)}`)).toEqual(all.slice(0, 2));
    expect(await ids(`?subject=${id}&operation=keys.patch`)).toEqual(all.slice(0, 1));
    expect(await ids(`?operation=keys.create&created_before=${since}`)).toHaveLength(3);
    expect(await ids(`?created_after=${since}`)).toEqual(all.slice(0, 2));
    expect(await ids("?actor=nobody")).toEqual([]);
    for (const query of ["?created_after=yesterday", "?cursor=abc", "?actor=", "?unknown=1"])
      expect([query, (await app.live.get(`/v1/audit${query}`)).status]).toEqual([query, 422]);
  });

  test("is another in each environment", async () => {
    await using app = await setup({ engine });
    const other = await app.makeWorkspace("Second");
    const { id } = (await app.live.post<CreatedKey>("/v1/keys", { name: "mine", scopes: ["read:messages"] })).body;
    const { next_cursor } = await list(app.live, "?limit=1");
    for (const caller of [app.sandbox, other.live, other.sandbox]) {
      expect((await list(caller, `?subject=${id}`)).items).toEqual([]);
      expect((await caller.get(`/v1/audit?cursor=${next_cursor}`)).status).toBe(422);
    }
  });
});
