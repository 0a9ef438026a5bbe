import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { Merge, MergeAnswer, UndoAnswer } from "#src/modules/merges/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { queue, read } from "#test/support/sending.ts";

const DAY_MS = 86_400_000;

const make = async (caller: Caller, ask: object) => (await caller.post<Contact>("/v1/contacts", ask)).body;
const get = async (caller: Caller, ref: string | number) => (await caller.get<Contact>(`/v1/contacts/${ref}`)).body;
const merge = (caller: Caller, ref: string | number, contact_id: string | number, more: object = {}, headers = {}) =>
  caller.post<MergeAnswer>(`/v1/contacts/${ref}/merge`, { contact_id, ...more }, headers);
const undo = (caller: Caller, id: string, headers = {}) => caller.post<UndoAnswer>(`/v1/merges/${id}/undo`, undefined, headers);
const eventsOf = async (caller: Caller, type: string) =>
  (await caller.get<{ items: Event[] }>("/v1/events?limit=200")).body.items.filter(({ event }) => event === type);
const idsOf = async (caller: Caller, query: string) =>
  (await caller.get<Page<Contact>>(`/v1/contacts?${query}`)).body.items.map(({ id }) => id);

describe.each(appEngines)("merging contacts on %s", (engine) => {
  test("gives who stays what it lacks, and takes who goes out of every list", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    for (const key of ["plan", "city"]) await sandbox.post("/v1/fields", { key, type: "text" });
    const sarah = await make(sandbox, {
      ...{ username: "sarah", name: "Sarah Miller", tags: ["trial", "vip"], fields: { plan: "starter" }, metadata: { a: "1", b: "1" } },
      consent: { status: "granted", at: "2026-01-01T00:00:00Z" },
    });
    const twin = await make(sandbox, {
      ...{ username: "sarah_two", email: "sarah@example.com", phone: "+447700900123", name: "S. Miller", language: "en" },
      ...{ tags: ["vip", "webinar"], fields: { plan: "pro", city: "Leeds" }, metadata: { b: "2", c: "2" } },
      consent: { status: "withdrawn", at: "2026-02-01T00:00:00Z" },
    });
    const { status, body } = await merge(sandbox, sarah.number, twin.number);
    expect([status, body]).toMatchObject([200, { id: expect.stringMatching(/^mrg_/), merged: { id: twin.id, number: twin.number } }]);
    expect(body.contact).toMatchObject({
      ...{ id: sarah.id, username: "sarah", email: "sarah@example.com", phone: "+447700900123", name: "Sarah Miller", language: "en" },
      ...{ tags: ["trial", "vip", "webinar"], fields: { plan: "starter", city: "Leeds" }, metadata: { a: "1", b: "1", c: "2" } },
      ...{ consent: { status: "withdrawn" }, created_at: sarah.created_at },
    });
    expect(body.undo_until).toBe(new Date(app.clock.now() + 30 * DAY_MS).toISOString());
    for (const query of ["", "search=miller", "tag=webinar", "tag=vip", "field=city:leeds", "search=sarah@example"])
      expect([query, await idsOf(sandbox, query)]).toEqual([query, [sarah.id]]);
    expect(await idsOf(sandbox, "field=plan:pro")).toEqual([]);
    expect(await idsOf(sandbox, "search=sarah_two")).toEqual([]);
    expect((await sandbox.get<Page<Contact>>("/v1/contacts")).body.total).toBe(1);
    expect(await make(sandbox, { phone: "+447700900123", timezone: "Europe/London" })).toMatchObject({ id: sarah.id, created: false });
    const [event] = await eventsOf(sandbox, "contact.merged");
    expect(event).toMatchObject({
      subject: sarah.id,
      data: { id: sarah.id, email: "sarah@example.com", merged_id: twin.id, merge_id: body.id },
    });
    expect(await eventsOf(sandbox, "contact.deleted")).toEqual([]);
    const { items } = (await sandbox.get<Page<object>>("/v1/audit?operation=contacts.merge")).body;
    expect(items).toMatchObject([
      { subject: twin.id, before: { username: "sarah_two" }, after: null },
      { subject: sarah.id, before: { email: null }, after: { email: "sarah@example.com" } },
    ]);
  });

  test("believes who goes in what is preferred", async () => {
    await using app = await setup({ engine });
    const one = await make(app.sandbox, { username: "one", name: "One Person", metadata: { a: "1" }, timezone: "Europe/London" });
    const two = await make(app.sandbox, { username: "two", name: "Two People", metadata: { a: "2" } });
    const prefer = ["username", "name", "metadata", "timezone"];
    const { contact } = (await merge(app.sandbox, one.id, two.id, { prefer })).body;
    expect(contact).toMatchObject({
      ...{ id: one.id, username: "two", name: "Two People", first_name: "Two", last_name: "People" },
      ...{ metadata: { a: "2" }, timezone: "Europe/London" },
    });
    expect((await make(app.sandbox, { username: "one" })).id).not.toBe(one.id);
  });

  test("lets the id and the number of who went mean who stayed, by way of several too", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [a, b, c] = [
      await make(sandbox, { username: "aaa" }),
      await make(sandbox, { email: "b@b.example" }),
      await make(sandbox, { name: "C" }),
    ];
    const first = (await merge(sandbox, b.id, c.id)).body;
    const second = (await merge(sandbox, a.id, b.id)).body;
    for (const ref of [b.id, b.number, c.id, c.number]) expect((await get(sandbox, ref)).id).toBe(a.id);
    expect((await sandbox.patch<Contact>(`/v1/contacts/${c.number}`, { language: "en" })).body).toMatchObject({ id: a.id, language: "en" });
    const sent = await queue(sandbox, { to: c.id, text: "Hello {name}" });
    await app.settled();
    expect(await read(sandbox, sent)).toMatchObject({ to: "@aaa", contact_id: a.id, text: "Hello C" });
    expect((await sandbox.get<Page<object>>(`/v1/contacts/${b.id}/activity`)).body.items.length).toBeGreaterThan(3);
    for (const suffix of ["", "?erase=true"]) {
      const refused = await sandbox.delete<{ contact_ids: string[] }>(`/v1/contacts/${c.id}${suffix}`);
      expect([refused.status, refused.body.contact_ids]).toEqual([409, [a.id]]);
    }
    expect((await undo(sandbox, first.id)).status).toBe(409);
    expect((await undo(sandbox, second.id)).status).toBe(200);
    expect((await get(sandbox, c.id)).id).toBe(b.id);
    expect((await undo(sandbox, first.id)).body).toMatchObject({ contact: { id: b.id, name: null }, merged: { id: c.id, name: "C" } });
    for (const { id, number } of [a, b, c]) expect((await get(sandbox, number)).id).toBe(id);
  });

  test("refuses what can't be one", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [a, b, gone] = [await make(sandbox, { name: "A" }), await make(sandbox, { name: "B" }), await make(sandbox, { name: "C" })];
    await sandbox.delete(`/v1/contacts/${gone.id}`);
    const foreign = await make(app.live, { name: "D" });
    const etag = (await sandbox.get(`/v1/contacts/${a.id}`)).headers.get("etag")!;
    app.clock.advance(1_000);
    await sandbox.patch(`/v1/contacts/${a.id}`, { name: "Changed" });
    expect((await merge(sandbox, a.id, b.id, {}, { "if-match": etag })).status).toBe(412);
    expect((await merge(sandbox, a.id, a.number)).status).toBe(422);
    expect((await merge(sandbox, a.id, gone.id)).status).toBe(404);
    expect((await merge(sandbox, gone.id, a.id)).status).toBe(404);
    expect((await merge(sandbox, a.id, foreign.id)).status).toBe(404);
    expect((await merge(sandbox, foreign.id, a.id)).status).toBe(404);
    expect((await merge(sandbox, a.id, b.id, { prefer: ["tags"] })).status).toBe(422);
    expect((await merge(sandbox, a.id, b.id)).status).toBe(200);
    const again = await merge(sandbox, a.id, b.id);
    expect([again.status, again.body]).toMatchObject([409, { contact_ids: [a.id] }]);
    expect((await merge(sandbox, b.id, a.id)).status).toBe(422);
  });

  test("refuses more tags and metadata than a contact can have, and leaves both as they were", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const many = (mark: string, count: number) => Array.from({ length: count }, (_, at) => `${mark}${at}`);
    const tagged = async (mark: string) => {
      const { id } = await make(sandbox, { username: mark, tags: many(mark, 100) });
      await sandbox.patch(`/v1/contacts/${id}`, { tags: many(`${mark}-`, 20), tags_mode: "add" });
      return get(sandbox, id);
    };
    const noting = (mark: string) => make(sandbox, { name: mark, metadata: Object.fromEntries(many(mark, 30).map((key) => [key, "1"])) });
    const pairs = [
      [await tagged("aaa"), await tagged("bbb")],
      [await noting("c"), await noting("d")],
    ] as const;
    for (const [stays, goes] of pairs) {
      expect((await merge(sandbox, stays.id, goes.id)).status).toBe(409);
      expect([(await get(sandbox, stays.id)).tags.length, (await get(sandbox, goes.id)).id]).toEqual([stays.tags.length, goes.id]);
    }
  });

  test("is listed and read, and undone by who has its newest state in mind, once", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [a, b, c] = [await make(sandbox, { name: "A" }), await make(sandbox, { name: "B" }), await make(sandbox, { name: "C" })];
    const one = (await merge(sandbox, a.id, b.id)).body;
    const two = (await merge(sandbox, a.id, c.id)).body;
    const list = async (query: string) => (await sandbox.get<Page<Merge>>(`/v1/merges${query}`)).body.items.map(({ id }) => id);
    expect([await list(""), await list(`?contact_id=${b.id}`), await list(`?contact_id=${a.id}`)]).toEqual([
      [two.id, one.id],
      [one.id],
      [two.id, one.id],
    ]);
    expect((await undo(sandbox, one.id)).status).toBe(409);
    const read = await sandbox.get<Merge>(`/v1/merges/${two.id}`);
    expect(read.body).toMatchObject({
      contact_id: a.id,
      merged: { id: c.id, number: c.number },
      undone_at: null,
      undo_until: two.undo_until,
    });
    expect((await undo(sandbox, two.id, { "if-match": '"other"' })).status).toBe(412);
    const etag = read.headers.get("etag")!;
    expect((await undo(sandbox, two.id, { "if-match": etag })).status).toBe(200);
    expect((await undo(sandbox, two.id, { "if-match": etag })).status).toBe(412);
    expect((await undo(sandbox, two.id)).status).toBe(409);
    expect((await sandbox.get<Merge>(`/v1/merges/${two.id}`)).body.undone_at).toBe(new Date(app.clock.now()).toISOString());
    expect((await app.live.get(`/v1/merges/${two.id}`)).status).toBe(404);
    const events = await eventsOf(sandbox, "contact.unmerged");
    expect(events.map(({ subject }) => subject)).toEqual([a.id, c.id]);
    expect(events[1]!.data).toMatchObject({ id: c.id, name: "C", merge_id: two.id });
  });

  test("can't be undone after 30 days, nor while another has the identity that would go back", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [a, b] = [await make(sandbox, { username: "aaa" }), await make(sandbox, { username: "bbb", email: "b@b.example" })];
    const { id } = (await merge(sandbox, a.id, b.id)).body;
    const third = await make(sandbox, { username: "bbb" });
    const refused = await undo(sandbox, id);
    expect([refused.status, refused.body]).toMatchObject([409, { contact_ids: [third.id] }]);
    await sandbox.patch(`/v1/contacts/${third.id}`, { username: null });
    await sandbox.patch(`/v1/contacts/${a.id}`, { username: "bbb", email: "new@a.example" });
    expect((await undo(sandbox, id)).body).toMatchObject({
      contact: { id: a.id, username: "aaa", email: "new@a.example" },
      merged: { id: b.id, username: "bbb", email: "b@b.example" },
    });
    const late = (await merge(sandbox, a.id, b.id)).body;
    app.clock.advance(30 * DAY_MS);
    expect((await undo(sandbox, late.id)).status).toBe(409);
    await sandbox.delete(`/v1/contacts/${a.id}`);
    expect((await undo(sandbox, late.id)).status).toBe(409);
    expect((await sandbox.get(`/v1/contacts/${b.id}`)).status).toBe(404);
  });

  test("moves messages, those that wait too, and an undo moves them back", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [a, b] = [await make(sandbox, { username: "aaa", name: "A" }), await make(sandbox, { username: "bbb", name: "B" })];
    const own = await queue(sandbox, { to: a.id });
    const moved: string[] = [];
    for (let at = 0; at < 130; at++) moved.push(await queue(sandbox, { to: b.id }));
    await app.settled();
    moved.push(await queue(sandbox, { to: b.id, schedule_at: "2999-01-01T00:00:00Z" }));
    const whose = async () => {
      const rows = await app.db.read.selectFrom("messages").select(["id", "contact_id"]).orderBy("id").execute();
      return Object.groupBy(rows, ({ contact_id }) => contact_id!);
    };
    const { id } = (await merge(sandbox, a.id, b.id)).body;
    await app.settled();
    expect((await whose())[b.id]).toBeUndefined();
    expect((await whose())[a.id]).toHaveLength(132);
    const since = await queue(sandbox, { to: b.id });
    const activity = async (ref: string) =>
      (await sandbox.get<Page<{ id: string; type: string }>>(`/v1/contacts/${ref}/activity?limit=200`)).body.items;
    expect(await activity(a.id)).toHaveLength(133 + 3);
    expect((await activity(a.id)).filter(({ type }) => type === "contact.created")).toHaveLength(2);
    await undo(sandbox, id);
    await app.settled();
    expect((await whose())[b.id]!.map((row) => row.id)).toEqual(moved);
    expect((await whose())[a.id]!.map((row) => row.id)).toEqual([own, since]);
    expect(await app.db.read.selectFrom("merge_messages").selectAll().execute()).toEqual([]);
    expect((await app.db.read.selectFrom("merges").select("moving").execute())[0]!.moving).toBe(0);
  });

  test("hands out all that is held on both", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [a, b] = [await make(sandbox, { username: "aaa" }), await make(sandbox, { username: "bbb" })];
    const early = await queue(sandbox, { to: b.id });
    await sandbox.post("/v1/suppressions", { to: "@bbb" });
    await merge(sandbox, a.id, b.id);
    type Held = { contact: Contact; merged: Contact[]; messages: { id: string }[]; events: { subject: string }[]; suppressions: object[] };
    const held = (await sandbox.get<Held>(`/v1/contacts/${b.id}/export`)).body;
    expect(held).toMatchObject({ contact: { id: a.id }, merged: [{ id: b.id, username: "bbb" }], suppressions: [{ to: "@bbb" }] });
    expect(held.messages.map(({ id }) => id)).toEqual([early]);
    expect(new Set(held.events.map(({ subject }) => subject))).toEqual(new Set([a.id, b.id]));
  });
});
