import { AppError } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { DatabaseHooks } from "#db/database.ts";
import { asUnavailable, codeOf } from "#db/errors.ts";
import type { File } from "./connection.ts";
import { type Outcome, type Write, createGroup } from "./group.ts";

/** Writes that arrive together share one transaction and one fsync. */
export interface Writer {
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  /** Runs nothing until the answer is called, or `ms` have passed: for a checkpoint that must catch up. */
  hold(ms: number): () => void;
  /** Takes no more writes, and resolves when everything that was asked for is on disk or refused. */
  close(): Promise<void>;
}

/** A group ends when it has this many writes, or has run this long: later arrivals must not wait for ever. */
const GROUP_WRITES_MAX = 512;
const GROUP_MS_MAX = 10;
/** Writes that may wait for their group. */
const QUEUE_WRITES_MAX = 20_000;
/** Another program on the same file commits within milliseconds; past this it hangs. */
const BUSY_MS_MAX = 5_000;
const BUSY_RETRY_MS = 2;

export function createWriter(file: File, log: Log, hooks: DatabaseHooks): Writer {
  const group = createGroup(file);
  let queue: Write[] = [];
  let scheduled = false;
  let running = false;
  let holds = 0;
  let busySince = 0;
  let closed: { promise: Promise<void>; resolve: () => void } | undefined;
  let healthy = true;

  function schedule(): void {
    if (queue.length === 0 && !running) closed?.resolve();
    if (scheduled || running || holds > 0 || queue.length === 0) return;
    scheduled = true;
    setImmediate(runGroup);
  }

  function runGroup(): void {
    scheduled = false;
    if (running || holds > 0 || !tryBegin()) return;
    running = true;
    const startedAt = performance.now();
    let taken = 0;
    const next = () =>
      taken === GROUP_WRITES_MAX || (taken > 0 && performance.now() - startedAt > GROUP_MS_MAX) ? undefined : queue[taken++];
    void group.run(next).then((outcomes) => {
      const failure = group.commit();
      queue = queue.slice(outcomes.length);
      running = false;
      schedule();
      settle(outcomes, failure, (performance.now() - startedAt) / 1000);
    });
  }

  /** @returns false when the file is locked by another program, after arranging for a later try */
  function tryBegin(): boolean {
    try {
      group.begin();
      busySince = 0;
      return true;
    } catch (error) {
      busySince ||= performance.now();
      if (isBusy(error) && performance.now() - busySince < BUSY_MS_MAX) {
        scheduled = true;
        setTimeout(runGroup, BUSY_RETRY_MS);
        return false;
      }
      busySince = 0;
      const refused = queue;
      queue = [];
      for (const write of refused) write.reject(isBusy(error) ? lockedError(error) : asUnavailable(error));
      schedule();
      return false;
    }
  }

  /** Nobody is answered before the commit, and one answer's fault never costs another its own. */
  function settle(outcomes: Outcome[], failure: { reason: unknown } | undefined, seconds: number): void {
    if (failure !== undefined && healthy) log.error("writes do not reach the disk", { error: failure.reason });
    if (failure === undefined && !healthy) log.info("writes reach the disk again");
    healthy = failure === undefined;
    let stored = 0;
    for (const outcome of outcomes) {
      // One that failed by itself may have done so over a row of another that is now gone too.
      if (failure !== undefined) outcome.write.reject(failure.reason);
      else if (!outcome.ok) outcome.write.reject(outcome.error);
      else {
        stored++;
        for (const then of outcome.tx.waiting) safely(then);
        outcome.write.resolve(outcome.value);
      }
    }
    if (stored > 0) safely(() => hooks.onCommit?.(stored, seconds));
  }

  function safely(then: () => void): void {
    try {
      then();
    } catch (error) {
      log.error("what waited for a commit failed", { error });
    }
  }

  return {
    write<T>(work: (tx: Tx) => Maybe<T>): Promise<T> {
      if (group.inWork()) throw new Error("db.write was called within a write: pass the running transaction on instead");
      if (closed !== undefined) return Promise.reject(new AppError("unavailable", "The database is being closed.", { retryAfter: 5 }));
      if (queue.length >= QUEUE_WRITES_MAX) return Promise.reject(overloadedError());
      return new Promise<T>((resolve, reject) => {
        queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
        schedule();
      });
    },
    hold(ms) {
      let held = true;
      holds++;
      const release = () => {
        if (!held) return;
        held = false;
        holds--;
        clearTimeout(timer);
        schedule();
      };
      const timer = setTimeout(release, ms);
      return release;
    },
    close() {
      if (closed === undefined) {
        closed = Promise.withResolvers<void>();
        schedule();
      }
      return closed.promise;
    },
  };
}

function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY");
}

function lockedError(cause: unknown): AppError {
  return new AppError("unavailable", "Another program holds the database. Nothing was stored; repeat shortly.", { retryAfter: 5, cause });
}

function overloadedError(): AppError {
  return new AppError("unavailable", "Too many writes are waiting. Nothing was stored; repeat shortly.", { retryAfter: 1 });
}
