import { describe, expect, test } from "bun:test";
import { silentLog } from "#src/core/log.ts";
import type { Event } from "#src/modules/events/model.ts";
import { createEventStore } from "#src/modules/events/store.ts";
import { createEventStreams } from "#src/modules/events/streams.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { type Heard, listen } from "#test/support/event-stream.ts";
import { appendEvents, followEvents, listEvents } from "#test/support/events.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { queue, turn } from "#test/support/sending.ts";
import { countingKind, startCount } from "#test/support/tasks.ts";

const HEARTBEAT_MS = 15_000;

const names = (items: readonly { event: string }[]) => items.map(({ event }) => event);
const ids = (items: readonly { id: string }[]) => items.map(({ id }) => id);

/** Sends so many messages and waits until they have been sent. */
async function send({ sandbox, settled }: TestApp, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => queue(sandbox)));
  await settled();
}

async function logged(app: TestApp): Promise<Event[]> {
  return (await followEvents(app.sandbox, "limit=200")).seen;
}

describe.each(appEngines)("a live stream on %s", (engine) => {
  test("tells what happens from now on, as the list has it", async () => {
    await using app = await setup({ engine });
    await send(app, 1);
    const ear = await listen(app, app.sandbox);
    expect([ear.status, ear.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    const before = await listEvents(app.sandbox);
    await send(app, 1);
    const heard = await ear.next(2);
    const { items } = await listEvents(app.sandbox, `?after=${before.next_cursor}`);
    expect(heard).toEqual(items.map((data) => ({ id: data.id, event: data.event, data: data as unknown as Heard["data"] })));
    expect(names(heard)).toEqual(["message.queued", "message.sent"]);
    await ear.close();
    expect(app.services.streams.count()).toBe(0);
  });

  test("resumes behind the last event that the client has, without a gap or a repeat", async () => {
    await using app = await setup({ engine });
    await send(app, 3);
    const [first, second] = await logged(app);
    const resumed = await listen(app, app.sandbox, "", { "last-event-id": second!.id });
    const after = await listen(app, app.sandbox, `?after=${first!.id}`);
    // The header is the newer of the two: a client that comes again repeats the address as it was.
    const both = await listen(app, app.sandbox, `?after=${first!.id}`, { "last-event-id": second!.id });
    await send(app, 2);
    const all = ids(await logged(app));
    expect(all).toHaveLength(10);
    expect(ids(await resumed.next(8))).toEqual(all.slice(2));
    expect(ids(await after.next(9))).toEqual(all.slice(1));
    expect(ids(await both.next(8))).toEqual(all.slice(2));
  });

  test("loses nothing and repeats nothing while clients come and go under concurrent writers", async () => {
    await using app = await setup({ engine });
    await send(app, 1);
    const [start] = await logged(app);
    const heard: Heard[][] = [[], [], []];
    const filters = ["", "type=message.sent", "type=message.*"];
    for (let round = 0; round < 6; round++) {
      const writing = Promise.all(Array.from({ length: 15 }, () => queue(app.sandbox)));
      await Promise.all(
        filters.map(async (filter, at) => {
          const last = heard[at]!.at(-1)?.id ?? start!.id;
          const ear = await listen(app, app.sandbox, `?${filter}`, { "last-event-id": last });
          heard[at]!.push(...(await ear.next(3 + round)));
          await ear.close();
        }),
      );
      await writing;
    }
    await app.settled();
    const all = (await logged(app)).slice(1);
    for (const [at, filter] of filters.entries()) {
      const wanted = filter === "type=message.sent" ? all.filter(({ event }) => event === "message.sent") : all;
      const ear = await listen(app, app.sandbox, `?${filter}`, { "last-event-id": heard[at]!.at(-1)!.id });
      const rest = wanted.length - heard[at]!.length;
      heard[at]!.push(...(await ear.next(rest)));
      expect([filter, ids(heard[at]!)]).toEqual([filter, ids(wanted)]);
    }
  });

  test("gives each listener what fits, and the other environments nothing", async () => {
    await using app = await setup({ engine });
    const [sent, updates, live] = [
      await listen(app, app.sandbox, "?type=message.sent"),
      await listen(app, app.sandbox, "?type=subscription.*,contact.created"),
      await listen(app, app.live, ""),
    ];
    const id = await queue(app.sandbox);
    const subject = await listen(app, app.sandbox, `?subject=${id}&type=message.sent`);
    await queue(app.sandbox);
    await app.settled();
    await app.sandbox.patch("/v1/workspace", { plan: "starter" });
    expect(names(await sent.next(2))).toEqual(["message.sent", "message.sent"]);
    expect((await subject.next(1))[0]!.data.subject).toBe(id);
    expect(names(await updates.next(1))).toEqual(["subscription.upgraded"]);
    expect(names(await live.next(1))).toEqual(["subscription.upgraded"]);
  });

  test("hides what the list hides: kinds of events, and the jobs of others", async () => {
    await using app = await setup({ engine, taskKinds: (db) => [countingKind(db)] });
    const messages = await listen(app, await app.makeKey(app.sandbox, { scopes: ["read:messages"] }));
    const contacts = await listen(app, await app.makeKey(app.sandbox, { scopes: ["read:contacts"] }));
    const all = await listen(app, app.sandbox);
    await startCount(app, app.sandbox, { upTo: 2 });
    await app.settled();
    await send(app, 1);
    await app.sandbox.post("/v1/contacts", { username: "anna" });
    const seen = await logged(app);
    const whatSees = async (scope: "read:messages" | "read:contacts") =>
      names((await listEvents(await app.makeKey(app.sandbox, { scopes: [scope] }))).items);
    expect(names(await all.next(seen.length))).toEqual(names(seen));
    for (const [ear, scope] of [
      [messages, "read:messages"],
      [contacts, "read:contacts"],
    ] as const) {
      const wanted = await whatSees(scope);
      expect([scope, ...names(await ear.next(wanted.length))]).toEqual([scope, ...wanted]);
    }
  });

  test("gives a client that does not read nothing to keep, and everything once it reads", async () => {
    await using app = await setup({ engine });
    const ear = await listen(app, app.sandbox);
    for (let round = 0; round < 3; round++) {
      await appendEvents(
        app,
        app.sandbox,
        "contact.updated",
        Array.from({ length: 150 }, (_, at) => `ct_${round}_${at}`),
      );
      for (let turns = 0; turns < 5; turns++) await turn();
    }
    const first = (await ear.part())!;
    expect(first.match(/^id:/gm)!.length).toBeLessThanOrEqual(100);
    await send(app, 1);
    const rest = await ear.next(452 - first.match(/^id:/gm)!.length);
    expect(names(rest.slice(-2))).toEqual(["message.queued", "message.sent"]);
    const all = await logged(app);
    expect([...first.matchAll(/^id: (\w+)$/gm)].map(([, id]) => id!).concat(ids(rest))).toEqual(ids(all));
  });

  test("ends at the next heartbeat when its key is revoked or has expired, and not before", async () => {
    await using app = await setup({ engine });
    const expiring = await app.makeKey(app.sandbox, { expires_at: new Date(app.clock.now() + 20_000).toISOString() });
    const revoked = await app.makeKey(app.sandbox);
    const ears = [await listen(app, expiring), await listen(app, revoked), await listen(app, app.sandbox)];
    const beats = ears.map((ear) => ear.part());
    await app.advance(HEARTBEAT_MS);
    expect(await Promise.all(beats)).toEqual([":\n\n", ":\n\n", ":\n\n"]);
    await revoked.delete(`/v1/keys/${String((await revoked.get("/v1/me")).body.key_id)}`);
    const ends = ears.map((ear) => ear.part());
    await app.advance(HEARTBEAT_MS);
    expect(await Promise.all(ends)).toEqual([null, null, ":\n\n"]);
    expect(app.services.streams.count()).toBe(1);
  });

  test("refuses an event that is not here, a name that nobody knows, and a key without a scope for it", async () => {
    await using app = await setup({ engine });
    const refused = async (query: string, headers: Record<string, string> = {}) => {
      const { status, body } = await app.sandbox.get<{ details: { field: string }[] }>(`/v1/events/stream${query}`, headers);
      return [status, body.details[0]!.field];
    };
    expect(await refused("?after=evt_x")).toEqual([422, "after"]);
    expect(await refused("", { "last-event-id": "evt_01HKQ9R2X70000000000000000" })).toEqual([422, "Last-Event-ID"]);
    expect(await refused("?type=nothing")).toEqual([422, "type"]);
    const analyst = await app.makeKey(app.sandbox, { scopes: ["read:analytics"] });
    expect((await analyst.get("/v1/events/stream")).status).toBe(403);
    expect(app.services.streams.count()).toBe(0);
  });

  test("ends when the program stops, and is opened no more", async () => {
    await using app = await setup({ engine });
    const ears = [await listen(app, app.sandbox), await listen(app, app.live)];
    app.services.streams.stop();
    expect(await Promise.all(ears.map((ear) => ear.part()))).toEqual([null, null]);
    const { status, headers } = await app.sandbox.get("/v1/events/stream");
    expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
  });
});

test("so many streams are open at a time and no more", async () => {
  await using app = await setup();
  const { feed, events } = app.services;
  const store = createEventStore(app.db);
  const needs = { feed, events, clock: app.clock, log: silentLog, store, stillOpens: () => Promise.resolve(true) };
  const streams = createEventStreams({ ...needs, most: 2 });
  const principal = (await app.services.authenticator.authenticate(app.sandbox.key, "127.0.0.1"))!;
  const [first] = await Promise.all([streams.open(principal, {}), streams.open(principal, {})]);
  expect(await rejectionOf(streams.open(principal, {}))).toMatchObject({ code: "unavailable" });
  await first.cancel();
  await streams.open(principal, {});
  expect(streams.count()).toBe(2);
  streams.stop();
});

test("a HEAD leaves no stream behind", async () => {
  await using app = await setup();
  const { status } = await app.client.send(
    new Request("http://localhost/v1/events/stream", { method: "HEAD", headers: { authorization: `Bearer ${app.sandbox.key}` } }),
  );
  expect([status, app.services.streams.count()]).toEqual([200, 0]);
});
