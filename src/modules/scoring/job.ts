import { type Clock, toTime } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";

const FORGET_JOB = "scoring.forget";
const FADE_JOB = "scoring.fade";
/** Who read the rules before one went has written by then. */
const WAIT_MS = 10_000;
/** Rows a transaction, so that nobody waits for housekeeping. */
const ROWS_MAX = 200;
/** Transactions a run, so that it ends well within its lease. */
const STEPS_MAX = 100;

interface Needs {
  forgetRule(tx: Tx, env_id: number, rule_id: string, most: number): Promise<number>;
  removeFaded(tx: Tx, now: number, most: number): Promise<number>;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  clock: Clock;
}

interface Forgotten {
  env_id: number;
  rule_id: string;
}

/** Takes points away that count no more: those of a rule that was deleted, and, hourly, those that have faded. */
export function scoringJobs({ forgetRule, removeFaded, write, clock }: Needs): JobKind[] {
  /** @returns whether nothing is left */
  async function repeat(step: (tx: Tx) => Promise<number>, signal: AbortSignal): Promise<boolean> {
    for (let at = 0; at < STEPS_MAX && !signal.aborted; at++) if ((await write(step)) < ROWS_MAX) return true;
    return false;
  }
  const free = { laneLimits: () => [], chatLimits: () => [] };
  const forget: JobKind<Forgotten, boolean> = {
    kind: FORGET_JOB,
    ...free,
    begin: (_tx, jobs) => jobs.map(({ payload }) => ({ ready: JSON.parse(payload) as Forgotten })),
    run: ({ env_id, rule_id }, signal) => repeat((tx) => forgetRule(tx, env_id, rule_id, ROWS_MAX), signal),
    end: (_tx, runs) => runs.map(({ result }) => (result ? { kind: "done" } : { kind: "snooze", ms: 0, reason: "more points" })),
  };
  const fade: JobKind<null, boolean> = {
    kind: FADE_JOB,
    ...free,
    begin: (_tx, jobs) => jobs.map(() => ({ ready: null })),
    run: (_ready, signal) => repeat((tx) => removeFaded(tx, clock.now(), ROWS_MAX), signal),
    end: (_tx, runs) => runs.map(({ result }) => (result ? { kind: "done" } : { kind: "snooze", ms: 0, reason: "more points" })),
  };
  return [forget, fade];
}

/** The job that takes a deleted rule's points away. */
export function forgetting(forgotten: Forgotten, now: number): NewJob {
  const { env_id, rule_id } = forgotten;
  const id = `${FORGET_JOB}.${rule_id}`;
  return { env_id, id, kind: FORGET_JOB, lane: null, chat: null, run_at: now + WAIT_MS, payload: JSON.stringify(forgotten), eta: null };
}

/** The job of one hour: the same on every copy, so that one of them does it. Belongs to no environment. */
export function fadeAt(now: number): NewJob {
  const hour = toTime(now).slice(0, 13);
  return { env_id: 0, id: `${FADE_JOB}.${hour}`, kind: FADE_JOB, lane: null, chat: null, run_at: now, payload: "", eta: null };
}
