import { setTimeout as wait } from "node:timers/promises";
import { backoffMs } from "#src/core/backoff.ts";
import { AppError } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { DatabaseHooks } from "#db/database.ts";
import { asUnavailable, codeOf } from "#db/errors.ts";
import type { Pool } from "./client.ts";
import { PostgresTx } from "./transaction.ts";

/** Runs writes in transactions side by side, as many as there are connections. */
export interface Writer {
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  /** Takes no more writes, and resolves when those that it took are answered. */
  close(): Promise<void>;
}

const ATTEMPTS_MAX = 8;
/** Writes that may wait for a connection. */
const WAITING_MAX = 20_000;
/** serialization_failure, deadlock_detected: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html */
const repeatable = new Set(["40001", "40P01"]);

export function createWriter(pool: Pool, log: Log, hooks: DatabaseHooks): Writer {
  let running = 0;
  let closed: { promise: Promise<void>; resolve: () => void } | undefined;

  async function once<T>(work: (tx: Tx) => Maybe<T>): Promise<T> {
    const connection = await pool.reserve();
    const tx = new PostgresTx(connection);
    const startedAt = performance.now();
    let value: T;
    try {
      tx.begin();
      value = await work(tx as unknown as Tx);
      await tx.commit();
    } catch (error) {
      const told = await tx.rollback(error);
      // A work that has turned a deadlock into an answer of its own is run again all the same.
      throw repeatable.has(codeOf(tx.failure)) ? tx.failure : told;
    } finally {
      await connection.release();
    }
    for (const then of tx.waiting) safely(then);
    safely(() => hooks.onCommit?.(1, (performance.now() - startedAt) / 1000));
    return value;
  }

  async function repeating<T>(work: (tx: Tx) => Maybe<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(work);
      } catch (error) {
        if (attempt === ATTEMPTS_MAX || !repeatable.has(codeOf(error))) throw asUnavailable(error);
        await wait(backoffMs(attempt, 5, 200));
      }
    }
  }

  function settleClose(): void {
    if (running === 0) closed?.resolve();
  }

  function safely(then: () => void): void {
    try {
      then();
    } catch (error) {
      log.error("what waited for a commit failed", { error });
    }
  }

  return {
    async write(work) {
      if (closed !== undefined) throw new AppError("unavailable", "The database is being closed.", { retryAfter: 5 });
      if (running >= WAITING_MAX)
        throw new AppError("unavailable", "Too many writes are waiting. Nothing was stored; repeat shortly.", { retryAfter: 1 });
      running++;
      try {
        return await repeating(work);
      } finally {
        running--;
        settleClose();
      }
    },
    close() {
      if (closed === undefined) {
        closed = Promise.withResolvers<void>();
        settleClose();
      }
      return closed.promise;
    },
  };
}
