import { SQL } from "bun";
import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { openDatabase } from "#db/open.ts";
import { silentLog } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import { engines, freshDatabase } from "#test/support/databases.ts";
import { rejectionOf } from "#test/support/rejection.ts";

const put = (db: Database, tx: Tx, name: string, value = 1) => db.in(tx).insertInto("counters").values({ name, value }).execute();
const add = (db: Database, tx: Tx, name: string) =>
  db
    .in(tx)
    .updateTable("counters")
    .set((row) => ({ value: row("value", "+", 1) }))
    .where("name", "=", name)
    .execute();
const countersIn = (db: Database) => db.read.selectFrom("counters").selectAll().orderBy("name").execute();

/** Lets works go on only when as many have come. */
function barrier(parties: number): () => Promise<void> {
  const open = Promise.withResolvers<void>();
  let waiting = 0;
  return () => {
    if (++waiting >= parties) open.resolve();
    return open.promise;
  };
}

test("a server that is not there makes writes and reads unavailable", async () => {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  const db = openDatabase(`postgres://posthouse@127.0.0.1:${port}/none`, silentLog);
  for (const ask of [() => db.write((tx) => put(db, tx, "a")), () => countersIn(db)])
    expect(await rejectionOf(ask())).toMatchObject({ name: "AppError", code: "unavailable", retryAfter: 5 });
  await db.close();
});

if (engines().includes("postgres"))
  describe("a PostgreSQL server", () => {
    test("a work that can't be serialised with another is run again, and both are stored", async () => {
      await using fresh = await freshDatabase("postgres");
      const { db } = fresh;
      await db.write((tx) => put(db, tx, "sum", 0));
      const met = barrier(2);
      let runs = 0;
      const work = (name: string) => async (tx: Tx) => {
        runs++;
        await sql`set transaction isolation level serializable`.execute(db.in(tx));
        const { rows } = await sql<{ n: number }>`select count(*) as n from counters`.execute(db.in(tx));
        await met();
        await put(db, tx, name, rows[0]!.n);
      };
      await Promise.all([db.write(work("one")), db.write(work("two"))]);
      expect(runs).toBe(3);
      expect((await countersIn(db)).map((row) => row.value).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    });

    test("of works that lock each other out one is run again, and both are stored", async () => {
      await using fresh = await freshDatabase("postgres");
      const { db } = fresh;
      await db.write(async (tx) => {
        for (const name of ["a", "b"]) await put(db, tx, name, 0);
      });
      const met = barrier(2);
      const afterwards: string[] = [];
      const work = (first: string, second: string) => async (tx: Tx) => {
        tx.afterCommit(() => afterwards.push(first));
        await sql`set local deadlock_timeout = '10ms'`.execute(db.in(tx));
        await add(db, tx, first);
        await met();
        await add(db, tx, second);
      };
      await Promise.all([db.write(work("a", "b")), db.write(work("b", "a"))]);
      expect(await countersIn(db)).toEqual([
        { name: "a", value: 2 },
        { name: "b", value: 2 },
      ]);
      expect(afterwards.toSorted()).toEqual(["a", "b"]);
    });

    test("a lock-out that the work has turned into an answer of its own is run again too", async () => {
      await using fresh = await freshDatabase("postgres");
      const { db } = fresh;
      let runs = 0;
      const answer = await db.write(async (tx) => {
        runs++;
        if (runs === 1)
          await sql`do $$ begin raise exception using errcode = '40P01'; end $$`.execute(db.in(tx)).catch(() => {
            throw new Error("an answer of its own");
          });
        return "done";
      });
      expect([answer, runs]).toEqual(["done", 2]);
    });

    test("a connection that the server ends makes its write unavailable, stores nothing of it, and is replaced", async () => {
      await using fresh = await freshDatabase("postgres");
      const { db } = fresh;
      await using admin = new SQL(fresh.url ?? "", { max: 1 });
      const endedWithin = (then: (tx: Tx) => Promise<unknown>) =>
        db.write(async (tx) => {
          await put(db, tx, "half");
          const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db.in(tx));
          await admin`select pg_terminate_backend(${rows[0]!.pid}, 5000)`;
          await then(tx);
        });
      const thens = [
        (tx: Tx) => put(db, tx, "other half"),
        () => Promise.resolve(),
        (tx: Tx) => put(db, tx, "swallowed").catch(() => put(db, tx, "alone").catch(() => {})),
      ];
      for (const then of thens) expect(await rejectionOf(endedWithin(then))).toMatchObject({ name: "AppError", code: "unavailable" });
      expect(await countersIn(db)).toEqual([]);
      const names = Array.from({ length: 30 }, (_, i) => `after-${String(i).padStart(2, "0")}`);
      await Promise.all(names.map((name) => db.write((tx) => put(db, tx, name))));
      expect((await countersIn(db)).map((row) => row.name)).toEqual(names);
    });

    test("works on several connections run side by side, and each sees what was committed before it began", async () => {
      await using fresh = await freshDatabase("postgres");
      const { db } = fresh;
      const met = barrier(5);
      const values = await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          db.write(async (tx) => {
            await put(db, tx, `side-${i}`);
            await met();
            return (await db.in(tx).selectFrom("counters").selectAll().execute()).length;
          }),
        ),
      );
      expect(values.every((seen) => seen >= 1 && seen <= 5)).toBe(true);
      expect((await countersIn(db)).length).toBe(5);
    });
  });
