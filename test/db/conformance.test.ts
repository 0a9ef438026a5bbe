import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import { listOf } from "#db/list.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { type FreshDatabase, STARTUP_MS_MAX, engines, freshDatabase } from "#test/support/databases.ts";
import { rejectionOf } from "#test/support/rejection.ts";

const START_OF_2100 = 4_102_444_800_000;

describe.each(engines())("the database on %s", (engine) => {
  let fresh: FreshDatabase;
  let db: Database;
  beforeAll(async () => {
    fresh = await freshDatabase(engine);
    db = fresh.db;
  }, STARTUP_MS_MAX);
  afterAll(() => fresh[Symbol.asyncDispose]());

  const put = (tx: Tx, name: string, value: number) => db.in(tx).insertInto("counters").values({ name, value }).execute();
  const read = async (name: string) =>
    (await db.read.selectFrom("counters").select("value").where("name", "=", name).executeTakeFirst())?.value;
  const statements = () => ({
    insert: db.prepare<{ name: string; value: number | null }>((q, v) =>
      q.insertInto("counters").values({ name: v("name"), value: v("value") as number }),
    ),
    find: db.prepare<{ name: string }, { name: string; value: number }>((q, v) =>
      q.selectFrom("counters").selectAll().where("name", "=", v("name")),
    ),
    raise: db.prepare<{ prefix: string; by: number }>((q, v) =>
      q
        .updateTable("counters")
        .set((row) => ({ value: row("value", "+", v("by")) }))
        .where("name", "like", v("prefix")),
    ),
  });

  test("a write is there to be read once its promise resolves, with its answer", async () => {
    const answer = await db.write(async (tx) => {
      await put(tx, "written", 7);
      return "done";
    });
    expect(answer).toBe("done");
    expect(await read("written")).toBe(7);
  });

  test("a work sees its own rows, and nobody else does before the commit", async () => {
    await db.write(async (tx) => {
      await put(tx, "own", 1);
      const own = await db.in(tx).selectFrom("counters").select("value").where("name", "=", "own").execute();
      expect(own).toEqual([{ value: 1 }]);
      // On SQLite a read answers in microtasks, on a server it takes another connection; PGlite has only one.
      if (engine !== "pglite") expect(await read("own")).toBeUndefined();
    });
    expect(await read("own")).toBe(1);
  });
  test("a work that throws stores nothing and rejects with what it threw", async () => {
    const fault = new Error("on purpose");
    const writing = db.write(async (tx) => {
      await put(tx, "undone", 1);
      throw fault;
    });
    expect(await rejectionOf(writing)).toBe(fault);
    expect(await read("undone")).toBeUndefined();
  });

  test("a work that throws before its first statement rejects too", async () => {
    const fault = new Error("at once");
    const writing = db.write(() => {
      throw fault;
    });
    expect(await rejectionOf(writing)).toBe(fault);
  });

  test("an eight-byte integer comes back as a number, from Kysely, prepared statements, counts and sums", async () => {
    const { insert, find } = statements();
    await db.write((tx) => insert.run(tx, { name: "long", value: START_OF_2100 }));
    expect(await read("long")).toBe(START_OF_2100);
    expect(await find.one(null, { name: "long" })).toEqual({ name: "long", value: START_OF_2100 });
    const totals = db.read
      .selectFrom("counters")
      .select((row) => [row.fn.countAll<number>().as("count"), row.fn.sum<number>("value").as("sum"), row.fn.max("value").as("max")])
      .where("name", "=", "long");
    expect(await totals.execute()).toEqual([{ count: 1, sum: START_OF_2100, max: START_OF_2100 }]);
    expect(await db.slowly(totals)).toEqual([{ count: 1, sum: START_OF_2100, max: START_OF_2100 }]);
  });

  test("a prepared statement takes new values on each call, within a write and without", async () => {
    const { insert, find } = statements();
    await db.write(async (tx) => {
      for (const value of [1, 2, 3]) expect(await insert.run(tx, { name: `prepared-${value}`, value })).toBe(1);
      expect((await find.one(tx, { name: "prepared-2" }))?.value).toBe(2);
    });
    expect(await find.all(null, { name: "prepared-3" })).toEqual([{ name: "prepared-3", value: 3 }]);
    expect(await find.all(null, { name: "prepared-4" })).toEqual([]);
    expect(await find.one(null, { name: "prepared-4" })).toBeUndefined();
  });

  test("a prepared statement tells how many rows it changed", async () => {
    const { insert, raise } = statements();
    await db.write(async (tx) => {
      for (const value of [1, 2, 3]) await insert.run(tx, { name: `changed-${value}`, value });
      expect(await raise.run(tx, { prefix: "changed-%", by: 10 })).toBe(3);
      expect(await raise.run(tx, { prefix: "nothing-%", by: 10 })).toBe(0);
    });
    expect(await read("changed-3")).toBe(13);
  });

  test("statements that are sent together keep their order", async () => {
    const { insert, raise, find } = statements();
    const found = await db.write(async (tx) => {
      const [, changed, row] = await Promise.all([
        insert.run(tx, { name: "together", value: 1 }),
        raise.run(tx, { prefix: "together", by: 4 }),
        find.one(tx, { name: "together" }),
      ]);
      return { changed, value: row?.value };
    });
    expect(found).toEqual({ changed: 1, value: 5 });
  });

  test("a statement whose answer nobody waits for is stored with the rest, and seen by the next one", async () => {
    const { insert, find } = statements();
    const seen = await db.write(async (tx) => {
      insert.later(tx, { name: "later-1", value: 1 });
      const row = await find.one(tx, { name: "later-1" });
      insert.later(tx, { name: "later-2", value: 2 });
      return row?.value;
    });
    expect(seen).toBe(1);
    expect(await read("later-2")).toBe(2);
  });

  test("a statement whose answer nobody waits for fails its work when it fails", async () => {
    const { insert, find } = statements();
    await db.write((tx) => put(tx, "later-taken", 1));
    const failing = (goOn: (tx: Tx) => Maybe<unknown>) =>
      db.write(async (tx) => {
        insert.later(tx, { name: "later-beside", value: 1 });
        insert.later(tx, { name: "later-taken", value: 2 });
        await goOn(tx);
      });
    expect(isUniqueViolation(await rejectionOf(failing(() => "nothing more")))).toBe(true);
    expect(isUniqueViolation(await rejectionOf(failing((tx) => find.one(tx, { name: "later-taken" }))))).toBe(true);
    expect(await read("later-beside")).toBeUndefined();
    expect(await read("later-taken")).toBe(1);
  });

  test("a prepared statement can be made before its table", async () => {
    const early = db.prepare<{ id: number }, { id: number }>((q, v) => {
      const query = sql`select id from later where id = ${v("id")}`;
      return { compile: () => query.compile(q) };
    });
    await db.write((tx) => sql`create table later (id integer primary key)`.execute(db.in(tx)));
    expect(await early.all(null, { id: 1 })).toEqual([]);
  });

  test("a named value that is missing in a prepared statement, asked for twice or used twice, throws", () => {
    type Values = { name: string; other: string };
    const make = (build: Parameters<typeof db.prepare<Values>>[0]) => () => db.prepare<Values>(build);
    expect(make((q, v) => (v("other"), q.selectFrom("counters").selectAll().where("name", "=", v("name"))))).toThrow("missing");
    expect(
      make((q, v) =>
        q
          .selectFrom("counters")
          .selectAll()
          .where("name", "in", [v("name"), v("name")]),
      ),
    ).toThrow("twice");
    expect(
      make((q, v) => {
        const name = v("name");
        return q.selectFrom("counters").selectAll().where("name", "=", name).where("name", "<>", name);
      }),
    ).toThrow("doubled");
  });

  test("values that the engines would not keep alike are refused", async () => {
    const { insert } = statements();
    for (const value of [undefined, true, new Date(0), {}])
      expect(
        String(await rejectionOf(db.write(async (tx) => insert.run(tx, { name: "odd", value: value as unknown as number })))),
      ).toContain("can't be");
    expect(await read("odd")).toBeUndefined();
  });

  test("a list of texts is one value, whatever its length", async () => {
    const { insert } = statements();
    const byNames = db.prepare<{ names: string }, { name: string }>((q, v) =>
      q
        .selectFrom("counters")
        .select("name")
        .where("name", "in", listOf(db.engine, v("names")))
        .orderBy("name"),
    );
    await db.write(async (tx) => {
      for (const name of ["list-a", "list-b", "list-ü'\"\\"]) await insert.run(tx, { name, value: 1 });
    });
    const named = async (names: string[]) => (await byNames.all(null, { names: JSON.stringify(names) })).map((row) => row.name);
    expect(await named([])).toEqual([]);
    expect(await named(["list-b", "list-ü'\"\\", "nobody"])).toEqual(["list-b", "list-ü'\"\\"]);
  });

  test("texts keep what is in them", async () => {
    const { insert, find } = statements();
    const name = "line\nfeed\ttab 'quote' \"double\" \\ % _ é ё 👍🏽 \u200d \u2028";
    await db.write((tx) => insert.run(tx, { name, value: 1 }));
    expect((await find.one(null, { name }))?.name).toBe(name);
  });

  test("a broken unique constraint is told from other faults", async () => {
    await db.write((tx) => put(tx, "unique", 1));
    const told = async (work: (tx: Tx) => Maybe<unknown>) => isUniqueViolation(await db.write(work).catch((error: unknown) => error));
    expect(await told((tx) => put(tx, "unique", 2))).toBe(true);
    expect(await told((tx) => statements().insert.run(tx, { name: "unique", value: 2 }))).toBe(true);
    expect(await told((tx) => statements().insert.run(tx, { name: "no value", value: null }))).toBe(false);
    expect(await told(() => Promise.reject(new Error("another")))).toBe(false);
    expect(await read("unique")).toBe(1);
  });

  test("a work fails with the first statement that failed, also when it has caught its error", async () => {
    await db.write((tx) => put(tx, "taken", 1));
    const { insert } = statements();
    const swallow = (insertAgain: (tx: Tx) => Maybe<unknown>) =>
      db.write(async (tx) => {
        await put(tx, "beside", 1);
        await Promise.resolve(tx)
          .then(insertAgain)
          .catch(() => {});
        return "as if nothing had been";
      });
    for (const again of [(tx: Tx) => put(tx, "taken", 2), (tx: Tx) => insert.run(tx, { name: "taken", value: 2 })])
      expect(isUniqueViolation(await swallow(again).catch((error: unknown) => error))).toBe(true);
    expect(await read("beside")).toBeUndefined();
    const goesOn = db.write(async (tx) => {
      await put(tx, "taken", 2).catch(() => {});
      await put(tx, "beside", 1);
    });
    expect(isUniqueViolation(await goesOn.catch((error: unknown) => error))).toBe(true);
    expect(await read("beside")).toBeUndefined();
  });

  test("a work that throws an answer of its own over a failed statement is told that", async () => {
    await db.write((tx) => put(tx, "own-answer", 1));
    const fault = new Error("it was there");
    const writing = db.write(async (tx) => {
      await put(tx, "own-answer", 2).catch(() => {
        throw fault;
      });
    });
    expect(await rejectionOf(writing)).toBe(fault);
  });

  test("what waits for the commit runs once the rows are there, and before the promise resolves", async () => {
    const seen: unknown[] = [];
    let readings: Promise<unknown> = Promise.resolve();
    await db.write(async (tx) => {
      tx.afterCommit(() => {
        readings = read("committed").then((value) => seen.push(value));
      });
      tx.afterCommit(() => seen.push("second"));
      await put(tx, "committed", 1);
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual(["second"]);
    await readings;
    expect(seen).toEqual(["second", 1]);
  });

  test("what waits for the commit never runs when the work fails", async () => {
    let ran = false;
    const failing = db.write(async (tx) => {
      tx.afterCommit(() => (ran = true));
      await put(tx, "failing", 1);
      throw new Error("on purpose");
    });
    expect(String(await rejectionOf(failing))).toContain("on purpose");
    await db.write((tx) => put(tx, "after-failing", 1));
    expect(ran).toBe(false);
  });

  test("what fails after the commit does not undo the answer, nor anyone else's", async () => {
    const writes = ["first", "second", "third"].map((name, value) =>
      db.write(async (tx) => {
        tx.afterCommit(() => {
          throw new Error("after the commit");
        });
        await put(tx, `after-${name}`, value);
        return name;
      }),
    );
    expect(await Promise.all(writes)).toEqual(["first", "second", "third"]);
    expect(await read("after-third")).toBe(2);
  });

  test("a transaction that is used after its end throws, by whatever way", async () => {
    const { insert } = statements();
    let kept: Tx | undefined;
    let kysely: ReturnType<Database["in"]> | undefined;
    await db.write((tx) => {
      kept = tx;
      kysely = db.in(tx);
    });
    const values = { name: "too late", value: 1 };
    expect(() => db.in(kept!)).toThrow("has ended");
    expect(() => kept!.afterCommit(() => {})).toThrow("has ended");
    expect(String(await rejectionOf(kysely!.insertInto("counters").values(values).execute()))).toContain("has ended");
    expect(String(await rejectionOf((async () => insert.run(kept!, values))()))).toContain("has ended");
    // Also while another one runs.
    await db.write(async () => {
      expect(String(await rejectionOf(kysely!.insertInto("counters").values(values).execute()))).toContain("has ended");
    });
    expect(await read("too late")).toBeUndefined();
  });

  test("many writes at once all get their own answer", async () => {
    const { insert } = statements();
    const names = Array.from({ length: 100 }, (_, i) => `many-${i}`);
    const answers = await Promise.all(names.map((name, value) => db.write(async (tx) => (await insert.run(tx, { name, value }), name))));
    expect(answers).toEqual(names);
    const { count } = await db.read
      .selectFrom("counters")
      .select((row) => row.fn.countAll<number>().as("count"))
      .where("name", "like", "many-%")
      .executeTakeFirstOrThrow();
    expect(count).toBe(100);
  });

  test("each commit is told to whoever counts them", async () => {
    const told: number[] = [];
    await using counted = await freshDatabase(engine, { hooks: { onCommit: (writes) => told.push(writes) } });
    told.length = 0;
    const failing = counted.db.write(() => Promise.reject(new Error("on purpose")));
    await Promise.allSettled([counted.db.write(() => 1), failing, counted.db.write(() => 2)]);
    expect(told.reduce((sum, writes) => sum + writes, 0)).toBe(2);
  });

  test("closing lets the writes that wait finish, refuses later ones, and can be done twice", async () => {
    await using closing = await freshDatabase(engine);
    const waiting = Array.from({ length: 20 }, (_, i) => closing.db.write(() => i));
    const closed = Promise.all([closing.db.close(), closing.db.close()]);
    expect(await rejectionOf(closing.db.write(() => "late"))).toMatchObject({ code: "unavailable" });
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await closed;
  });
});
