import { AppError } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { asUnavailable } from "#db/errors.ts";
import { type File, prepareOn } from "./connection.ts";
import { SqliteTx, lostTransaction } from "./transaction.ts";

export interface Write {
  work: (tx: Tx) => Maybe<unknown>;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

export type Outcome = { write: Write; ok: true; value: unknown; tx: SqliteTx } | { write: Write; ok: false; error: unknown };

/** Runs writes strictly one after another within one transaction, each in a savepoint of its own. */
export interface Group {
  begin(): void;
  /** @param next gives the next write; the group ends when it gives none, or when the transaction is gone */
  run(next: () => Write | undefined): Promise<Outcome[]>;
  /** Ends the transaction. @returns why nothing of the group is stored, or undefined when it is on disk */
  commit(): { reason: unknown } | undefined;
  /** True while the synchronous part of a work runs. */
  inWork(): boolean;
}

export function createGroup(file: File): Group {
  const [begin, commit, rollback] = [prepareOn(file, "BEGIN IMMEDIATE"), prepareOn(file, "COMMIT"), prepareOn(file, "ROLLBACK")];
  const [savepoint, release, undo] = [prepareOn(file, "SAVEPOINT w"), prepareOn(file, "RELEASE w"), prepareOn(file, "ROLLBACK TO w")];
  let inWork = false;
  /** What made the engine, or us, give up the whole transaction. */
  let lostTo: unknown;

  function abandon(fault: unknown): void {
    lostTo ??= fault;
    try {
      if (file.inTransaction) rollback.run();
    } catch (error) {
      // The next group tries again before it begins.
      lostTo = new AggregateError([lostTo, error], "a rollback failed");
    }
  }

  function runWrite(write: Write, orStalled: Guard): Outcome | Promise<Outcome> {
    const tx = new SqliteTx(file);
    try {
      savepoint.run();
      inWork = true;
      const value = write.work(tx as unknown as Tx);
      inWork = false;
      if (value instanceof Promise) return finish(write, tx, orStalled(value));
      return succeeded(write, tx, value);
    } catch (error) {
      inWork = false;
      return failed(write, tx, error);
    }
  }

  async function finish(write: Write, tx: SqliteTx, pending: Promise<unknown>): Promise<Outcome> {
    try {
      return succeeded(write, tx, await pending);
    } catch (error) {
      return failed(write, tx, error);
    }
  }

  function succeeded(write: Write, tx: SqliteTx, value: unknown): Outcome {
    // It may have caught the error with which the engine rolled everything back.
    tx.check();
    release.run();
    tx.open = false;
    return { write, ok: true, value, tx };
  }

  function failed(write: Write, tx: SqliteTx, error: unknown): Outcome {
    tx.open = false;
    try {
      // After a full disk or an I/O error there may be nothing left to undo to.
      if (file.inTransaction) {
        undo.run();
        release.run();
      } else lostTo ??= error;
    } catch (fault) {
      // What it wrote can't be told from what the others wrote: none of it may stay.
      abandon(fault);
    }
    return { write, ok: false, error: asUnavailable(error) };
  }

  return {
    begin() {
      lostTo = undefined;
      if (file.inTransaction) rollback.run();
      begin.run();
    },
    async run(next) {
      const outcomes: Outcome[] = [];
      const guard = createGuard();
      for (let write = next(); write !== undefined; write = next()) {
        const outcome = runWrite(write, guard.orStalled);
        outcomes.push(outcome instanceof Promise ? await outcome : outcome);
        if (!file.inTransaction || guard.fired()) break;
      }
      guard.dismiss();
      return outcomes;
    },
    commit() {
      try {
        if (file.inTransaction) {
          commit.run();
          return undefined;
        }
      } catch (error) {
        abandon(error);
      }
      const reason = asUnavailable(lostTo);
      return { reason: reason instanceof AppError ? reason : lostTransaction(lostTo) };
    },
    inWork: () => inWork,
  };
}

type Guard = (pending: Promise<unknown>) => Promise<unknown>;

/**
 * Everything that a work may await answers in microtasks: when the event loop turns first, it waits for something else.
 * Made before the first work runs, so that it fires before whatever a work has set up.
 */
function createGuard() {
  let stalled: ((error: Error) => void) | undefined;
  let fired = false;
  const timer = setImmediate(() => {
    fired = true;
    stalled?.(new Error("a write waited for something other than its transaction"));
  });
  return {
    orStalled: (pending: Promise<unknown>): Promise<unknown> =>
      new Promise((resolve, reject) => {
        stalled = reject;
        pending.then(resolve, reject);
      }),
    fired: () => fired,
    dismiss: () => clearImmediate(timer),
  };
}
