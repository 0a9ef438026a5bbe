import { describe, expect, test } from "bun:test";
import { createFileFolder } from "#plugins/files/folder.ts";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { createCipher } from "#src/core/cipher.ts";
import { toTime } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import { silentLog } from "#src/core/log.ts";
import type { Page } from "#src/core/page.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import { createServices, type Services } from "#src/services.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import type { TestEngine } from "#test/support/databases.ts";
import { turn } from "#test/support/sending.ts";
import { COUNT, countingKind, type CountScript, numbersOf, startCount } from "#test/support/tasks.ts";
import { movingOn } from "#test/support/test-clock.ts";

const open = (engine: TestEngine, script: CountScript = {}) => setup({ engine, taskKinds: (db) => [countingKind(db, script)] });
const read = async ({ live }: TestApp, id: string) => (await live.get<Task>(`/v1/jobs/${id}`)).body;
const cancel = ({ live }: TestApp, id: string) => live.post<Task & { code?: string }>(`/v1/jobs/${id}/cancel`);
const jobsOf = ({ db }: TestApp) => db.read.selectFrom("jobs").selectAll().execute();

async function ends({ live }: TestApp): Promise<Event[]> {
  const { body } = await live.get<{ items: Event[] }>("/v1/events");
  return body.items.filter(({ event }) => event === "job.completed");
}

/** A place at which a count stands still until it is let go. */
function createGate(at: number) {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  const prepare = async (next: number) => {
    if (next !== at) return;
    reached.resolve();
    await open.promise;
  };
  return { prepare, reached: reached.promise, letGo: open.resolve };
}

/** Another copy of the program on the same database. */
function openCopy({ db, clock, filesFolder }: TestApp, script?: CountScript): Services {
  return createServices({
    db,
    clock,
    log: silentLog,
    cipher: createCipher("a secret of thirty-two characters"),
    channels: [],
    gate: { check: () => Promise.reject(new Error("nobody asks")) },
    events_retention_days: 30,
    taskKinds: script === undefined ? [] : [countingKind(db, script)],
    http: createHttpSender({ clock, allowPrivate: true }),
    files: { folder: createFileFolder(filesFolder), cacheBytesMax: 0 },
    tellCopies() {},
    ring() {},
    amSole: () => Promise.resolve(db.engine === "sqlite"),
  });
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

describe.each(appEngines)("a long job on %s", (engine) => {
  test("shows how far it is, and what it has come to", async () => {
    const gate = createGate(3);
    await using app = await open(engine, gate);
    const begun = app.clock.now();
    const id = await startCount(app, app.live, { upTo: 5, mark: "counted" });
    await gate.reached;
    const shared = { id, kind: COUNT, error: null, created_at: toTime(begun) };
    expect(await read(app, id)).toEqual({ ...shared, status: "running", progress: { done: 2, total: 5 }, result: null, finished_at: null });
    app.clock.advance(500);
    gate.letGo();
    await app.settled();
    const done = await read(app, id);
    const result = { counted: 5, mark: "counted" };
    expect(done).toEqual({ ...shared, status: "done", progress: { done: 5, total: 5 }, result, finished_at: toTime(begun + 500) });
    expect(await numbersOf(app, id)).toEqual(upTo(5));
    expect(await ends(app)).toMatchObject([{ subject: id, actor: "job", data: done }]);
    expect(await jobsOf(app)).toEqual([]);
  });

  test("is queued until the loop takes it, and how much there is to do may not be known yet", async () => {
    await using app = await open(engine);
    await app.services.loop.stop();
    const id = await startCount(app, app.live, { upTo: 2 });
    expect(await read(app, id)).toMatchObject({ status: "queued", progress: { done: 0, total: null } });
    await app.services.loop.start();
    await app.settled();
    expect(await read(app, id)).toMatchObject({ status: "done", progress: { done: 2, total: 2 } });
  });

  test("is canceled between two steps, and then does nothing more", async () => {
    const gate = createGate(3);
    const told: string[] = [];
    await using app = await open(engine, { ...gate, ended: (status, { state }) => void told.push(`${status} at ${state.at}`) });
    const id = await startCount(app, app.live, { upTo: 5 });
    await gate.reached;
    const { status, body } = await cancel(app, id);
    const finished_at = toTime(app.clock.now());
    expect([status, body]).toMatchObject([200, { status: "canceled", progress: { done: 2 }, result: { counted: 2 }, finished_at }]);
    gate.letGo();
    await app.settled();
    expect([await numbersOf(app, id), await read(app, id), told]).toEqual([[1, 2], body, ["canceled at 2"]]);
    const { key_id: actor } = (await app.live.get<{ key_id: string }>("/v1/me")).body;
    expect(await ends(app)).toMatchObject([{ subject: id, actor, data: body }]);
    expect(await jobsOf(app)).toEqual([]);
    expect((await cancel(app, id)).body.code).toBe("conflict");
  });

  test("is canceled before its first step, by one of many who ask at once", async () => {
    await using app = await open(engine);
    await app.services.loop.stop();
    const id = await startCount(app, app.live, { upTo: 5 });
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await cancel(app, id)).status));
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
    await app.services.loop.start();
    await app.settled();
    expect([await numbersOf(app, id), (await ends(app)).length]).toEqual([[], 1]);
  });

  test("goes on after a crash with the step that it was at, and repeats none", async () => {
    const gate = createGate(4);
    await using app = await open(engine, gate);
    const id = await startCount(app, app.live, { upTo: 7 });
    await gate.reached;
    await movingOn(app.clock, app.services.loop.stop());
    expect((await jobsOf(app)).length).toBe(1);
    const second = openCopy(app, {});
    await second.loop.start();
    // On PostgreSQL the lease of the copy that is gone has to end first.
    app.clock.advance(60_000);
    await second.loop.settled();
    expect([await numbersOf(app, id), (await read(app, id)).status]).toEqual([upTo(7), "done"]);
    gate.letGo();
    await turn();
    await second.loop.stop();
    expect((await ends(app)).length).toBe(1);
  });

  test("is done by one copy where two take themselves for its owner", async () => {
    const [first, other] = [createGate(3), createGate(5)];
    await using app = await open(engine, first);
    const id = await startCount(app, app.live, { upTo: 6 });
    await first.reached;
    const second = openCopy(app, other);
    await app.db.write((tx) => app.db.in(tx).updateTable("jobs").set({ lease_until: 0 }).execute());
    await second.loop.start();
    await other.reached;
    first.letGo();
    await app.settled();
    expect(await numbersOf(app, id)).toEqual(upTo(4));
    other.letGo();
    await second.loop.settled();
    expect([await numbersOf(app, id), (await read(app, id)).status, (await ends(app)).length]).toEqual([upTo(6), "done", 1]);
    expect(app.log.filter((line) => line.includes("a step of a long job failed"))).toEqual([]);
    await second.loop.stop();
  });

  test("is left alone by a copy that doesn't know its kind", async () => {
    await using app = await setup({ engine });
    const second = openCopy(app, {});
    const ask = { kind: COUNT, scopes: { read: "read:contacts", write: "write:contacts" }, params: { upTo: 2 }, total: 2 } as const;
    const { id } = await app.db.write((tx) => second.tasks.create(tx, app.live.env_id, ask));
    app.services.loop.rescan();
    await app.advance(60_000);
    expect((await read(app, id)).status).toBe("queued");
    await app.services.loop.stop();
    await second.loop.start();
    app.clock.advance(60_000);
    await second.loop.settled();
    expect((await read(app, id)).status).toBe("done");
    await second.loop.stop();
  });

  test("stops with the program, and goes on with it", async () => {
    await using app = await open(engine);
    const id = await startCount(app, app.live, { upTo: 500 });
    await turn();
    await app.services.loop.stop();
    const { status, progress } = await read(app, id);
    expect([status === "done", progress.done < 500]).toEqual([false, true]);
    await app.services.loop.start();
    await app.settled();
    expect(await numbersOf(app, id)).toEqual(upTo(500));
  });

  test("lets requests have their turn after each step, however many jobs there are", async () => {
    let steps = 0;
    await using app = await open(engine, { apply: () => void steps++ });
    const ids = [];
    for (let at = 0; at < 5; at++) ids.push(await startCount(app, app.live, { upTo: 5_000 }));
    const between: number[] = [];
    for (let at = 0; at < 20; at++) {
      const before = steps;
      await app.live.patch("/v1/workspace", { name: `Renamed ${at}` });
      between.push(steps - before);
    }
    for (const id of ids) expect((await cancel(app, id)).status).toBe(200);
    await app.settled();
    expect(steps).toBeGreaterThan(0);
    expect(between.filter((count) => count > 8)).toEqual([]);
  });

  test("is listed newest first, in pages, by kind and by status", async () => {
    await using app = await open(engine, { failsAt: 2 });
    const ids: string[] = [];
    for (const count of [1, 2, 1, 2]) ids.unshift(await startCount(app, app.live, { upTo: count }));
    await app.settled();
    const list = async (query: string) => (await app.live.get<Page<Task>>(`/v1/jobs${query}`)).body;
    const idsOf = ({ items }: Page<Task>) => items.map(({ id }) => id);
    const first = await list("?limit=3");
    expect([...idsOf(first), ...idsOf(await list(`?limit=3&cursor=${first.next_cursor}`)), first.total]).toEqual([...ids, 4]);
    expect(idsOf(await list("?status=failed"))).toEqual([ids[0]!, ids[2]!]);
    expect(idsOf(await list(`?kind=${COUNT}&status=done`))).toEqual([ids[1]!, ids[3]!]);
    expect(idsOf(await list("?kind=other.kind"))).toEqual([]);
    for (const query of ["?status=over", "?cursor=abc", "?kind="])
      expect([query, (await app.live.get(`/v1/jobs${query}`)).status]).toEqual([query, 422]);
  });
});

describe.each(appEngines)("a long job that does not go well on %s", (engine) => {
  test("fails for a reason that its kind expects, and keeps what it has done", async () => {
    const told: string[] = [];
    await using app = await open(engine, { failsAt: 3, ended: (status) => void told.push(status) });
    const id = await startCount(app, app.live, { upTo: 5 });
    await app.settled();
    const failed = await read(app, id);
    expect(failed).toMatchObject({
      status: "failed",
      progress: { done: 3, total: 5 },
      result: { counted: 3 },
      error: { code: "bad_number", message: "3 is no number." },
    });
    expect([told, await ends(app)]).toMatchObject([["failed"], [{ data: failed }]]);
  });

  test("tries a step again that stumbles, ever more rarely, and counts anew after each that went well", async () => {
    const stumbles = new Map([
      [2, 4],
      [4, 4],
    ]);
    await using app = await open(engine, {
      apply(next) {
        const left = stumbles.get(next) ?? 0;
        stumbles.set(next, left - 1);
        if (left > 0) throw new Error("stumbled");
      },
    });
    const id = await startCount(app, app.live, { upTo: 5 });
    await app.settled();
    expect(await read(app, id)).toMatchObject({ status: "running", progress: { done: 1 } });
    await app.advance(5 * 60_000);
    expect([await numbersOf(app, id), (await read(app, id)).status]).toEqual([upTo(5), "done"]);
    expect(app.log.filter((line) => line.includes("a step of a long job failed"))).toHaveLength(8);
  });

  test.each(["prepare", "apply"] as const)(
    "fails as internal_error where its %s fails again and again, and tells nothing",
    async (where) => {
      const fail = (next: number) => {
        if (next === 3) throw new Error("the inside of the program");
      };
      await using app = await open(engine, { [where]: fail });
      const id = await startCount(app, app.live, { upTo: 5 });
      const next = await startCount(app, app.live, { upTo: 2 });
      await app.advance(5 * 60_000);
      const { text, body } = await app.live.get<Task>(`/v1/jobs/${id}`);
      expect(body).toMatchObject({ status: "failed", progress: { done: 2 }, result: { counted: 2 }, error: { code: "internal_error" } });
      expect([text, JSON.stringify(await ends(app))].some((one) => one.includes("inside of the program"))).toBe(false);
      expect(app.log.filter((line) => line.includes("a step of a long job failed"))).toHaveLength(5);
      expect([(await read(app, next)).status, await jobsOf(app)]).toEqual(["done", []]);
    },
  );

  test("ends also where its kind can neither finish nor tell a result", async () => {
    const fail = () => {
      throw new Error("this can't be ended");
    };
    await using app = await open(engine, { result: fail, ended: fail });
    const id = await startCount(app, app.live, { upTo: 1 });
    await app.advance(5 * 60_000);
    expect(await read(app, id)).toMatchObject({ status: "failed", result: null, error: { code: "internal_error" } });
    expect([(await ends(app)).length, await jobsOf(app)]).toEqual([1, []]);
  });

  test("waits as long as the disk is full, and that is no fault of it", async () => {
    let full = false;
    const filled = Promise.withResolvers<void>();
    let fills = 1;
    const fill = (next: number) => {
      if (next !== 3 || fills-- <= 0) return;
      full = true;
      filled.resolve();
    };
    const refuse = () => Promise.reject(new AppError("unavailable", "The disk is full.", { retryAfter: 1 }));
    await using app = await setup({
      engine,
      wrapDatabase: (db) => ({ ...db, write: (work) => (full ? refuse() : db.write(work)) }),
      taskKinds: (db) => [countingKind(db, { prepare: fill })],
    });
    const id = await startCount(app, app.live, { upTo: 5 });
    await filled.promise;
    for (let seconds = 0; seconds < 30; seconds++) {
      app.clock.advance(1_000);
      await turn();
    }
    expect(await numbersOf(app, id)).toEqual([1, 2]);
    full = false;
    // Each look gives the database time for what it was asked: the clock must not run away from it.
    while ((await read(app, id)).status !== "done") {
      app.clock.advance(200);
      await turn();
    }
    expect([await numbersOf(app, id), (await read(app, id)).status]).toEqual([upTo(5), "done"]);
    expect(app.log.filter((line) => line.includes("a step of a long job failed"))).toEqual([]);
  });
});
