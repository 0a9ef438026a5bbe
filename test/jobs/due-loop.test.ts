import { describe, expect, test } from "bun:test";
import { AppError } from "#src/core/errors.ts";
import { createLog } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import { createDueLoop } from "#src/jobs/due-loop.ts";
import { createTestClock } from "#test/support/test-clock.ts";

/** Rows in memory, with a database that has as many transactions as it is asked for. */
function stage(due: Record<string, number>, spoilt: ReadonlySet<string> = new Set()) {
  const clock = createTestClock();
  const from = clock.now();
  const rows = new Map(Object.entries(due).map(([id, ms]) => [id, from + ms]));
  const transactions: string[][] = [];
  const lines: string[] = [];
  const faults: Error[] = [];
  /** So many times somebody else holds all that is due. */
  const held = { looks: 0 };
  const inOrder = () => [...rows].toSorted(([, a], [, b]) => a - b);
  const loop = createDueLoop({
    name: "rows",
    clock,
    log: createLog({ level: "debug", format: "json", now: clock.now, write: (line) => lines.push(line) }),
    db: {
      async write(work) {
        const fault = faults.shift();
        if (fault !== undefined) throw fault;
        return work({} as Tx);
      },
    },
    work: {
      nextAt: () => inOrder()[0]?.[1] ?? null,
      async perform(_tx, now, most) {
        if (held.looks-- > 0) return 0;
        const taken = inOrder()
          .filter(([, at]) => at <= now)
          .slice(0, most)
          .map(([id]) => id);
        if (taken.some((id) => spoilt.has(id))) throw new Error("a fault of ours");
        for (const id of taken) rows.delete(id);
        if (taken.length > 0) transactions.push(taken);
        return taken.length;
      },
      async setAside(_tx, now) {
        rows.set(inOrder()[0]![0], now + 60_000);
      },
    },
  });
  return { clock, loop, rows, transactions, lines, faults, held };
}

describe("the loop of what is due", () => {
  test("does what is due in order of time, together, and nothing before its time", async () => {
    const { clock, loop, transactions } = stage({ b: -1, a: -2, c: 5_000 });
    await loop.start();
    await loop.settled();
    expect(transactions).toEqual([["a", "b"]]);
    clock.advance(4_999);
    await loop.settled();
    expect(transactions).toHaveLength(1);
    clock.advance(1);
    await loop.settled();
    expect(transactions).toEqual([["a", "b"], ["c"]]);
    await loop.stop();
  });

  test("does little at a time while somebody waits for an answer", async () => {
    const { loop, transactions } = stage(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`row ${at}`, at - 100])));
    loop.makeWay();
    await loop.start();
    await loop.settled();
    expect(transactions.map(({ length }) => length)).toEqual([8, 8, 4]);
    await loop.stop();
  });

  test("sets aside the one that can't be done, and goes on with the others", async () => {
    const { loop, transactions, rows, lines } = stage({ a: -3, b: -2, c: -1 }, new Set(["b"]));
    await loop.start();
    await loop.settled();
    expect(transactions).toEqual([["a"], ["c"]]);
    expect([...rows.keys()]).toEqual(["b"]);
    expect(lines.filter((line) => line.includes("set aside"))).toHaveLength(1);
    await loop.stop();
  });

  test("waits while the database refuses writes, and loses nothing", async () => {
    const { clock, loop, transactions, faults } = stage({ a: -1 });
    faults.push(new AppError("unavailable", "The disk is full."));
    await loop.start();
    await loop.settled();
    expect(transactions).toEqual([]);
    clock.advance(1_000);
    await loop.settled();
    expect(transactions).toEqual([["a"]]);
    await loop.stop();
  });

  test("looks again at once for what another transaction holds, and a second later for what it goes on holding", async () => {
    const { clock, loop, transactions, held } = stage({ a: 0, b: 10_000 });
    held.looks = 2;
    await loop.start();
    await loop.settled();
    expect(transactions).toEqual([["a"]]);
    held.looks = 5;
    clock.advance(10_000);
    await loop.settled();
    expect(transactions).toEqual([["a"]]);
    clock.advance(1_000);
    await loop.settled();
    expect(transactions).toEqual([["a"], ["b"]]);
    await loop.stop();
  });

  test("does nothing once it is stopped", async () => {
    const { clock, loop, transactions } = stage({ a: 1_000 });
    await loop.start();
    await loop.settled();
    await loop.stop();
    clock.advance(2_000);
    loop.wake();
    await loop.settled();
    expect(transactions).toEqual([]);
  });
});
