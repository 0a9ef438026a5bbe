import { describe, expect, test } from "bun:test";
import type { EnrollmentRow } from "#db/schema-sequences.ts";
import { newId } from "#src/core/ids.ts";
import type { Page } from "#src/core/page.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { Sequence, SequenceVersion } from "#src/modules/sequences/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { eventsOf } from "#test/support/scoring.ts";

const send = { type: "send", text: "Hello", account_id: 7421 };
const steps = [send, { type: "wait", for: "3d" }, { ...send, id: "last" }];
const DAY = 86_400_000;

async function make(caller: Caller, ask: Record<string, unknown> = {}): Promise<Sequence> {
  const { status, body, text } = await caller.post<Sequence>("/v1/sequences", { name: "Welcome", steps, ...ask });
  if (status !== 201) throw new Error(`the sequence was refused: ${text}`);
  return body;
}

const verb = (caller: Caller, { id }: Pick<Sequence, "id">, name: string) => caller.post<Sequence>(`/v1/sequences/${id}/${name}`);

/** Puts somebody into a sequence. */
async function enroll(app: TestApp, { id: sequence_id, version }: Sequence, changes: Partial<EnrollmentRow> = {}): Promise<string> {
  const now = app.clock.now();
  const id = newId("enr", now);
  const row: EnrollmentRow = {
    ...{ env_id: app.sandbox.env_id, id, sequence_id, version, contact_id: newId("ct", now), status: "active", step: "last" },
    ...{ due_at: now + DAY, why: "wait", waits_for: null, state: '{"replied_at":null}', actor: "key", reason: null },
    ...{ entered_at: now, ended_at: null, updated_at: now },
    ...changes,
  };
  await app.db.write(async (tx) => void (await app.db.in(tx).insertInto("enrollments").values(row).execute()));
  return id;
}

const enrolled = (app: TestApp, id: string) =>
  app.db.read.selectFrom("enrollments").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

describe.each(appEngines)("a sequence on %s", (engine) => {
  test("is made with nothing left to defaults, read and listed", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox, { exit_on: { tags: [" VIP  club "] }, metadata: { of: "sales" } });
    const made_at = new Date(app.clock.now()).toISOString();
    expect(made).toEqual({
      ...{ id: expect.stringMatching(/^seq_/), name: "Welcome", status: "draft", version: 1 },
      steps: [
        { id: "step_1", ...send, next: "step_2" },
        { id: "step_2", type: "wait", for: "3d", next: "last" },
        { id: "last", ...send, next: null },
      ],
      ...{ timezone: null, window: null, holidays: [], frequency_cap: null, triggers: [], reentry: { rule: "never" } },
      exit_on: { reply: true, tags: ["VIP club"], blocked: true },
      ...{ metadata: { of: "sales" }, created_at: made_at, updated_at: made_at },
    } as never);
    expect((await app.sandbox.get<Sequence>(`/v1/sequences/${made.id}`)).body).toEqual(made);
    const other = await make(app.sandbox, { name: "Other" });
    expect((await app.sandbox.get<Page<Sequence>>("/v1/sequences")).body).toMatchObject({ items: [other, made], total: 2 });
    await verb(app.sandbox, other, "activate");
    expect((await app.sandbox.get<Page<Sequence>>("/v1/sequences?status=draft")).body.items).toEqual([made]);
    expect((await app.live.get<Page<Sequence>>("/v1/sequences")).body.items).toEqual([]);
    expect((await app.live.get(`/v1/sequences/${made.id}`)).status).toBe(404);
  });

  test("says of each step where it goes on", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox, {
      steps: [
        { type: "wait", for_event: { event: "message.received" }, timeout: "1d", on_timeout: "later" },
        { type: "wait", for_event: { event: "message.read" }, timeout: "1d" },
        { type: "branch", if: { replied: true }, else: "later" },
        {
          type: "split",
          parts: [
            { weight: 1, next: "later" },
            { weight: 2, next: null },
          ],
        },
        { id: "later", type: "exit" },
      ],
    });
    expect(made.steps as unknown[]).toMatchObject([
      { id: "step_1", next: "step_2", on_timeout: "later" },
      { id: "step_2", next: "step_3", on_timeout: "step_3" },
      { id: "step_3", then: "step_4", else: "later" },
      { id: "step_4", parts: [{ next: "later" }, { next: null }] },
      { id: "later", type: "exit" },
    ]);
    expect(made.steps[4]).not.toHaveProperty("next");
  });

  test("has a version for each definition that it has had, and none for another name", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app.sandbox);
    const path = `/v1/sequences/${id}`;
    const { key_id } = (await app.sandbox.get<{ key_id: string }>("/v1/me")).body;
    const patches = [
      { name: "Other", metadata: { a: "b" } },
      { steps: steps.map((step) => Object.fromEntries(Object.entries(step).toReversed())) },
      { timezone: "Europe/Berlin" },
      {},
      { timezone: null },
    ];
    for (const patch of patches) expect((await app.sandbox.patch(path, patch)).status).toBe(200);
    const { items } = (await app.sandbox.get<Page<SequenceVersion>>(`${path}/versions`)).body;
    expect(items.map(({ version, timezone, actor }) => [version, timezone, actor])).toEqual([
      [3, null, key_id],
      [2, "Europe/Berlin", key_id],
      [1, null, key_id],
    ]);
    expect((await app.sandbox.get<Sequence>(path)).body).toMatchObject({ name: "Other", version: 3, metadata: { a: "b" } });
    const first = (await app.sandbox.get<Page<SequenceVersion>>(`${path}/versions?limit=2`)).body;
    const second = (await app.sandbox.get<Page<SequenceVersion>>(`${path}/versions?limit=2&cursor=${first.next_cursor}`)).body;
    expect([...first.items, ...second.items]).toEqual(items);
  });

  test("keeps of its definition what a change does not give", async () => {
    await using app = await setup({ engine });
    const all = {
      ...{ timezone: "Europe/Berlin", window: { from: "09:00" }, holidays: ["2026-12-25"], frequency_cap: { count: 1, per: "1d" } },
      ...{ exit_on: { reply: false, tags: ["stop"], blocked: false }, reentry: { rule: "after", after: "30d" } },
      triggers: [{ event: "contact.created" }],
    };
    const made = await make(app.sandbox, all);
    for (const patch of [{ name: "Other" }, { metadata: { a: "b" } }, { timezone: null }, { move_enrolled: true }]) {
      const { body } = await app.sandbox.patch<Sequence>(`/v1/sequences/${made.id}`, patch);
      const { move_enrolled: _asked, ...given } = patch as Record<string, unknown>;
      Object.assign(made, given, { version: body.version, updated_at: body.updated_at });
      expect(body).toEqual(made);
    }
    expect(made.version).toBe(2);
  });

  test("that many change at once has a version for each change, and loses none", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app.sandbox);
    const days = Array.from({ length: 8 }, (_, at) => `2026-12-0${at + 1}`);
    const changes = days.map((day) => app.sandbox.patch<Sequence>(`/v1/sequences/${id}`, { holidays: [day] }));
    expect((await Promise.all(changes)).map(({ body }) => body.version).toSorted()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    const { items } = (await app.sandbox.get<Page<SequenceVersion>>(`/v1/sequences/${id}/versions`)).body;
    expect(new Set(items.flatMap(({ holidays }) => holidays))).toEqual(new Set(days));
  });

  test("goes from draft to active, to paused and back, and to archived for good", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox);
    const walk = [
      ...([
        ["pause", 409],
        ["resume", 409],
        ["activate", 200],
        ["activate", 200],
        ["pause", 200],
        ["pause", 200],
      ] as const),
      ...([
        ["resume", 200],
        ["resume", 200],
        ["archive", 200],
        ["archive", 200],
        ["activate", 409],
        ["pause", 409],
        ["resume", 409],
      ] as const),
    ];
    for (const [name, status] of walk) expect([name, (await verb(app.sandbox, made, name)).status]).toEqual([name, status]);
    expect((await app.sandbox.patch(`/v1/sequences/${made.id}`, { name: "Other" })).status).toBe(409);
    const paused = await make(app.sandbox, { name: "Paused" });
    for (const name of ["activate", "pause"]) await verb(app.sandbox, paused, name);
    expect((await verb(app.sandbox, paused, "activate")).status).toBe(409);
    const told = (await eventsOf(app.sandbox)).filter(({ event }: Event) => event.startsWith("sequence."));
    expect(told.map(({ event, subject, data }) => [event, subject, data])).toEqual(
      [
        ["sequence.paused", made, "paused"] as const,
        ["sequence.resumed", made, "active"] as const,
        ["sequence.paused", paused, "paused"] as const,
      ].map(([event, { id, name }, status]) => [event, id, { sequence: { id, name, status, version: 1 }, enrollment: null }]),
    );
  });

  test("has a name of its own, of many at once too, until it is archived", async () => {
    await using app = await setup({ engine });
    const asks = Array.from({ length: 6 }, () => app.sandbox.post("/v1/sequences", { name: "Welcome", steps }));
    const answers = await Promise.all(asks);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    const other = await make(app.sandbox, { name: "Other" });
    expect((await app.sandbox.patch(`/v1/sequences/${other.id}`, { name: "Welcome" })).status).toBe(409);
    await verb(app.sandbox, answers.find(({ status }) => status === 201)!.body as never, "archive");
    expect((await app.sandbox.patch(`/v1/sequences/${other.id}`, { name: "Welcome" })).status).toBe(200);
  });

  test("is changed by who has read it last, where they say so, and all of it is audited without its texts", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox);
    const path = `/v1/sequences/${made.id}`;
    const etag = (await app.sandbox.get(path)).headers.get("etag")!;
    expect((await app.sandbox.patch(path, { name: "Other" }, { "if-match": etag })).status).toBe(200);
    expect((await app.sandbox.patch(path, { name: "Third" }, { "if-match": etag })).status).toBe(412);
    expect((await app.sandbox.post(`${path}/activate`, undefined, { "if-match": etag })).status).toBe(412);
    for (const name of ["activate", "pause", "resume", "archive"]) await verb(app.sandbox, made, name);
    const { body, text } = await app.sandbox.get<Page<{ operation: string; after: unknown }>>("/v1/audit");
    const operations = body.items.map(({ operation }) => operation).filter((name) => name.startsWith("sequences."));
    const verbs = ["archive", "resume", "pause", "activate", "patch", "create"];
    expect(operations).toEqual(verbs.map((name) => `sequences.${name}`));
    expect(text).not.toContain("Hello");
  });

  test("is read with the scopes of messages, and written with its own", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox);
    const reader = await app.makeKey(app.sandbox, { scopes: ["read:messages"] });
    const manager = await app.makeKey(app.sandbox, { scopes: ["manage:sequences"] });
    const sender = await app.makeKey(app.sandbox, { scopes: ["write:messages"] });
    for (const key of [reader, manager]) expect((await key.get(`/v1/sequences/${made.id}/versions`)).status).toBe(200);
    expect((await sender.get("/v1/sequences")).status).toBe(403);
    for (const key of [reader, sender]) expect((await verb(key, made, "activate")).status).toBe(403);
    expect((await verb(manager, made, "activate")).status).toBe(200);
    await verb(manager, made, "pause");
    expect((await manager.get<Page<Event>>("/v1/events")).body.items.map(({ event }) => event)).toEqual(["sequence.paused"]);
  });

  test("that is paused has nobody due, and lets all go on when it is resumed, each when it would have been", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox);
    await verb(app.sandbox, made, "activate");
    const now = app.clock.now();
    const soon = await enroll(app, made, { due_at: now + 3_600_000, why: "window" });
    const late = await enroll(app, made, { due_at: now + 10 * DAY });
    const waiting = await enroll(app, made, { due_at: null, why: "event", waits_for: "message.received" });
    const own = await enroll(app, made, { status: "paused", due_at: null, why: "paused" });
    const entered = await enroll(app, made, { due_at: null, why: "sequence_paused", state: "{}" });
    const others = await enroll(app, await make(app.sandbox, { name: "Other" }));
    await verb(app.sandbox, made, "pause");
    expect(await enrolled(app, soon)).toMatchObject({ status: "active", due_at: null, why: "sequence_paused" });
    expect(JSON.parse((await enrolled(app, late)).state)).toEqual({ replied_at: null, held_due_at: now + 10 * DAY, held_why: "wait" });
    expect(await enrolled(app, waiting)).toMatchObject({ due_at: null, why: "event" });
    expect(await enrolled(app, others)).toMatchObject({ due_at: now + DAY, why: "wait" });
    await app.leap(2 * DAY);
    await verb(app.sandbox, made, "resume");
    const kept = { status: "active", state: '{"replied_at":null}' };
    const tidy = async (id: string) => {
      const row = await enrolled(app, id);
      return { ...row, state: JSON.stringify(JSON.parse(row.state)) };
    };
    expect(await tidy(soon)).toMatchObject({ ...kept, due_at: app.clock.now(), why: "window" });
    expect(await tidy(late)).toMatchObject({ ...kept, due_at: now + 10 * DAY, why: "wait" });
    expect(await tidy(waiting)).toMatchObject({ ...kept, due_at: null, why: "event" });
    expect(await tidy(entered)).toMatchObject({ status: "active", due_at: app.clock.now(), why: "due" });
    expect(await tidy(own)).toMatchObject({ status: "paused", due_at: null, why: "paused" });
  });

  test("that is archived ends for all who are in it", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox);
    const open = [await enroll(app, made), await enroll(app, made, { status: "paused", due_at: null })];
    const done = await enroll(app, made, { status: "completed", step: null, due_at: null, ended_at: 5 });
    await verb(app.sandbox, made, "archive");
    await app.settled();
    const ended_at = app.clock.now();
    for (const id of open)
      expect(await enrolled(app, id)).toMatchObject({ status: "exited", reason: "archived", step: null, due_at: null, ended_at });
    expect(await enrolled(app, done)).toMatchObject({ status: "completed", ended_at: 5 });
  });

  test("that changes takes along whom it is told to, where their step is still there", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox);
    const path = `/v1/sequences/${made.id}`;
    const [stays, goes] = [await enroll(app, made, { step: "step_1" }), await enroll(app, made)];
    const versions = async () => [(await enrolled(app, stays)).version, (await enrolled(app, goes)).version];
    await app.sandbox.patch(path, { timezone: "Europe/Berlin" });
    expect(await versions()).toEqual([1, 1]);
    await app.sandbox.patch(path, {
      steps: [
        { ...send, id: "first" },
        { ...send, id: "last" },
      ],
      move_enrolled: true,
    });
    expect(await versions()).toEqual([1, 3]);
    await app.sandbox.patch(path, { steps, move_enrolled: true });
    expect(await versions()).toEqual([4, 4]);
  });

  test("is one of 500 at most that are not archived", async () => {
    await using app = await setup({ engine });
    const made = await make(app.sandbox);
    const row = await app.db.read.selectFrom("sequences").selectAll().executeTakeFirstOrThrow();
    const rows = Array.from({ length: 499 }, (_, at) => ({ ...row, id: newId("seq"), name: `Sequence ${at}` }));
    await app.db.write(async (tx) => void (await app.db.in(tx).insertInto("sequences").values(rows).execute()));
    expect((await app.sandbox.post("/v1/sequences", { name: "One more", steps })).status).toBe(409);
    await verb(app.sandbox, made, "archive");
    expect((await app.sandbox.post("/v1/sequences", { name: "One more", steps })).status).toBe(201);
  });
});
