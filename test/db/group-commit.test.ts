import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import type { Tx } from "#src/core/tx.ts";
import { freshDatabase } from "#test/support/databases.ts";

/** One thing that a work does. Names are few, so that works clash. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("insert" as const), name: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), name: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 3, arbitrary: fc.constant({ do: "await" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "throw" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("insert, and swallow the error" as const), name: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "wait for something else" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "write within the write" as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Expected = { rows: number } | { fault: "unique" | "thrown" | "stalled" | "nested" };

/** What each work must be told, and the names that are stored in the end. */
function model(works: Step[][]): { told: Expected[]; stored: Set<number> } {
  let stored = new Set<number>();
  const told = works.map((steps): Expected => {
    const mine = new Set(stored);
    let clashed = false;
    for (const one of steps) {
      if (one.do === "throw") return { fault: "thrown" };
      if (one.do === "write within the write") return { fault: "nested" };
      if (one.do === "wait for something else") return { fault: "stalled" };
      const swallows = one.do === "insert, and swallow the error";
      if (clashed && !swallows) return { fault: "unique" };
      if (one.do === "remove") mine.delete(one.name);
      if (one.do === "insert" && mine.has(one.name)) return { fault: "unique" };
      if (swallows) clashed ||= mine.has(one.name);
      if (one.do === "insert" || swallows) mine.add(one.name);
    }
    if (clashed) return { fault: "unique" };
    stored = mine;
    return { rows: mine.size };
  });
  return { told, stored };
}

function performer(db: Database) {
  const insert = db.prepare<{ name: string }>((q, v) => q.insertInto("counters").values({ name: v("name"), value: 1 }));
  const remove = db.prepare<{ name: string }>((q, v) => q.deleteFrom("counters").where("name", "=", v("name")));
  const count = db.prepare<Record<string, never>, { n: number }>((q) =>
    q.selectFrom("counters").select((row) => row.fn.countAll().as("n")),
  );
  return async (tx: Tx, steps: Step[], committed: () => void) => {
    tx.afterCommit(committed);
    for (const one of steps) {
      if (one.do === "throw") throw new Error("thrown");
      if (one.do === "await") await db.in(tx).selectFrom("counters").select("name").limit(1).execute();
      if (one.do === "write within the write") await db.write(() => "nested");
      if (one.do === "wait for something else") await new Promise((resolve) => setImmediate(resolve));
      if (one.do === "insert") await insert.run(tx, { name: String(one.name) });
      if (one.do === "remove") await remove.run(tx, { name: String(one.name) });
      if (one.do === "insert, and swallow the error") await swallowing(() => insert.run(tx, { name: String(one.name) }));
    }
    return (await count.one(tx, {}))?.n;
  };
}

async function swallowing(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeDefined();
  }
}

/** One that is asked for before the work's first wait is refused at once, a later one when the work waits for it. */
const faults = {
  thrown: /thrown/,
  stalled: /something other than its transaction/,
  nested: /within a write|something other than its transaction/,
};

function checkTold(expected: Expected, answer: PromiseSettledResult<unknown>): void {
  if ("rows" in expected) return expect(answer).toEqual({ status: "fulfilled", value: expected.rows });
  const reason: unknown = answer.status === "rejected" ? answer.reason : undefined;
  if (expected.fault === "unique") expect(isUniqueViolation(reason)).toBe(true);
  else expect(String(reason)).toMatch(faults[expected.fault]);
}

test("whatever the works of a group do, each is told the truth, and the table is what the successful ones made of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 6 }), { minLength: 1, maxLength: 30 }), async (works) => {
      await using fresh = await freshDatabase("sqlite");
      const perform = performer(fresh.db);
      const committed: number[] = [];
      const answers = await Promise.allSettled(
        works.map((steps, i) => fresh.db.write((tx) => perform(tx, steps, () => committed.push(i)))),
      );
      const { told, stored } = model(works);
      told.forEach((expected, i) => checkTold(expected, answers[i]!));
      expect(committed).toEqual(told.flatMap((expected, i) => ("rows" in expected ? [i] : [])));
      const rows = await fresh.db.read.selectFrom("counters").select("name").execute();
      expect(new Set(rows.map((row) => Number(row.name)))).toEqual(stored);
    }),
    { numRuns: 80 },
  );
}, 30_000);
