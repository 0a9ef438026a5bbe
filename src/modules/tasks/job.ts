import { backoffMs } from "#src/core/backoff.ts";
import type { Clock } from "#src/core/clock.ts";
import { isUnavailable } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Begun, Job, JobKind, Outcome } from "#src/jobs/job.ts";
import type { EndTask } from "./ending.ts";
import type { TaskKind } from "./model.ts";
import { hasEnded, toRunning } from "./present.ts";
import type { TaskRow, TaskStore } from "./store.ts";
import { createTurns } from "./turns.ts";

export const RUN_JOB = "tasks.run";
/** A run of the job ends after so long, well within its lease: then others that wait for a place in the loop have theirs. */
const BURST_MS = 1_000;
const BURST_STEPS_MAX = 200;
/** A step that has failed so many times in a row, over half a minute, fails its task. */
const FAILURES_MAX = 5;
const RETRY_BASE_MS = 2_000;
const RETRY_MAX_MS = 60_000;
/** While the database refuses writes. */
const UNAVAILABLE_MS = 1_000;
/** Another copy, of a newer version, may know the kind. */
const UNKNOWN_KIND_MS = 60_000;

const INTERNAL_ERROR = {
  code: "internal_error",
  message: "Something failed on our side, again and again. What was done before stays done.",
};

interface Needs {
  store: TaskStore;
  clock: Clock;
  log: Log;
  kinds: ReadonlyMap<string, TaskKind>;
  end: EndTask;
  /** The database's `write`, and when to begin one of many. */
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  calm(): Promise<void>;
}

/** Runs tasks: each run takes some steps and puts the job back, until the task has ended. */
export function taskJob({ store, clock, log, kinds, end, write, calm }: Needs): JobKind<TaskRow, Outcome> {
  const inTurn = createTurns();

  async function begin(tx: Tx, { env_id, id }: Job): Promise<Begun<TaskRow>> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined || hasEnded(row)) return { outcome: { kind: "done" } };
    if (!kinds.has(row.kind)) return { outcome: { kind: "snooze", ms: UNKNOWN_KIND_MS, reason: "unknown kind" } };
    if (row.status === "running") return { ready: row };
    const running = { ...row, status: "running", updated_at: clock.now(row.env_id) };
    await store.record(tx, running);
    return { ready: running };
  }

  /** The row, locked, if it still is as the caller knows it; null when it has ended or another copy has gone on with it. */
  async function lockAsKnown(tx: Tx, { env_id, id, steps }: TaskRow): Promise<TaskRow | null> {
    const row = await store.lock(tx, env_id, id);
    return row === undefined || hasEnded(row) || row.steps !== steps ? null : row;
  }

  async function takeStep(known: TaskRow, signal: AbortSignal): Promise<TaskRow | null> {
    const kind = kinds.get(known.kind)!;
    const batch = await kind.prepare(toRunning(kind, known), signal);
    if (signal.aborted) return known;
    return inTurn(async () => {
      await calm();
      return write(async (tx) => {
        const row = await lockAsKnown(tx, known);
        if (row === null) return null;
        const step = await kind.apply(tx, toRunning(kind, row), batch);
        const state = JSON.stringify(step.state);
        const after = { ...row, ...step.progress, state, steps: row.steps + 1, failures: 0, updated_at: clock.now(row.env_id) };
        if (step.kind === "done") return end(tx, after, { status: "done", actor: "job" });
        if (step.kind === "failed") return end(tx, after, { status: "failed", error: step.error, actor: "job" });
        await store.record(tx, after);
        return after;
      });
    });
  }

  async function run(begun: TaskRow, signal: AbortSignal): Promise<Outcome> {
    const until = clock.now() + BURST_MS;
    let row = begun;
    try {
      for (let steps = 0; steps < BURST_STEPS_MAX && clock.now() < until && !signal.aborted; steps++) {
        const after = await takeStep(row, signal);
        if (after === null) return { kind: "gone" };
        if (hasEnded(after)) return { kind: "done" };
        row = after;
      }
      return { kind: "snooze", ms: 0, reason: "not done yet" };
    } catch (error) {
      if (isUnavailable(error)) return { kind: "snooze", ms: UNAVAILABLE_MS, reason: "database unavailable" };
      log.error("a step of a long job failed", { kind: row.kind, job: row.id, failures: row.failures + 1, error });
      return noteFailure(row);
    }
  }

  async function noteFailure(known: TaskRow): Promise<Outcome> {
    const failures = known.failures + 1;
    if (failures < FAILURES_MAX) {
      const noted = await write(async (tx) => {
        const row = await lockAsKnown(tx, known);
        if (row !== null) await store.record(tx, { ...row, failures, updated_at: clock.now(row.env_id) });
        return row !== null;
      });
      return noted ? { kind: "retry", ms: backoffMs(failures, RETRY_BASE_MS, RETRY_MAX_MS), reason: "internal error" } : { kind: "gone" };
    }
    const ended = await giveUp(known, false).catch((error: unknown) => {
      if (isUnavailable(error)) throw error;
      log.error("a long job can't be ended as its kind would have it", { kind: known.kind, job: known.id, error });
      return giveUp(known, true);
    });
    return ended ? { kind: "done" } : { kind: "gone" };
  }

  /** @returns false when the task has ended or gone on meanwhile */
  function giveUp(known: TaskRow, withoutKind: boolean): Promise<boolean> {
    return write(async (tx) => {
      const row = await lockAsKnown(tx, known);
      if (row !== null) await end(tx, row, { status: "failed", error: INTERNAL_ERROR, actor: "job", withoutKind });
      return row !== null;
    });
  }

  return {
    kind: RUN_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    async begin(tx, jobs) {
      const begun: Begun<TaskRow>[] = [];
      for (const job of jobs) begun.push(await begin(tx, job));
      return begun;
    },
    run,
    end: (_tx, runs) => runs.map(({ result }) => result),
  };
}

/** Takes steps without a loop. */
export function createTaskRunner({ running, clock, write }: Pick<Needs, "clock" | "write"> & { running: ReturnType<typeof taskJob> }) {
  /**
   * Takes some steps of a task, for whoever has no loop running; a loop that does so too does no harm.
   * @returns whether there are more, and nobody else was seen at them
   */
  return async (env_id: number, id: string, signal: AbortSignal): Promise<boolean> => {
    const job: Job = { env_id, id, kind: running.kind, lane: null, chat: null, run_at: clock.now(), payload: "", attempts: 0 };
    const [begun] = await write((tx) => running.begin(tx, [job]));
    if (begun === undefined || begun === null || !("ready" in begun)) return false;
    return (await running.run(begun.ready, signal)).kind === "snooze";
  };
}
