import { Database as File } from "bun:sqlite";
import { expect, test } from "bun:test";
import { sql } from "kysely";
import { statSync } from "node:fs";
import type { Database } from "#db/database.ts";
import type { Tx } from "#src/core/tx.ts";
import { type FreshDatabase, freshDatabase } from "#test/support/databases.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { startProgram } from "#test/support/start-program.ts";

const pathOf = (fresh: FreshDatabase) => (fresh.url ?? "").slice("sqlite:".length);
const compiled = (db: Database, query: ReturnType<typeof sql>) => ({ compile: () => query.compile(db.read) });
const turn = () => new Promise((resolve) => setImmediate(resolve));

function inserter(db: Database) {
  const insert = db.prepare<{ name: string; value: number }>((q, v) =>
    q.insertInto("counters").values({ name: v("name"), value: v("value") }),
  );
  return async (tx: Tx, name: string, value = 1) => {
    await insert.run(tx, { name, value });
  };
}

/** What is on disk, through a connection of its own. */
function beside(fresh: FreshDatabase): Disposable & { names(): string[] } {
  const file = new File(pathOf(fresh), { readonly: true });
  const statement = file.prepare<{ name: string }, []>("SELECT name FROM counters ORDER BY name");
  return { names: () => statement.all().map((row) => row.name), [Symbol.dispose]: () => file.close() };
}

test("nobody is answered before the rows of the whole group are on disk", async () => {
  await using fresh = await freshDatabase("sqlite");
  using disk = beside(fresh);
  const insert = inserter(fresh.db);
  const names = ["a", "b", "c", "d"];
  const seen: string[][] = [];
  const within: string[][] = [];
  await Promise.all(
    names.map(async (name) => {
      await fresh.db.write(async (tx) => {
        await insert(tx, name);
        within.push(disk.names());
      });
      seen.push(disk.names());
    }),
  );
  expect(within).toEqual([[], [], [], []]);
  expect(seen).toEqual([names, names, names, names]);
});

test("a write within a write is refused at once", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  expect(String(await rejectionOf(db.write(() => db.write(() => "inner"))))).toContain("db.write was called within a write");
  expect(await db.write(() => "later")).toBe("later");
});

test("a work that waits for anything but its transaction fails, and the others of its group do not", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  const insert = inserter(db);
  const gate = Promise.withResolvers<void>();
  let continued: Promise<unknown> = Promise.resolve();
  const works = [
    db.write((tx) => insert(tx, "before")),
    db.write((tx) => {
      continued = (async () => {
        await insert(tx, "waiting");
        await gate.promise;
        await insert(tx, "continued");
      })();
      return continued;
    }),
    db.write((tx) => insert(tx, "after")),
  ];
  const [before, waiting, after] = await Promise.allSettled(works);
  expect([before?.status, waiting?.status, after?.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  gate.resolve();
  expect(String(await rejectionOf(continued))).toContain("the transaction has ended");
  using disk = beside(fresh);
  expect(disk.names()).toEqual(["after", "before"]);
});

test("every one of several works that wait for something else is answered", async () => {
  await using fresh = await freshDatabase("sqlite");
  const never = new Promise(() => {});
  const writes = Array.from({ length: 5 }, () => fresh.db.write(() => never));
  for (const result of await Promise.allSettled(writes)) expect(String((result as PromiseRejectedResult).reason)).toContain("waited");
});

test("a work that ends the transaction by itself takes its group with it, and nothing of the group is stored", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  const insert = inserter(db);
  const results = await Promise.allSettled([
    db.write((tx) => insert(tx, "before")),
    db.write(async (tx) => {
      await sql`rollback`.execute(db.in(tx));
      await sql`insert into counters (name, value) values ('alone', 1)`.execute(db.in(tx)).catch(() => {});
    }),
    db.write((tx) => insert(tx, "next group")),
  ]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "fulfilled"]);
  expect((results[0] as PromiseRejectedResult).reason).toMatchObject({ code: "unavailable" });
  using disk = beside(fresh);
  expect(disk.names()).toEqual(["next group"]);
});

test("a work whose rows can't be told from the others' any more takes its group with it", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  const insert = inserter(db);
  const results = await Promise.allSettled([
    db.write((tx) => insert(tx, "before")),
    db.write(async (tx) => {
      await insert(tx, "half");
      await sql`release w`.execute(db.in(tx));
      throw new Error("without a savepoint to go back to");
    }),
    db.write((tx) => insert(tx, "next group")),
  ]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "fulfilled"]);
  using disk = beside(fresh);
  expect(disk.names()).toEqual(["next group"]);
});

test("more writes than may wait are refused as unavailable, and the others are stored", async () => {
  await using fresh = await freshDatabase("sqlite");
  const asked = 20_010;
  const results = await Promise.allSettled(Array.from({ length: asked }, () => fresh.db.write(() => 1)));
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused.length).toBe(10);
  expect(refused[0]!.reason).toMatchObject({ code: "unavailable", retryAfter: 1 });
});

test("while another program holds the file, writes wait, and neither reads nor the event loop do", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  const holder = startProgram("hold", pathOf(fresh));
  await holder.said(1);
  let answered = false;
  const writing = db.write((tx) => inserter(db)(tx, "waited")).then(() => (answered = true));
  const startedAt = performance.now();
  for (let i = 0; i < 20; i++) {
    await turn();
    expect(await db.read.selectFrom("counters").selectAll().execute()).toEqual([]);
  }
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(answered).toBe(false);
  await holder.end();
  await writing;
  using disk = beside(fresh);
  expect(disk.names()).toEqual(["waited"]);
});

test("what another program has written is noticed once, and our own writes are not", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  expect(db.changedElsewhere()).toBe(false);
  await db.write((tx) => inserter(db)(tx, "ours"));
  expect(db.changedElsewhere()).toBe(false);
  const program = startProgram("insert", pathOf(fresh), "theirs");
  await program.said(1);
  expect(db.changedElsewhere()).toBe(true);
  expect(db.changedElsewhere()).toBe(false);
  await program.end();
  // Also when one of our own writes came after it.
  const second = startProgram("insert", pathOf(fresh), "theirs too");
  await second.said(1);
  await db.write((tx) => inserter(db)(tx, "ours again"));
  expect(db.changedElsewhere()).toBe(true);
  expect((await db.read.selectFrom("counters").selectAll().execute()).length).toBe(4);
  await second.end();
});

test("a long read runs beside the event loop and beside writes", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  const counting = sql<{
    n: number;
  }>`with recursive c(n) as (select 1 union all select n + 1 from c where n < 2000000) select max(n) as n from c`;
  const progress = { done: false };
  const long = db.slowly(compiled(db, counting)).finally(() => (progress.done = true));
  let writes = 0;
  while (!progress.done) {
    await db.write((tx) => inserter(db)(tx, `beside-${writes++}`));
    await turn();
  }
  expect(await long).toEqual([{ n: 2_000_000 }]);
  expect(writes).toBeGreaterThan(5);
});

test("a long read that fails says why, and the next one works", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  expect(String(await rejectionOf(db.slowly(compiled(db, sql`select 1 from nowhere`))))).toContain("no such table: nowhere");
  expect(await db.slowly(compiled(db, sql`select 1 as one`))).toEqual([{ one: 1 }]);
});

test("the write-ahead log stays bounded under writes that never pause, beside a reader that never pauses", async () => {
  await using fresh = await freshDatabase("sqlite");
  const { db } = fresh;
  const insert = inserter(db);
  const text = "x".repeat(100_000);
  const reads = { wanted: true };
  const reader = (async () => {
    while (reads.wanted) await db.slowly(db.read.selectFrom("counters").select((row) => row.fn.countAll().as("n")));
  })();
  let longest = 0;
  for (let group = 0; group < 75; group++) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => db.write((tx) => insert(tx, `${group}-${i}-${text}`))));
    longest = Math.max(longest, statSync(`${pathOf(fresh)}-wal`).size);
  }
  reads.wanted = false;
  await reader;
  expect(longest).toBeLessThan(110_000_000);
  expect(statSync(pathOf(fresh)).size).toBeGreaterThan(30_000_000);
}, 30_000);
