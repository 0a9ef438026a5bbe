import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { sweepAt } from "#src/modules/erasure/service.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import { runImport } from "#test/support/importing.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { queue, read } from "#test/support/sending.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const sarah = {
  external_id: "mark-external",
  telegram_id: 7_777_001,
  username: "mark_username",
  email: "mark@email.example",
  phone: "+447700900123",
  name: "Markname Marklast",
  tags: ["mark-tag"],
  metadata: { note: "mark-metadata" },
  consent: { status: "granted", source: "mark-source" },
};
const marks = /mark.?(field|external|username|email|name|last|tag|metadata|source|text|variable)|7777001|7700900123/i;

async function tablesOf({ db }: TestApp): Promise<string[]> {
  const { rows } =
    db.engine === "sqlite"
      ? await sql<{ name: string }>`select name from sqlite_master where type = 'table' and name not like 'sqlite%'`.execute(db.read)
      : await sql<{ name: string }>`select table_name as name from information_schema.tables where table_schema = current_schema()`.execute(
          db.read,
        );
  return rows.map(({ name }) => name);
}

/** Rows of any table that hold a mark of the person, but for suppressions. */
async function traces(app: TestApp): Promise<string[]> {
  const found: string[] = [];
  for (const table of await tablesOf(app)) {
    if (table.startsWith("suppressions")) continue;
    const { rows } = await sql`select * from ${sql.table(table)}`.execute(app.db.read);
    found.push(...rows.map((row) => `${table}: ${JSON.stringify(row)}`).filter((row) => marks.test(row)));
  }
  return found;
}

const make = async (app: TestApp, ask: object, headers = {}) =>
  (await app.sandbox.post<{ id: string; number: number }>("/v1/contacts", ask, headers)).body;

/** A person of whom every table that can has something. */
async function leaveTraces(app: TestApp): Promise<{ id: string; messages: string[] }> {
  const { sandbox } = app;
  const early = await queue(sandbox, { to: "@mark_username", text: "mark-text before" });
  await app.settled();
  app.clock.advance(DAY_MS);
  await sandbox.post("/v1/scoring/rules", { name: "Is made", points: 1, when: { event: "contact.created" }, decay_days: 365 });
  await sandbox.patch("/v1/scoring", { thresholds: [1] });
  await sandbox.post("/v1/fields", { object: "contact", key: "nickname", label: "Nickname", type: "text" });
  const { id } = await make(app, sarah, { "idempotency-key": "one" });
  await sandbox.patch(`/v1/contacts/${id}`, { fields: { nickname: "mark-field" } }, { "idempotency-key": "field" });
  await sandbox.patch(`/v1/contacts/${id}`, { last_name: "Marklast-Two", tags: ["mark-tag", "mark-tag-2"] }, { "idempotency-key": "two" });
  for (const query of ["mode=upsert", "mode=upsert&dry_run=true"])
    await runImport(app, sandbox, `username,last_name\nmark_username,Marklast-${query.length}\nmark_username,"not\n`, query);
  const messages = [early];
  for (let at = 0; at < 45; at++)
    messages.push(await queue(sandbox, { to: id, text: "mark-text {name}", metadata: { a: "mark-metadata" } }));
  messages.push(await queue(sandbox, { to: "@mark_username", text: "mark-text" }));
  messages.push(await queue(sandbox, { to: "@sandbox_blocked", text: "to somebody else" }));
  await app.settled();
  const canceled = await queue(sandbox, { to: id, text: "mark-text", schedule_at: "2999-01-01T00:00:00Z" });
  await sandbox.post(`/v1/messages/${canceled}/cancel`, undefined, { "idempotency-key": "three" });
  const waiting = await queue(sandbox, {
    to: id,
    text: "mark-text",
    schedule_at: "2999-01-01T00:00:00Z",
    expires_at: "2999-01-02T00:00:00Z",
  });
  return { id, messages: [...messages, canceled, waiting] };
}

describe.each(appEngines)("the erasure of a contact on %s", (engine) => {
  test("leaves no trace of the person in any table, and the counts as they were", async () => {
    await using app = await setup({ engine });
    const { id, messages } = await leaveTraces(app);
    await app.sandbox.post("/v1/suppressions", { to: "@mark_username" });
    expect((await traces(app)).length).toBeGreaterThan(150);
    const points = () => app.db.read.selectFrom("contact_points").selectAll().execute();
    expect(await points()).toHaveLength(1);
    const { status, body } = await app.sandbox.delete<Task>(`/v1/contacts/${id}?erase=true`);
    expect([status, body]).toMatchObject([202, { kind: "contacts.erase", status: "queued" }]);
    expect((await app.sandbox.get(`/v1/contacts/${id}`)).status).toBe(404);
    await app.settled();
    expect((await app.sandbox.get<Task>(`/v1/jobs/${body.id}`)).body).toMatchObject({
      status: "done",
      progress: { done: 1, total: 1 },
      result: { contacts: 1, messages: messages.length - 1 },
    });
    expect(await traces(app)).toEqual([]);
    const { rows } = await sql<{ id: string }>`select id from contacts`.execute(app.db.read);
    expect([rows, await points()]).toEqual([[], []]);
    expect(await read(app.sandbox, messages.at(-1)!)).toMatchObject({ status: "canceled", to: "erased", text: "", contact_id: null });
    expect(await read(app.sandbox, messages[0]!)).toMatchObject({ status: "sent", to: "erased", text: "", metadata: {}, attempts: [] });
    const others = await app.sandbox.get<{ items: { to: string }[] }>("/v1/messages?to=@sandbox_blocked");
    expect(others.body.items).toMatchObject([{ to: "@sandbox_blocked", text: "to somebody else", status: "failed" }]);
    expect((await app.sandbox.get<{ items: object[] }>("/v1/suppressions")).body.items).toMatchObject([{ to: "@mark_username" }]);
    expect((await app.sandbox.get(`/v1/contacts/${id}/export`)).status).toBe(404);
  });

  test("lets a repeated request make nobody again", async () => {
    await using app = await setup({ engine });
    const { id, number } = await make(app, sarah, { "idempotency-key": "one" });
    await app.sandbox.delete(`/v1/contacts/${number}?erase=true`);
    await app.settled();
    const again = await app.sandbox.post("/v1/contacts", sarah, { "idempotency-key": "one" });
    expect([again.headers.get("idempotency-replayed"), again.body]).toMatchObject(["true", { id, name: null, email: null, tags: [] }]);
    expect(await traces(app)).toEqual([]);
  });

  test("follows a deletion by 30 days, and leaves alone who has the address by then", async () => {
    await using app = await setup({ engine });
    const gone = await make(app, sarah);
    const first = await queue(app.sandbox, { to: gone.id });
    await app.settled();
    expect((await app.sandbox.delete(`/v1/contacts/${gone.id}`)).status).toBe(204);
    const back = await make(app, { username: "mark_username" });
    const second = await queue(app.sandbox, { to: back.id });
    const sweep = async () => {
      await app.db.write((tx) => app.services.loop.enqueue(tx, sweepAt(app.clock.now())));
      await app.settled();
    };
    await app.leap(30 * DAY_MS - 1_000);
    await sweep();
    expect((await app.sandbox.get(`/v1/contacts/${gone.id}/export`)).status).toBe(200);
    await app.leap(HOUR_MS);
    await sweep();
    expect((await app.sandbox.get(`/v1/contacts/${gone.id}/export`)).status).toBe(404);
    expect((await read(app.sandbox, first)).to).toBe("erased");
    expect(await read(app.sandbox, second)).toMatchObject({ to: "@mark_username", contact_id: back.id });
    await app.leap(HOUR_MS);
    await sweep();
    const { items } = (await app.sandbox.get<{ items: Task[] }>("/v1/jobs?kind=contacts.erase")).body;
    expect(items).toMatchObject([{ status: "done", result: { contacts: 1, messages: 1 } }]);
  });

  test("need not wait for its 30 days, and can be canceled and begun again", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app, sarah);
    await app.sandbox.delete(`/v1/contacts/${id}`);
    await app.services.loop.stop();
    const { body } = await app.sandbox.delete<Task>(`/v1/contacts/${id}?erase=true`);
    expect((await app.sandbox.post(`/v1/jobs/${body.id}/cancel`)).status).toBe(200);
    await app.sandbox.delete(`/v1/contacts/${id}?erase=true`);
    await app.sandbox.delete(`/v1/contacts/${id}?erase=true`);
    await app.services.loop.start();
    await app.settled();
    expect(await traces(app)).toEqual([]);
    expect((await app.sandbox.delete(`/v1/contacts/${id}?erase=true`)).status).toBe(404);
  });

  test("makes bots forget the chat that they have had", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const { account, bot } = await town.connect();
    const chat = telegram.addPrivateChat(bot);
    const { body } = await app.live.post<{ id: string }>("/v1/contacts", { telegram_id: chat.id, name: "Markname" });
    await app.live.post("/v1/messages/send", { account_id: account.id, to: body.id, text: "Hello {name}, mark-text" });
    await app.settled();
    const chats = () => app.db.read.selectFrom("chats").selectAll().execute();
    expect(await chats()).toHaveLength(1);
    await app.live.delete(`/v1/contacts/${body.id}?erase=true`);
    await app.settled();
    expect([await chats(), await traces(app)]).toEqual([[], []]);
  });
});
