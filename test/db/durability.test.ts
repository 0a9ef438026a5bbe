import { Database as File } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "#db/database.ts";
import { migrate } from "#db/migrate.ts";
import { openDatabase } from "#db/open.ts";
import { silentLog } from "#src/core/log.ts";
import { freshDatabase } from "#test/support/databases.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { startProgram } from "#test/support/start-program.ts";

const ROUNDS = 10;
const CALLERS = 20;

test("after kill -9 under load every acknowledged write is there, and the file is whole", async () => {
  await using fresh = await freshDatabase("sqlite");
  const path = (fresh.url ?? "").slice("sqlite:".length);
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const program = startProgram("acknowledge", path, `round-${round}`);
    await program.said(50 + round * 40);
    acknowledged.push(...(await program.kill()));
    expectWhole(path);
    using file = new File(path);
    const stored = new Set(
      file
        .query<{ name: string }, []>("SELECT name FROM counters")
        .all()
        .map((row) => row.name),
    );
    expect(acknowledged.filter((name) => !stored.has(name))).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 50);
}, 30_000);

function expectWhole(path: string): void {
  using file = new File(path);
  expect(file.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
}

/** Writers that go on until some have been refused. @returns the names that were stored, and why the others were not */
async function fill(db: Database, prefix: string) {
  const stored: string[] = [];
  const refusals: unknown[] = [];
  const text = "x".repeat(3_000);
  let next = 0;
  const caller = async () => {
    while (refusals.length < CALLERS * 3) {
      const name = `${prefix}-${next++}-${text}`;
      const writing = db.write((tx) => db.in(tx).insertInto("counters").values({ name, value: 1 }).execute());
      await writing.then(
        () => stored.push(name),
        (error: unknown) => refusals.push(error),
      );
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return { stored, refusals };
}

async function namesIn(db: Database): Promise<string[]> {
  return (await db.read.selectFrom("counters").select("name").orderBy("name").execute()).map((row) => row.name);
}

function expectUnavailable(refusals: unknown[]): void {
  expect(refusals.length).toBeGreaterThan(0);
  for (const refusal of refusals) expect(refusal).toMatchObject({ name: "AppError", code: "unavailable", retryAfter: 5 });
}

describe("when the file may not grow any more", () => {
  const allow = (db: Database, pages: number) => db.write((tx) => sql.raw(`pragma max_page_count = ${pages}`).execute(db.in(tx)));

  test("writes are refused as unavailable, nothing acknowledged is lost, and it goes on once there is room", async () => {
    await using fresh = await freshDatabase("sqlite");
    const { db } = fresh;
    await allow(db, 200);
    const before = await fill(db, "before");
    expectUnavailable(before.refusals);
    expect(before.stored.length).toBeGreaterThan(CALLERS);
    expect(await namesIn(db)).toEqual(before.stored.toSorted());
    await allow(db, 400);
    const after = await fill(db, "after");
    expect(after.stored.length).toBeGreaterThan(CALLERS);
    expect(await namesIn(db)).toEqual([...before.stored, ...after.stored].toSorted());
  });

  test("where the engine gives up the whole transaction, the whole group is refused, also what had succeeded in it", async () => {
    await using fresh = await freshDatabase("sqlite");
    const { db } = fresh;
    const put = (name: string) => db.write((tx) => db.in(tx).insertInto("counters").values({ name, value: 1 }).execute());
    await allow(db, 60);
    // A statement without a journal of its own can only be undone with everything else: an insert of one row has none.
    const results = await Promise.allSettled([put("small"), put("x".repeat(500_000)), put("next")]);
    const told = results.map((result) => (result.status === "rejected" ? (result.reason as Error).name : "stored"));
    expect(told).toEqual(["AppError", "AppError", "stored"]);
    expect(await namesIn(db)).toEqual(["next"]);
  });

  test("a work that goes on after the engine has given up the transaction does not store what comes then", async () => {
    await using fresh = await freshDatabase("sqlite");
    const { db } = fresh;
    const insert = db.prepare<{ name: string }>((q, v) => q.insertInto("counters").values({ name: v("name"), value: 1 }));
    await allow(db, 60);
    const writing = db.write(async (tx) => {
      for (const name of ["x".repeat(500_000), "alone"]) await Promise.try(() => insert.run(tx, { name })).catch(() => {});
    });
    expect(await rejectionOf(writing)).toMatchObject({ code: "unavailable" });
    expect(await namesIn(db)).toEqual([]);
  });
});

/** A file system of 4 MB, where this process may make one. */
function mountSmallDisk(): (Disposable & { path: string; unmount(): boolean }) | undefined {
  const path = mkdtempSync(join(tmpdir(), "posthouse-disk-"));
  const quietly = (...command: string[]) => Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).success;
  const mounted = quietly("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", path);
  // Also after a test that failed half-way nothing stays mounted.
  const dispose = () => {
    quietly("umount", "--lazy", path);
    rmSync(path, { recursive: true });
  };
  if (mounted) return { path, unmount: () => quietly("umount", path), [Symbol.dispose]: dispose };
  rmSync(path, { recursive: true });
  return undefined;
}

/** Whether this machine lets us have a disk that is really full; elsewhere the tests above stand for it. */
function canMount(): boolean {
  using disk = process.platform === "linux" ? mountSmallDisk() : undefined;
  return disk !== undefined;
}

if (canMount())
  describe("on a disk that is full", () => {
    test("writes are refused as unavailable, nothing acknowledged is lost, and it goes on once there is room", async () => {
      using disk = mountSmallDisk()!;
      const ballast = join(disk.path, "ballast");
      writeFileSync(ballast, Buffer.alloc(1_500_000));
      const db = openDatabase(`sqlite:${join(disk.path, "posthouse.db")}`, silentLog);
      await migrate(db, { now: 0, backupPath: () => ballast });
      const before = await fill(db, "before");
      expectUnavailable(before.refusals);
      expect(before.stored.length).toBeGreaterThan(CALLERS);
      expect(await namesIn(db)).toEqual(before.stored.toSorted());
      rmSync(ballast);
      const after = await fill(db, "after");
      expect(after.stored.length).toBeGreaterThan(CALLERS);
      expect(await namesIn(db)).toEqual([...before.stored, ...after.stored].toSorted());
      await db.close();
      expectWhole(join(disk.path, "posthouse.db"));
      // What a closed database still held open would keep the disk busy.
      expect(disk.unmount()).toBe(true);
    });
  });
