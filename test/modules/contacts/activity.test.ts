import { describe, expect, test } from "bun:test";
import type { ActivityPage } from "#src/modules/activity/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { act, draft } from "#test/support/broadcasting.ts";
import { queue } from "#test/support/sending.ts";
import { enroll, makeSequence, sending, waiting } from "#test/support/sequences.ts";

const make = async (caller: Caller, ask: object) => (await caller.post<{ id: string }>("/v1/contacts", ask)).body.id;
const activity = async (caller: Caller, id: string, query = "") =>
  (await caller.get<ActivityPage>(`/v1/contacts/${id}/activity${query}`)).body;

describe.each(appEngines)("what is known of a contact on %s", (engine) => {
  test("is one line of time of their messages and their own events, newest first, in pages", async () => {
    await using app = await setup({ engine });
    const id = await make(app.sandbox, { username: "sarah_miller" });
    const other = await make(app.sandbox, { username: "john_doe" });
    const first = await queue(app.sandbox, { to: id });
    await queue(app.sandbox, { to: other });
    await app.sandbox.patch(`/v1/contacts/${id}`, { tags: ["vip"] });
    const second = await queue(app.sandbox, { to: "@sarah_miller" });
    await app.settled();
    const { items, has_more, next_cursor } = await activity(app.sandbox, id);
    expect(items.map(({ type }) => type)).toEqual(["message.sent", "contact.tagged", "message.sent", "contact.created"]);
    expect(items.map(({ message }) => message?.id)).toEqual([second, undefined, first, undefined]);
    expect(items[1]!.data).toMatchObject({ id, tags_added: ["vip"] });
    expect([has_more, next_cursor]).toEqual([false, null]);
    const page = await activity(app.sandbox, id, "?limit=3");
    expect(page.items).toEqual(items.slice(0, 3));
    expect((await activity(app.sandbox, id, `?limit=3&cursor=${page.next_cursor}`)).items).toEqual(items.slice(3));
    expect((await app.sandbox.get(`/v1/contacts/${other}/activity?cursor=${page.next_cursor}`)).status).toBe(422);
    expect((await app.live.get(`/v1/contacts/${id}/activity`)).status).toBe(404);
  });

  test("is shown without messages to a key that may not read them", async () => {
    await using app = await setup({ engine });
    const id = await make(app.sandbox, { username: "sarah_miller" });
    await queue(app.sandbox, { to: id });
    const reader = await app.makeKey(app.sandbox, { scopes: ["read:contacts"] });
    expect((await activity(reader, id)).items.map(({ type }) => type)).toEqual(["contact.created"]);
    expect((await reader.get(`/v1/contacts/${id}/export`)).body).toMatchObject({
      messages: null,
      threads: null,
      notes: null,
      contact: { id },
    });
  });

  test("is exported with conversations and what was noted there, those of who was merged and of their chats too", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const person = await make(sandbox, { username: "sarah_miller" });
    const twin = await make(sandbox, { username: "twin" });
    for (const to of [person, twin, 123, "@somebody_else"]) await queue(sandbox, { to });
    await app.settled();
    await sandbox.patch(`/v1/contacts/${person}`, { telegram_id: 123 });
    const { items } = (await sandbox.get<{ items: { id: string; username: string | null }[] }>("/v1/threads")).body;
    const own = items.filter(({ username }) => username !== "somebody_else").map(({ id }) => id);
    for (const { id } of items) await sandbox.post(`/v1/threads/${id}/notes`, { text: `of ${id}` });
    await sandbox.post(`/v1/contacts/${person}/merge`, { contact_id: twin });
    await app.settled();
    type Held = { threads: { id: string }[]; notes: { thread_id: string; text: string }[] };
    const { threads, notes } = (await sandbox.get<Held>(`/v1/contacts/${person}/export`)).body;
    expect(own).toHaveLength(3);
    expect(threads.map(({ id }) => id).toSorted()).toEqual(own.toSorted());
    expect(notes.map(({ text }) => text).toSorted()).toEqual(own.map((id) => `of ${id}`).toSorted());
  });

  test("is exported with the sequences and the broadcasts that they are in or were, those of who was merged too", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const person = await make(sandbox, { username: "sarah_miller" });
    const twin = await make(sandbox, { username: "twin" });
    const other = await make(sandbox, { username: "other" });
    const done = await makeSequence(sandbox, { steps: [sending("One")] });
    const open = await makeSequence(sandbox, { steps: [waiting("1d")] });
    const enrollments = [await enroll(sandbox, done, person), await enroll(sandbox, done, twin), await enroll(sandbox, open, person)];
    await enroll(sandbox, open, other);
    const news = await draft(sandbox, { audience: { contact_ids: [person, other] } });
    const more = await draft(sandbox, { name: "More", audience: { contact_ids: [twin] } });
    await draft(sandbox, { name: "Others", audience: { contact_ids: [other] } });
    for (const broadcast of [news, more]) await act(sandbox, broadcast, "send");
    await app.settled();
    await sandbox.post(`/v1/contacts/${person}/merge`, { contact_id: twin });
    await app.settled();
    type Held = { enrollments: { id: string; status: string }[]; broadcasts: { broadcast_id: string; name: string; status: string }[] };
    const held = (await sandbox.get<Held>(`/v1/contacts/${person}/export`)).body;
    expect(held.enrollments.map(({ id }) => id).toSorted()).toEqual(enrollments.toSorted());
    expect(held.enrollments.map(({ status }) => status).toSorted()).toEqual(["active", "completed", "completed"]);
    const told = held.broadcasts.map(({ broadcast_id, name, status }) => [broadcast_id, name, status]);
    expect(told.toSorted()).toEqual(
      [
        [news.id, "News", "sent"],
        [more.id, "More", "sent"],
      ].toSorted(),
    );
    const reader = await app.makeKey(sandbox, { scopes: ["read:contacts"] });
    const manager = await app.makeKey(sandbox, { scopes: ["read:contacts", "manage:sequences"] });
    expect((await reader.get(`/v1/contacts/${person}/export`)).body).toMatchObject({ enrollments: null, broadcasts: null });
    expect((await manager.get<Held>(`/v1/contacts/${person}/export`)).body).toMatchObject({
      broadcasts: null,
      enrollments: held.enrollments,
    });
  });

  test("is exported as one document, until it is erased also when it is deleted", async () => {
    await using app = await setup({ engine });
    const first = await queue(app.sandbox, { to: "@sarah_miller" });
    const id = await make(app.sandbox, { username: "sarah_miller", tags: ["vip"] });
    const ids = [];
    for (let at = 0; at < 205; at++) ids.push(await queue(app.sandbox, { to: id }));
    await app.sandbox.post("/v1/suppressions", { to: "@sarah_miller" });
    const held = async () =>
      (
        await app.sandbox.get<Record<"messages" | "events" | "audit" | "suppressions", Record<string, unknown>[]>>(
          `/v1/contacts/${id}/export`,
        )
      ).body;
    const all = await held();
    expect(all).toMatchObject({ contact: { id, username: "sarah_miller" }, deleted_at: null });
    expect(all.messages.map((message) => message["id"])).toEqual([...ids, first]);
    expect(all.events.map(({ event }) => event)).toEqual(["contact.created", "contact.tagged"]);
    expect(all.suppressions).toMatchObject([{ to: "@sarah_miller" }]);
    await app.sandbox.delete(`/v1/contacts/${id}`);
    const later = await held();
    expect(later["deleted_at" as "events"]).not.toBeNull();
    expect(later.events.at(-1)).toMatchObject({ event: "contact.deleted" });
    expect((await app.live.get(`/v1/contacts/${id}/export`)).status).toBe(404);
  });
});
