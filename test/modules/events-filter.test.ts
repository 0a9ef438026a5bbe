import { describe, expect, test } from "bun:test";
import type { Contact } from "#src/modules/contacts/model.ts";
import { knownEventTypes } from "#src/modules/events/model.ts";
import { payloads } from "#src/modules/events/payloads.ts";
import { isAfterPlace } from "#db/place.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { appendEvents, followEvents, listEvents } from "#test/support/events.ts";
import type { Caller } from "#test/support/client.ts";
import { queue } from "#test/support/sending.ts";

/** More than one answer looks at. */
const MANY = 10_005;

const names = (items: readonly { event: string }[]) => items.map(({ event }) => event);

async function addContact(caller: Caller, contact: Partial<Contact>): Promise<Contact> {
  return (await caller.post<Contact>("/v1/contacts", contact)).body;
}

async function appendMany(app: TestApp, count: number): Promise<void> {
  for (let at = 0; at < count; at += 500)
    await appendEvents(
      app,
      app.sandbox,
      "contact.updated",
      Array.from({ length: Math.min(500, count - at) }, () => "ct_01HKQ9R2X90000000000000000"),
    );
}

describe.each(appEngines)("the filtered event log on %s", (engine) => {
  test("has the events of the names that are asked for", async () => {
    await using app = await setup({ engine });
    await queue(app.sandbox);
    await queue(app.sandbox, { to: "@sandbox_blocked" });
    await app.sandbox.patch("/v1/workspace", { plan: "starter" });
    await app.settled();
    const asked = async (type: string) => names((await listEvents(app.sandbox, `?type=${type}`)).items).toSorted();
    expect(await asked("message.sent")).toEqual(["message.sent"]);
    expect(await asked("message.sent,subscription.upgraded")).toEqual(["message.sent", "subscription.upgraded"]);
    expect(await asked("message.*")).toEqual(["message.failed", "message.queued", "message.queued", "message.sent"]);
    expect(await asked("sequence.started")).toEqual([]);
    const reader = await app.makeKey(app.sandbox, { scopes: ["read:messages"] });
    expect((await listEvents(reader, "?type=subscription.upgraded")).items).toEqual([]);
  });

  test("refuses a name that nobody knows, and lists those that are known", async () => {
    await using app = await setup({ engine });
    for (const type of ["message.snet", "message", "*", "message.sent,", "nothing.*", ".*"]) {
      const { status, body } = await app.sandbox.get<{ detail: string; details: { field: string; error: string }[] }>(
        `/v1/events?type=${type}`,
      );
      expect([type, status, body.details[0]!.field, body.details[0]!.error]).toEqual([type, 422, "type", "not_allowed"]);
      for (const known of knownEventTypes) expect(body.detail).toContain(known);
    }
  });

  test("has the events of one message, job or contact, wherever they stand", async () => {
    await using app = await setup({ engine });
    const first = await queue(app.sandbox);
    const contact = await addContact(app.sandbox, { username: "anna" });
    await app.settled();
    await app.advance(60_000);
    const second = await queue(app.sandbox);
    await app.sandbox.patch(`/v1/contacts/${contact.id}`, { name: "Anna" });
    await app.settled();
    const of = async (query: string) => names((await listEvents(app.sandbox, `?${query}`)).items);
    expect(await of(`subject=${first}`)).toEqual(["message.queued", "message.sent"]);
    expect(await of(`subject=${second}`)).toEqual(["message.queued", "message.sent"]);
    expect(await of(`subject=${contact.id}`)).toEqual(["contact.created", "contact.updated"]);
    expect(await of(`subject=${contact.id}&type=contact.updated`)).toEqual(["contact.updated"]);
    expect(await of("subject=nobody")).toEqual([]);
    for (const subject of [first, second, contact.id]) {
      const { seen, last } = await followEvents(app.sandbox, `subject=${subject}&limit=1`);
      expect(names(seen)).toEqual(await of(`subject=${subject}`));
      expect((await listEvents(app.sandbox, `?after=${last}`)).items).toEqual([]);
    }
  });

  test("looks at so many events for an answer, and goes on from there", async () => {
    await using app = await setup({ engine });
    await appendMany(app, MANY);
    await appendEvents(app, app.sandbox, "subscription.upgraded", ["ws_01HKQ9R2X10000000000000000"]);
    const page = await listEvents(app.sandbox, "?type=subscription.*");
    expect([page.items, page.has_more]).toEqual([[], true]);
    const rest = await listEvents(app.sandbox, `?after=${page.next_cursor}&limit=200`);
    expect(rest.items).toHaveLength(MANY - 10_000 + 1);
    const next = await listEvents(app.sandbox, `?type=subscription.*&after=${page.next_cursor}`);
    expect([names(next.items), next.has_more]).toEqual([["subscription.upgraded"], false]);
    expect(next.next_cursor).toBe(rest.next_cursor);
  });

  test("begins with a message's events where they can be, and with a contact's by their index", async () => {
    await using app = await setup({ engine });
    await appendMany(app, MANY);
    await app.advance(60_000);
    const contact = await addContact(app.sandbox, { username: "anna" });
    const id = await queue(app.sandbox);
    await app.settled();
    for (const [subject, event] of [
      [id, "message.queued"],
      [contact.id, "contact.created"],
    ]) {
      const page = await listEvents(app.sandbox, `?subject=${subject}&limit=1`);
      expect(names(page.items)).toEqual([event!]);
    }
    expect((await listEvents(app.sandbox, `?subject=${contact.id}`)).has_more).toBe(false);
  });

  test("gives who follows it every event that fits, once and in order, also what is written meanwhile", async () => {
    await using app = await setup({ engine });
    let last: string | null = null;
    const seen: string[] = [];
    const filters = "type=message.sent,message.failed&limit=3";
    for (let round = 0; round < 8; round++) {
      const writing = Promise.all(
        Array.from({ length: 12 }, (_, at) => queue(app.sandbox, at % 4 === 0 ? { to: "@sandbox_blocked" } : {})),
      );
      for (let turn = 0; turn < 3; turn++) {
        const more = await followEvents(app.sandbox, filters, last);
        seen.push(...more.seen.map(({ id }) => id));
        last = more.last;
      }
      await writing;
    }
    await app.settled();
    const rest = await followEvents(app.sandbox, filters, last);
    seen.push(...rest.seen.map(({ id }) => id));
    const all = await followEvents(app.sandbox, "limit=200");
    const wanted = all.seen.filter(({ event }) => event === "message.sent" || event === "message.failed");
    expect(wanted).toHaveLength(96);
    expect(seen).toEqual(wanted.map(({ id }) => id));
    expect(rest.last).toBe(all.last);
  });

  test("says of an after that is no longer kept how long events are", async () => {
    await using app = await setup({ engine });
    const { status, body } = await app.sandbox.get<{ detail: string }>("/v1/events?after=evt_01HKQ9R2X70000000000000000");
    expect(status).toBe(422);
    expect(body.detail).toContain("no longer kept: events are removed after 30 days");
  });
});

test("on SQLite what stands after a place is a range of the index, however long the log is before it", async () => {
  await using app = await setup();
  const query = app.db.read
    .selectFrom("events")
    .selectAll()
    .where("env_id", "=", 1)
    .where(isAfterPlace("sqlite", { tx_id: 0, seq: 5 }))
    .orderBy("tx_id")
    .orderBy("seq")
    .compile();
  const plan = await app.db.slowly<{ detail: string }>({ compile: () => ({ ...query, sql: `explain query plan ${query.sql}` }) });
  expect(plan.map(({ detail }) => detail).join()).toEndWith("(env_id=? AND tx_id=? AND seq>?)");
});

describe.each(appEngines.filter((engine) => engine === "postgres"))("on %s", () => {
  test("a cursor never passes over what a running transaction has yet to show", async () => {
    await using app = await setup({ engine: "postgres" });
    await appendEvents(app, app.sandbox, "contact.created", ["ct_1"]);
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const held = app.db.write(async (tx) => {
      const { example: data } = payloads["contact.deleted"];
      app.services.events.append(tx, app.sandbox.env_id, { type: "contact.deleted", subject: "ct_2", actor: "job", data });
      await app.db.in(tx).selectFrom("counters").selectAll().execute();
      begun.resolve();
      await gate.promise;
    });
    await begun.promise;
    await appendEvents(app, app.sandbox, "contact.updated", ["ct_3"]);
    const page = await listEvents(app.sandbox, "?type=contact.updated,lead.scored");
    expect(page.items).toEqual([]);
    const whole = await listEvents(app.sandbox);
    expect([names(whole.items), page.next_cursor]).toEqual([["contact.created"], whole.next_cursor]);
    gate.resolve();
    await held;
    expect(names((await listEvents(app.sandbox, `?type=contact.*&after=${page.next_cursor}`)).items)).toEqual([
      "contact.deleted",
      "contact.updated",
    ]);
  });
});
