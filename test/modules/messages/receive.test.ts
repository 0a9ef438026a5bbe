import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { arriving, receiveFrom } from "#test/support/receiving.ts";
import { cancel, queue, read } from "#test/support/sending.ts";

const DAY_MS = 86_400_000;
const contactsOf = async ({ sandbox }: TestApp, query = "") =>
  (await sandbox.get<Page<Contact>>(`/v1/contacts?sort=created_at${query}`)).body.items;
const eventsOf = async ({ sandbox }: TestApp) => (await sandbox.get<{ items: Event[] }>("/v1/events?limit=200")).body.items;
const typesOf = async (app: TestApp) => (await eventsOf(app)).map(({ event }) => event);
const contactOf = async ({ sandbox }: TestApp, id: string | null) =>
  (await sandbox.get<Contact & { score: { total: number } }>(`/v1/contacts/${id}`)).body;

describe.each(appEngines)("a message that is received on %s", (engine) => {
  test("is kept with its sender, belongs to a contact who was seen then, and is an event", async () => {
    await using app = await setup({ engine });
    const { status, body } = await receiveFrom(app.sandbox);
    const at = toTime(app.clock.now());
    const sender = { telegram_id: expect.any(Number) as number, username: "sarah_miller", first_name: "Sarah", last_name: "Miller" };
    const expected = { channel: "sandbox", account_id: 7421, direction: "in", to: "@posthouse_sandbox", sender, text: "Hello" };
    expect([status, body]).toMatchObject([
      201,
      { ...expected, thread_id: expect.stringMatching(/^th_/) as string, status: "received", created_at: at, sent_at: at, eta: null },
    ]);
    expect(await read(app.sandbox, body.id)).toEqual(body);
    expect(await contactOf(app, body.contact_id)).toMatchObject({ ...body.sender, name: "Sarah Miller", last_seen_at: at });
    const events = await eventsOf(app);
    expect(events.map(({ event, actor }) => [event, actor])).toEqual([
      ["contact.created", "contact"],
      ["message.received", "contact"],
    ]);
    expect(events[0]!.data).toMatchObject({ last_seen_at: at });
    expect(events[1]).toMatchObject({
      ...{ subject: body.id, account_id: 7421, contact: "@sarah_miller", text: "Hello", thread_id: body.thread_id },
      data: { ...body, thread: { id: body.thread_id, topic_id: null, title: "Sarah Miller" } },
    });
  });

  test("lands once however often it is told, also at once and by an idempotency key", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(Array.from({ length: 6 }, () => receiveFrom(app.sandbox, { message_id: 5 })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await receiveFrom(app.sandbox, { message_id: 5, text: "Other" })).body).toEqual(answers[0]!.body);
    const keyed = [1, 2].map(() => receiveFrom(app.sandbox, { text: "Again" }, { "idempotency-key": "one" }));
    const [first, second] = await Promise.all(keyed);
    expect(second!.body).toEqual(first!.body);
    expect(await typesOf(app)).toEqual(["contact.created", "message.received", "message.received"]);
    expect((await receiveFrom(app.sandbox, { from: 42, message_id: 5 })).status).toBe(201);
    expect((await app.sandbox.get<Page<Message>>("/v1/messages")).body.total).toBe(3);
  });

  test("of a new person makes one contact, however many come at once", async () => {
    await using app = await setup({ engine });
    const asks = Array.from({ length: 8 }, (_, at) => ({ message_id: at + 1, text: `Hello ${at}` }));
    const answers = await Promise.all(asks.map((ask) => receiveFrom(app.sandbox, ask)));
    expect(answers.map(({ status }) => status)).toEqual(asks.map(() => 201));
    expect(new Set(answers.map(({ body }) => body.contact_id)).size).toBe(1);
    expect(await contactsOf(app)).toHaveLength(1);
  });

  test("changes a contact who is known only where something is new, and tells of that alone", async () => {
    await using app = await setup({ engine });
    const { body: made } = await app.sandbox.post<Contact>("/v1/contacts", { username: "sarah_miller", name: "Sally M" });
    app.clock.advance(DAY_MS);
    const { body } = await receiveFrom(app.sandbox);
    expect(body.contact_id).toBe(made.id);
    const after = await contactOf(app, made.id);
    expect(after).toMatchObject({ telegram_id: body.sender!.telegram_id, name: "Sally M", first_name: "Sally" });
    expect(await typesOf(app)).toEqual(["contact.created", "contact.updated", "message.received"]);
    app.clock.advance(DAY_MS);
    await receiveFrom(app.sandbox);
    expect((await typesOf(app)).slice(3)).toEqual(["message.received"]);
    expect(await contactOf(app, made.id)).toEqual({ ...after, last_seen_at: toTime(app.clock.now()) });
  });

  test("is the contact's with the id, and a username that another has leaves that one", async () => {
    await using app = await setup({ engine });
    const { sandbox, services } = app;
    const make = async (ask: object) => (await sandbox.post<Contact>("/v1/contacts", ask)).body.id;
    const old = await make({ telegram_id: 100, username: "old_name" });
    const former = await make({ telegram_id: 200, username: "new_name" });
    const nameless = await make({ username: "third_name", email: "third@example.com" });
    const account = { env_id: sandbox.env_id, id: 7421, kind: "sandbox", username: null };
    const tell = (
      telegram_id: number,
      username: string | null,
      sent_at = app.clock.now(),
      remote_id = `${telegram_id} ${username} ${sent_at}`,
    ) =>
      app.db.write((tx) =>
        services.happened(tx, account, [
          arriving({ remote_id, at: sent_at, text: "Hi", sender: { telegram_id, username, first_name: "Ann", last_name: null } }),
        ]),
      ) as unknown as Promise<[{ message: Message }]>;
    const [{ message }] = await tell(100, "New_Name");
    expect([message.contact_id, message.to]).toEqual([old, "7421"]);
    expect(await contactOf(app, old)).toMatchObject({ telegram_id: 100, username: "new_name", first_name: "Ann" });
    expect(await contactOf(app, former)).toMatchObject({ telegram_id: 200, username: null, last_seen_at: null });
    expect((await tell(100, "third_name"))[0].message.contact_id).toBe(old);
    expect(await contactOf(app, nameless)).toMatchObject({ username: null, telegram_id: null, email: "third@example.com" });
    const [{ message: strange }] = await tell(300, "third_name");
    expect([old, former, nameless]).not.toContain(strange.contact_id!);
    expect((await tell(100, null))[0].message.contact_id).toBe(old);
    expect((await contactOf(app, strange.contact_id)).username).toBe("third_name");
    expect((await tell(400, "x"))[0].message.sender).toMatchObject({ username: "x" });
    // What comes late, or from a clock ahead, moves nothing back or beyond.
    await tell(300, null, app.clock.now() - DAY_MS);
    await tell(300, null, app.clock.now() + DAY_MS);
    expect((await contactOf(app, strange.contact_id)).last_seen_at).toBe(toTime(app.clock.now()));
  });

  test("moves a username to one contact while it is given to another", async () => {
    await using app = await setup({ engine });
    const asks = Array.from({ length: 12 }, (_, at) =>
      at % 3 === 0
        ? app.sandbox.post("/v1/contacts", { username: "sarah_miller", external_id: "one" })
        : at % 3 === 1
          ? receiveFrom(app.sandbox)
          : app.sandbox.post("/v1/contacts", { telegram_id: 77, tags: [`t${at}`] }),
    );
    const statuses = (await Promise.all(asks)).map(({ status }) => status);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
    const named = (await contactsOf(app)).filter(({ username }) => username === "sarah_miller");
    expect(named).toHaveLength(1);
  });

  test("is listed by its direction and its status, and by when its sender was seen", async () => {
    await using app = await setup({ engine });
    const out = await queue(app.sandbox);
    await app.settled();
    const { body: early } = await receiveFrom(app.sandbox);
    app.clock.advance(DAY_MS);
    const since = toTime(app.clock.now());
    const { body: late } = await receiveFrom(app.sandbox, { from: "@john_doe" });
    const ids = async (query: string) => (await app.sandbox.get<Page<Message>>(`/v1/messages${query}`)).body.items.map(({ id }) => id);
    expect(await ids("?direction=in")).toEqual([late.id, early.id]);
    expect(await ids("?direction=out")).toEqual([out]);
    expect(await ids("?status=received&account_id=7421&limit=1&offset=1")).toEqual([early.id]);
    expect((await app.sandbox.get("/v1/messages?direction=up")).status).toBe(422);
    const seen = async (query: string) => (await app.sandbox.get<Page<Contact>>(`/v1/contacts?${query}`)).body.items.map(({ id }) => id);
    expect(await seen("sort=-last_seen_at")).toEqual([late.contact_id!, early.contact_id!]);
    expect(await seen(`seen_after=${since}`)).toEqual([late.contact_id!]);
    const filter = {
      and: [
        { activity: "message_received", within_days: 0.5 },
        { attribute: "last_seen_at", op: "within_days", value: 1 },
      ],
    };
    const preview = await app.sandbox.post("/v1/segments/preview", { filter: { ...filter, and: [{ activity: "message_received" }] } });
    expect(preview.body).toMatchObject({ total: 2 });
    const recent = { filter: { activity: "message_received", within_days: 1, at_least: 1 } };
    expect((await app.sandbox.post("/v1/segments/preview", recent)).body).toMatchObject({ total: 2 });
    app.clock.advance(DAY_MS / 2);
    expect((await app.sandbox.post("/v1/segments/preview", recent)).body).toMatchObject({ total: 1 });
  });

  test("can't be canceled, gives points, and stands in the activity and the export", async () => {
    await using app = await setup({ engine });
    await app.sandbox.post("/v1/scoring/rules", { name: "Writes", points: 7, when: { event: "message.received" } });
    const { body } = await receiveFrom(app.sandbox);
    await receiveFrom(app.sandbox);
    expect((await cancel(app.sandbox, body.id)).status).toBe(409);
    expect((await contactOf(app, body.contact_id)).score.total).toBe(14);
    const { items } = (await app.sandbox.get<{ items: { type: string }[] }>(`/v1/contacts/${body.contact_id}/activity`)).body;
    expect(items.map(({ type }) => type)).toEqual(["message.received", "contact.created", "message.received"]);
    const held = await app.sandbox.get<{ messages: Message[] }>(`/v1/contacts/${body.contact_id}/export`);
    expect(held.body.messages[0]).toEqual(body);
    const reply = await queue(app.sandbox, { to: body.contact_id!, reply_to: body.id });
    await app.settled();
    expect((await read(app.sandbox, reply)).status).toBe("sent");
  });

  test("moves with a contact that is merged, and the next one is the survivor's", async () => {
    await using app = await setup({ engine });
    const { body } = await receiveFrom(app.sandbox);
    const { body: survivor } = await app.sandbox.post<Contact>("/v1/contacts", { email: "sarah@example.com" });
    await app.sandbox.post(`/v1/contacts/${survivor.id}/merge`, { contact_id: body.contact_id });
    await app.settled();
    expect((await read(app.sandbox, body.id)).contact_id).toBe(survivor.id);
    expect((await receiveFrom(app.sandbox)).body.contact_id).toBe(survivor.id);
  });
});

describe.each(appEngines)("the sandbox's inbound on %s", (engine) => {
  test("plays the same person each time, and who a contact says they are", async () => {
    await using app = await setup({ engine });
    const { body: sarah } = await receiveFrom(app.sandbox, { from: "Sarah_Miller" });
    const { body: again } = await receiveFrom(app.sandbox, { from: sarah.sender!.telegram_id });
    expect(again).toMatchObject({ contact_id: sarah.contact_id, sender: sarah.sender });
    const { body: john } = await app.sandbox.post<Contact>("/v1/contacts", { username: "john_doe", telegram_id: 55 });
    expect((await receiveFrom(app.sandbox, { from: "@john_doe" })).body).toMatchObject({
      contact_id: john.id,
      sender: { telegram_id: 55 },
    });
    const { body: nobody } = await receiveFrom(app.sandbox, { from: 99 });
    expect(nobody.sender).toEqual({ telegram_id: 99, username: null, first_name: null, last_name: null });
    expect((await eventsOf(app)).at(-1)).toMatchObject({ contact: "99" });
  });

  test("is for test environments, accounts that the key may use, and people", async () => {
    await using app = await setup({ engine });
    expect((await receiveFrom(app.live)).status).toBe(409);
    expect((await receiveFrom(app.sandbox, { account_id: 1 })).status).toBe(404);
    const bound = await app.makeKey(app.sandbox, { account_ids: [1] });
    expect((await receiveFrom(bound)).status).toBe(404);
    const reader = await app.makeKey(app.sandbox, { scopes: ["read:messages"] });
    expect((await receiveFrom(reader)).status).toBe(403);
    for (const from of ["+447700900123", "-100200300", "no body", "9999999999999999"])
      expect([from, (await receiveFrom(app.sandbox, { from })).status]).toEqual([from, 422]);
    for (const ask of [{ from: -5 }, { text: "" }, { message_id: 0 }, { sender: {} }, { text: "x".repeat(4_097) }])
      expect([ask, (await receiveFrom(app.sandbox, ask)).status]).toEqual([ask, 422]);
    expect(await contactsOf(app)).toEqual([]);
  });
});
