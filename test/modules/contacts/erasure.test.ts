import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import type { Inbound } from "#src/modules/connections/model.ts";
import { sweepAt } from "#src/modules/erasure/service.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import { runImport } from "#test/support/importing.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { arriving, receiveFrom } from "#test/support/receiving.ts";
import { queue, read } from "#test/support/sending.ts";
import { attempt, eventsOf, makeWebhook, noteDelivery } from "#test/support/webhooks.ts";

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

/** Something happens in a chat of the sandbox account. */
const hear = (app: TestApp, ...items: Inbound[]) =>
  app.db.write((tx) => app.services.happened(tx, { env_id: app.sandbox.env_id, id: 7421, kind: "sandbox", username: null }, items));

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
  const written = await receiveFrom(sandbox, { from: 7_777_001, text: "mark-text received" }, { "idempotency-key": "received" });
  messages.push(written.body.id);
  messages.push(await queue(sandbox, { to: "@sandbox_blocked", text: "to somebody else" }));
  await app.settled();
  await sandbox.patch(`/v1/messages/${messages[1]}`, { text: "mark-text changed" }, { "idempotency-key": "edit" });
  await app.settled();
  await sandbox.patch(`/v1/messages/${messages[1]}`, { text: "mark-text again" });
  await sandbox.delete(`/v1/messages/${messages[2]}`, { "idempotency-key": "delete" });
  await app.settled();
  const canceled = await queue(sandbox, { to: id, text: "mark-text", schedule_at: "2999-01-01T00:00:00Z" });
  await sandbox.post(`/v1/messages/${canceled}/cancel`, undefined, { "idempotency-key": "three" });
  const waiting = await queue(sandbox, {
    to: id,
    text: "mark-text",
    schedule_at: "2999-01-01T00:00:00Z",
    expires_at: "2999-01-02T00:00:00Z",
  });
  await leaveSequence(app, id);
  await leaveAnswers(app);
  return { id, messages: [...messages, canceled, waiting] };
}

/** A sequence has told of the contact, and still has it. */
async function leaveSequence({ sandbox, settled }: TestApp, contact_id: string): Promise<void> {
  const steps = [{ type: "webhook" }, { type: "wait", for: "30d" }, { type: "exit" }];
  const { body } = await sandbox.post<{ id: string }>("/v1/sequences", { name: "Welcome", steps });
  await sandbox.post(`/v1/sequences/${body.id}/activate`);
  await sandbox.post(`/v1/sequences/${body.id}/enroll`, { contact_id }, { "idempotency-key": "enroll" });
  await settled();
}

/** What a receiver has echoed of the events about the person. */
async function leaveAnswers(app: TestApp): Promise<void> {
  const { id } = await makeWebhook(app.sandbox, { events: ["*"] });
  const response = { headers: { "x-echo": "mark-text" }, body: "you have sent mark@email.example" };
  const attempts = JSON.stringify([
    { ...attempt, response },
    { ...attempt, response: null },
  ]);
  for (const event of await eventsOf(app, app.sandbox))
    if (marks.test(event.data)) await noteDelivery(app, app.sandbox, id, event, { attempts });
}

/** Two contacts of one person, merged, apart, and merged again. */
async function leaveTracesOfTwo(app: TestApp): Promise<{ id: string; other: string; messages: number }> {
  const { sandbox } = app;
  await queue(sandbox, { to: "@mark_username_two", text: "mark-text before" });
  await app.settled();
  app.clock.advance(DAY_MS);
  const { id, messages } = await leaveTraces(app);
  const two = {
    username: "mark_username_two",
    email: "mark-two@email.example",
    name: "Markname Two",
    fields: { nickname: "mark-field-two" },
  };
  const { id: other } = await make(app, { ...two, tags: ["mark-tag-three"], metadata: { more: "mark-metadata" } });
  for (let at = 0; at < 70; at++) await queue(sandbox, { to: other, text: "mark-text", metadata: { a: "mark-metadata" } });
  await app.settled();
  const ask = { contact_id: other, prefer: ["email"] };
  const merged = await sandbox.post<{ id: string }>(`/v1/contacts/${id}/merge`, ask, { "idempotency-key": "merge" });
  await sandbox.post(`/v1/merges/${merged.body.id}/undo`, undefined, { "idempotency-key": "undo" });
  await app.settled();
  expect((await sandbox.post(`/v1/contacts/${id}/merge`, ask, { "idempotency-key": "merge-again" })).status).toBe(200);
  await app.settled();
  await sandbox.patch(`/v1/contacts/${other}`, { metadata: { since: "mark-metadata" } });
  // Without the one to somebody else, and with the one from before.
  return { id, other, messages: messages.length - 1 + 70 + 1 };
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
    const attempts = await app.db.read.selectFrom("deliveries").select("attempts").execute();
    expect(attempts.length).toBeGreaterThan(100);
    expect(JSON.parse(attempts[0]!.attempts)).toEqual([1, 2].map(() => ({ ...attempt, response: null })));
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

  test("takes with it who was merged into the contact, and what their merges keep", async () => {
    await using app = await setup({ engine });
    const { id, other, messages } = await leaveTracesOfTwo(app);
    const { body } = await app.sandbox.delete<Task>(`/v1/contacts/${id}?erase=true`);
    await app.settled();
    expect((await app.sandbox.get<Task>(`/v1/jobs/${body.id}`)).body).toMatchObject({ status: "done", result: { contacts: 2, messages } });
    expect(await traces(app)).toEqual([]);
    for (const table of ["contacts", "merges", "merge_messages"] as const)
      expect([table, await app.db.read.selectFrom(table).selectAll().execute()]).toEqual([table, []]);
    for (const ref of [id, other]) expect((await app.sandbox.get(`/v1/contacts/${ref}`)).status).toBe(404);
    expect((await app.sandbox.delete(`/v1/contacts/${other}?erase=true`)).status).toBe(404);
  });

  test("of who was merged leaves the person whole, 30 days later, and nothing when they are erased in the end", async () => {
    await using app = await setup({ engine });
    const { id, other, messages } = await leaveTracesOfTwo(app);
    const count = async () => (await app.db.read.selectFrom("messages").select("id").where("contact_id", "=", id).execute()).length;
    const before = await count();
    await app.leap(30 * DAY_MS);
    await app.db.write((tx) => app.services.loop.enqueue(tx, sweepAt(app.clock.now())));
    await app.settled();
    expect(await app.db.read.selectFrom("contacts").select("id").execute()).toEqual([{ id }]);
    expect(await app.db.read.selectFrom("merges").select("snapshots").distinct().execute()).toEqual([{ snapshots: null }]);
    expect(await app.db.read.selectFrom("merge_messages").selectAll().execute()).toEqual([]);
    // One that had gone to the other's address before the contact was made is the person's from now on.
    expect(await count()).toBe(before + 1);
    expect((await app.sandbox.get<{ id: string }>(`/v1/contacts/${other}`)).body.id).toBe(id);
    const { body } = await app.sandbox.get<{ items: { type: string; data: { email?: string } | null }[] }>(
      `/v1/contacts/${other}/activity?limit=200`,
    );
    expect(body.items.filter(({ type, data }) => type === "contact.created" && data!.email !== null)).toHaveLength(2);
    const job = await app.sandbox.delete<Task>(`/v1/contacts/${id}?erase=true`);
    await app.settled();
    expect((await app.sandbox.get<Task>(`/v1/jobs/${job.body.id}`)).body).toMatchObject({ status: "done", result: { messages } });
    expect(await traces(app)).toEqual([]);
    expect(await app.db.read.selectFrom("merges").selectAll().execute()).toEqual([]);
    expect((await app.sandbox.get(`/v1/contacts/${other}`)).status).toBe(404);
  });

  test("waits for messages that an undone merge has not handed back", async () => {
    await using app = await setup({ engine });
    const { id, other } = await leaveTracesOfTwo(app);
    await app.services.loop.stop();
    const { items } = (await app.sandbox.get<{ items: { id: string }[] }>("/v1/merges")).body;
    expect((await app.sandbox.post(`/v1/merges/${items[0]!.id}/undo`)).status).toBe(200);
    const ofOther = (await app.db.read.selectFrom("messages").select("id").where("contact_id", "=", other).execute()).length;
    await app.sandbox.delete(`/v1/contacts/${other}?erase=true`);
    await app.services.loop.start();
    await app.settled();
    expect(ofOther).toBe(50);
    const left = await app.db.read.selectFrom("messages").select("recipient").where("contact_id", "=", id).execute();
    expect(left.filter(({ recipient }) => recipient === "@mark_username_two")).toEqual([]);
    await app.sandbox.delete(`/v1/contacts/${id}?erase=true`);
    await app.settled();
    expect([await traces(app), await app.db.read.selectFrom("merges").selectAll().execute()]).toEqual([[], []]);
  });

  test("finds what was told of a message that was changed, before it was read too", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app, { telegram_id: 7_777_001 });
    const message = await queue(app.sandbox, { to: id, text: "mark-text" });
    await app.settled();
    for (const text of ["mark-text two", "mark-text three"]) {
      await app.leap(HOUR_MS);
      await app.sandbox.patch(`/v1/messages/${message}`, { text });
      await app.settled();
    }
    await app.leap(HOUR_MS);
    const { chat, sender } = arriving({ sender: { telegram_id: 7_777_001, username: null, first_name: null, last_name: null } });
    const read_up_to = { kind: "read", chat, sender, topic: null, at: app.clock.now(), update_id: null, up_to: String(10 ** 16) } as const;
    await hear(app, read_up_to);
    expect((await read(app.sandbox, message)).status).toBe("read");
    await app.leap(HOUR_MS);
    await app.sandbox.delete(`/v1/contacts/${id}?erase=true`);
    await app.settled();
    expect(await traces(app)).toEqual([]);
  });

  test("takes the person out of what is told of others' messages in a group", async () => {
    await using app = await setup({ engine });
    const chat = { id: "-100", type: "supergroup", title: "Crew", username: null, first_name: null, last_name: null } as const;
    const sender = { telegram_id: 7_777_001, username: "mark_username", first_name: "Markname", last_name: null };
    const doing = { chat, topic: null, sender, at: app.clock.now(), update_id: null, remote_id: "1" };
    const of = arriving({ chat, remote_id: "1", text: "To all" });
    await hear(app, of, { ...doing, kind: "reacted", reactions: ["👍"] }, { ...doing, kind: "pressed", data: "yes" });
    const found = await app.db.read.selectFrom("contacts").select("id").where("telegram_id", "=", sender.telegram_id).execute();
    await app.sandbox.delete(`/v1/contacts/${found[0]!.id}?erase=true`);
    await app.settled();
    expect(await traces(app)).toEqual([]);
    const told = (await eventsOf(app, app.sandbox)).map(({ data }) => JSON.parse(data) as Record<string, unknown>);
    expect(told.filter((data) => "by" in data)).toMatchObject([
      { by: null, text: "To all", reactions: ["👍"] },
      { by: null, by_contact_id: null, button: { data: "yes" } },
    ]);
  });

  test("of who was merged leaves conversations, and what was noted there, to the person", async () => {
    await using app = await setup({ engine });
    await queue(app.sandbox, { to: 7_777_002 });
    await app.settled();
    const thread = async () => (await app.db.read.selectFrom("threads").selectAll().execute())[0]!;
    await app.sandbox.post(`/v1/threads/${(await thread()).id}/notes`, { text: "Wants an invoice" });
    const [stays, goes] = [await make(app, { username: "stays" }), await make(app, { telegram_id: 7_777_002 })];
    expect((await app.sandbox.post(`/v1/contacts/${stays.id}/merge`, { contact_id: goes.id })).status).toBe(200);
    // So that the address is the one's who went alone.
    await app.sandbox.patch(`/v1/contacts/${stays.id}`, { telegram_id: 7_777_003 });
    await app.leap(30 * DAY_MS);
    await app.db.write((tx) => app.services.loop.enqueue(tx, sweepAt(app.clock.now())));
    await app.settled();
    expect(await app.db.read.selectFrom("contacts").select("id").execute()).toEqual([{ id: stays.id }]);
    expect(await thread()).toMatchObject({ contact_id: stays.id, chat_id: "7777002" });
    expect(await app.db.read.selectFrom("thread_notes").select("text").execute()).toEqual([{ text: "Wants an invoice" }]);
  });

  test("makes bots forget the chat that they have had", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const { account, bot } = await town.connect();
    const chat = telegram.addPrivateChat(bot);
    const person = { telegram_id: chat.id, username: "mark_username", name: "Markname" };
    const { body } = await app.live.post<{ id: string }>("/v1/contacts", person);
    await app.live.post("/v1/messages/preflight", { to: "@mark_username" }, { "idempotency-key": "preflight" });
    expect((await traces(app)).some((row) => row.includes("has not started the bot"))).toBe(true);
    await app.live.post("/v1/messages/send", { account_id: account.id, to: body.id, text: "Hello {name}, mark-text" });
    await app.settled();
    const chats = () => app.db.read.selectFrom("chats").selectAll().execute();
    expect(await chats()).toHaveLength(1);
    await app.live.delete(`/v1/contacts/${body.id}?erase=true`);
    await app.settled();
    expect([await chats(), await traces(app)]).toEqual([[], []]);
  });
});
