import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import type { Message, Sent } from "#src/modules/messages/model.ts";
import type { Thread, ThreadNote } from "#src/modules/threads/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { arriving, receiveFrom } from "#test/support/receiving.ts";
import { eventsOf } from "#test/support/scoring.ts";
import { cancel, queue, read } from "#test/support/sending.ts";

const list = async ({ sandbox }: Pick<TestApp, "sandbox">, query = "") =>
  (await sandbox.get<Page<Thread>>(`/v1/threads${query}`)).body.items;
const hearing = ({ sandbox }: TestApp) => ({ env_id: sandbox.env_id, id: 7421, kind: "sandbox", username: null });

describe.each(appEngines)("the inbox on %s", (engine) => {
  test("has one thread of what was sent and received, with its last message and what is unread", async () => {
    await using app = await setup({ engine });
    const sent = await queue(app.sandbox);
    await app.settled();
    const [thread] = await list(app);
    expect(thread).toMatchObject({ type: "private", username: "sarah_miller", unread: 0, archived: false, last_message: { id: sent } });
    expect((await read(app.sandbox, sent)).thread_id).toBe(thread!.id);
    app.clock.advance(1000);
    const { body } = await receiveFrom(app.sandbox, { text: "x".repeat(300) });
    const after = await list(app);
    const last_message = { id: body.id, direction: "in", text: "x".repeat(200), status: "received" };
    expect(after).toMatchObject([{ id: thread!.id, title: "Sarah Miller", unread: 1, contact_id: body.contact_id, last_message }]);
    expect(body.thread_id).toBe(thread!.id);
    const { body: page } = await app.sandbox.get<Page<Message>>(`/v1/threads/${thread!.id}/messages?limit=1`);
    expect([page.items.map(({ id }) => id), page.total]).toEqual([[body.id], 2]);
    const next = await app.sandbox.get<Page<Message>>(`/v1/threads/${thread!.id}/messages?limit=1&cursor=${page.next_cursor}`);
    expect(next.body.items.map(({ id }) => id)).toEqual([sent]);
    const told = (await eventsOf(app.sandbox)).filter(({ subject }) => subject === sent);
    expect(told.map(({ event, data }) => [event, (data as { thread: object | null }).thread])).toEqual([
      ["message.queued", null],
      ["message.sent", { id: thread!.id, topic_id: null, title: null }],
    ]);
  });

  test("is listed by newest activity, page by page, and narrowed", async () => {
    await using app = await setup({ engine });
    for (const from of ["@ann", "@bob", "@cay"]) {
      app.clock.advance(1000);
      await receiveFrom(app.sandbox, { from });
    }
    app.clock.advance(1000);
    await queue(app.sandbox, { to: "@ann" });
    await app.settled();
    expect((await list(app)).map(({ username }) => username)).toEqual(["ann", "cay", "bob"]);
    const { body: first } = await app.sandbox.get<Page<Thread>>("/v1/threads?limit=2");
    expect(first).toMatchObject({ has_more: true, total: 3 });
    expect((await list(app, `?limit=2&cursor=${first.next_cursor}`)).map(({ username }) => username)).toEqual(["bob"]);
    const [ann] = first.items;
    expect((await app.sandbox.post<Thread>(`/v1/threads/${ann!.id}/read`)).body.unread).toBe(0);
    expect((await list(app, "?unread=true")).map(({ username }) => username)).toEqual(["cay", "bob"]);
    expect(await list(app, `?contact_id=${ann!.contact_id}&account_id=7421&type=private`)).toMatchObject([{ id: ann!.id }]);
    expect((await app.sandbox.patch<Thread>(`/v1/threads/${ann!.id}`, { archived: true })).body.archived).toBe(true);
    expect((await list(app)).map(({ username }) => username)).toEqual(["cay", "bob"]);
    expect(await list(app, "?archived=true")).toMatchObject([{ id: ann!.id }]);
    await receiveFrom(app.sandbox, { from: "@ann" });
    expect(await list(app)).toMatchObject([{ id: ann!.id, archived: false, unread: 1 }, {}, {}]);
    expect((await app.sandbox.get("/v1/threads?cursor=eA")).status).toBe(422);
  });

  test("takes an answer into its chat and topic, which is listed while it is queued", async () => {
    await using app = await setup({ engine });
    const chat = { id: "-100", type: "supergroup", title: "Crew", username: null, first_name: null, last_name: null } as const;
    await app.db.write((tx) =>
      app.services.happened(tx, hearing(app), [arriving({ chat, topic: { id: "3", title: "Ideas" } }), arriving({ chat, remote_id: "2" })]),
    );
    const thread = (await list(app)).find(({ topic_id }) => topic_id === "3")!;
    const { body, status } = await app.sandbox.post<Sent>(`/v1/threads/${thread.id}/messages`, {
      text: "Fine",
      schedule_at: "2999-01-01T00:00:00Z",
    });
    expect(status).toBe(200);
    expect(await read(app.sandbox, body.id)).toMatchObject({ to: "-100", thread_id: thread.id, status: "queued" });
    const { items } = (await app.sandbox.get<Page<Message>>(`/v1/threads/${thread.id}/messages`)).body;
    expect(items.map(({ status: one }) => one)).toEqual(["queued", "received"]);
    expect((await app.sandbox.get<Thread>(`/v1/threads/${thread.id}`)).body.unread).toBe(0);
    await cancel(app.sandbox, body.id);
    const { body: now } = await app.sandbox.post<Sent>(`/v1/threads/${thread.id}/messages`, { text: "Now" });
    await app.settled();
    expect(await read(app.sandbox, now.id)).toMatchObject({ status: "sent", thread_id: thread.id });
    const threads = (await eventsOf(app.sandbox)).filter(({ subject }) => subject === body.id || subject === now.id);
    const brief = { id: thread.id, topic_id: "3", title: "Ideas" };
    expect(threads.map(({ data }) => (data as { thread: object | null }).thread)).toEqual(threads.map(() => brief));
    expect(threads).toHaveLength(4);
    expect((await app.sandbox.post(`/v1/threads/${thread.id}/messages`, { text: "x", to: "@ann" })).status).toBe(422);
  });

  test("has notes for colleagues, and heeds what a client has read", async () => {
    await using app = await setup({ engine });
    const { body } = await receiveFrom(app.sandbox);
    const path = `/v1/threads/${body.thread_id}`;
    const { body: note } = await app.sandbox.post<ThreadNote>(`${path}/notes`, { text: "Wants an invoice" });
    await app.sandbox.post(`${path}/notes`, { text: "Paid" });
    const notes = async () => (await app.sandbox.get<Page<ThreadNote>>(`${path}/notes`)).body.items.map(({ text }) => text);
    expect(await notes()).toEqual(["Paid", "Wants an invoice"]);
    expect((await app.sandbox.delete(`${path}/notes/${note.id}`)).status).toBe(204);
    expect((await app.sandbox.delete(`${path}/notes/${note.id}`)).status).toBe(404);
    expect(await notes()).toEqual(["Paid"]);
    const etag = (await app.sandbox.get(path)).headers.get("etag")!;
    await receiveFrom(app.sandbox);
    expect((await app.sandbox.patch(path, { archived: true }, { "if-match": etag })).status).toBe(412);
  });

  test("takes no answer to somebody who was erased", async () => {
    await using app = await setup({ engine });
    const { body } = await receiveFrom(app.sandbox);
    await app.sandbox.delete(`/v1/contacts/${body.contact_id}?erase=true`);
    await app.settled();
    expect(await list(app)).toMatchObject([{ title: null, username: null, contact_id: null, last_message: { text: "" } }]);
    expect((await app.sandbox.post(`/v1/threads/${body.thread_id}/messages`, { text: "x" })).status).toBe(409);
  });

  test("is closed to keys of other accounts and environments", async () => {
    await using app = await setup({ engine });
    const { body } = await receiveFrom(app.sandbox);
    const path = `/v1/threads/${body.thread_id}`;
    const bound = await app.makeKey(app.sandbox, { account_ids: [1] });
    for (const other of [bound, app.live]) {
      expect((await other.get<Page<Thread>>("/v1/threads")).body.items).toEqual([]);
      const answers = [other.get(path), other.get(`${path}/messages`), other.get(`${path}/notes`), other.patch(path, { archived: true })];
      const writes = [
        other.post(`${path}/read`),
        other.post(`${path}/messages`, { text: "x" }),
        other.post(`${path}/notes`, { text: "x" }),
      ];
      expect((await Promise.all([...answers, ...writes])).map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404, 404]);
    }
    expect((await app.sandbox.get<Thread>(path)).body.unread).toBe(1);
  });

  test("knows who has read what was sent, and which chat is blocked", async () => {
    await using app = await setup({ engine });
    const { chat, sender, ...told } = arriving({ at: app.clock.now() });
    const tell = (item: Partial<Inbound>) =>
      app.db.write((tx) => app.services.happened(tx, hearing(app), [{ ...told, chat, sender, ...item } as Inbound]));
    await tell({});
    const ids = [await queue(app.sandbox, { to: 8 }), await queue(app.sandbox, { to: 8 }), await queue(app.sandbox, { to: 8 })];
    await app.settled();
    const { remote_id: sent } = await app.db.read
      .selectFrom("messages")
      .select("remote_id")
      .where("id", "=", ids[1]!)
      .executeTakeFirstOrThrow();
    await tell({ kind: "read", up_to: sent! });
    await tell({ kind: "read", up_to: sent! });
    expect(await Promise.all(ids.map(async (id) => (await read(app.sandbox, id)).status))).toEqual(["read", "read", "sent"]);
    const events = (await eventsOf(app.sandbox)).filter(({ event }) => event === "message.read");
    expect(events.map(({ subject }) => subject).toSorted()).toEqual(ids.slice(0, 2).toSorted());
    await tell({ kind: "pressed", remote_id: sent, data: "yes" });
    await tell({ kind: "reacted", remote_id: sent!, reactions: ["👍"] });
    const pressed = (await eventsOf(app.sandbox)).find(({ event }) => event === "message.button_pressed")!;
    expect(pressed).toMatchObject({ subject: ids[1], data: { button: { data: "yes" }, thread: { title: "Ann" } } });
    expect((await read(app.sandbox, ids[1]!)).reactions).toEqual(["👍"]);
    const answer = (await tell({ remote_id: "900", reply_to: sent }))[0]!.message;
    expect(answer.reply_to).toBe(ids[1]!);
  });

  test("follows a merge of contacts and its undoing", async () => {
    await using app = await setup({ engine });
    const { body } = await receiveFrom(app.sandbox);
    const { body: survivor } = await app.sandbox.post<{ id: string }>("/v1/contacts", { email: "sarah@example.com" });
    const { body: merge } = await app.sandbox.post<{ id: string }>(`/v1/contacts/${survivor.id}/merge`, { contact_id: body.contact_id });
    await app.settled();
    const owner = async () => (await list(app)).map(({ contact_id }) => contact_id);
    expect(await owner()).toEqual([survivor.id]);
    await app.sandbox.post(`/v1/merges/${merge.id}/undo`);
    await app.settled();
    expect(await owner()).toEqual([body.contact_id]);
  });
});
