import type { Database } from "#db/database.ts";
import { backoffMs } from "#src/core/backoff.ts";
import { isUnavailable } from "#src/core/errors.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Begun, Job, JobKind, Outcome, Ran } from "./job.ts";
import { settle, type Settled } from "./settle.ts";
import type { JobStore } from "./store.ts";

/** After a write that a full disk or a lost server refused. */
const REPEAT_MS = 1_000;
const FAILURE_BASE_MS = 5_000;
const FAILURE_MAX_MS = 3_600_000;
/** A job that could not be begun so many times, over some two minutes, is given up where its kind knows how. */
const BEGINS_MAX = 5;

/** What the runner tells of each job; every job that was given ends in exactly one of the last three. */
interface RunnerEvents {
  dispatched(job: Job): void;
  /** Its outcome is on disk. */
  settled(job: Job, outcome: Outcome, wasDispatched: boolean): void;
  /** It was no longer there to be taken. */
  gone(job: Job): void;
  /** Its lane has another owner by now: it is left to them. */
  lost(job: Job): void;
  /** Nothing was written, nothing was sent: it is where it was. */
  untouched(job: Job): void;
  /** The database refuses writes; the caller should not hand out more until this time (ms). */
  blocked(until: number): void;
}

export interface RunnerDeps {
  db: Database;
  store: JobStore;
  clock: Clock;
  log: Log;
  owner: string;
  kinds: ReadonlyMap<string, JobKind>;
  /** Makes sure that jobs of an environment begin by its time as it is on disk, where another copy may have moved it. */
  heed?: ((tx: Tx, env_id: number) => Maybe<void>) | undefined;
  events: RunnerEvents;
}

/** How a job's run began: as its kind says, or not, since its lane is no longer ours. */
type Started = Begun<unknown> | "lost";

interface Waiting {
  kind: JobKind;
  run: Ran<unknown, unknown>;
  /** What the runner decided where the kind itself failed; its `end` is not asked then. */
  failure: Outcome | undefined;
}

/** Takes jobs through their run: mark, do, record; each step on disk before the next. */
export function createRunner({ db, store, clock, log, owner, kinds, heed, events }: RunnerDeps) {
  const aborter = new AbortController();
  let finished: Waiting[] = [];
  let recording = false;
  const unrecorded: Waiting[] = [];
  /** How often jobs could not be begun, while this process lives; few ever can't. */
  const stumbles = new Map<string, number>();
  let cancelRepeat: (() => void) | undefined;

  async function run(jobs: Job[]): Promise<void> {
    const begun = await begin(jobs);
    for (const [job, start] of begun) {
      if (stumbles.size > 0 && start !== null && start !== "lost" && "ready" in start) stumbles.delete(`${job.env_id} ${job.id}`);
      if (start === null) events.gone(job);
      else if (start === "lost") events.lost(job);
      else if ("outcome" in start) events.settled(job, start.outcome, false);
      else void perform(job, start.ready);
    }
  }

  async function begin(jobs: Job[]): Promise<Map<Job, Started>> {
    try {
      return await db.write((tx) => mark(tx, jobs));
    } catch (error) {
      if (isUnavailable(error)) return leaveQueued(jobs, error);
      if (jobs.length === 1) return putOff(jobs[0]!, error);
      // One of them spoils the rest: each by itself, so that only that one waits.
      const begun = await Promise.all(jobs.map((job) => begin([job])));
      return new Map(begun.flatMap((one) => [...one]));
    }
  }

  function leaveQueued(jobs: Job[], error: unknown): Map<Job, Begun<unknown>> {
    log.warn("jobs could not be begun; they stay queued", { jobs: jobs.length, error });
    events.blocked(clock.now() + REPEAT_MS);
    for (const job of jobs) events.untouched(job);
    return new Map();
  }

  /** A job that can't be begun holds its own lane for a while, and no other; in the end it is given up. */
  async function putOff(job: Job, error: unknown): Promise<Map<Job, Started>> {
    const { giveUp } = kindOf(job.kind);
    const place = `${job.env_id} ${job.id}`;
    const times = (stumbles.get(place) ?? 0) + 1;
    const isLast = giveUp !== undefined && times >= BEGINS_MAX;
    if (isLast) stumbles.delete(place);
    else stumbles.set(place, times);
    log.error(`a job can't be begun; it is ${isLast ? "given up" : "tried again"}`, { kind: job.kind, job: job.id, lane: job.lane, error });
    try {
      return await end(isLast ? (tx) => giveUp(tx, job) : () => afterFailure(job));
    } catch (failure) {
      if (!isLast || isUnavailable(failure)) return leaveQueued([job], failure);
      log.error("a job can't be given up either; it is tried again", { kind: job.kind, job: job.id, lane: job.lane, error: failure });
      return end(() => afterFailure(job)).catch((last: unknown) => leaveQueued([job], last));
    }

    async function end(how: (tx: Tx) => Maybe<Outcome>): Promise<Map<Job, Started>> {
      const outcome = await db.write(async (tx) => {
        const decided = await how(tx);
        await settle(store, clock, tx, [{ job, outcome: decided }]);
        return decided;
      });
      return new Map([[job, { outcome }]]);
    }
  }

  async function mark(tx: Tx, jobs: Job[]): Promise<Map<Job, Started>> {
    const begun = new Map<Job, Started>();
    const settled: Settled[] = [];
    for (const [env_id, ofEnv] of Map.groupBy(jobs, (job) => job.env_id)) {
      await heed?.(tx, env_id);
      const names = new Set(ofEnv.map((job) => job.lane).filter((lane) => lane !== null));
      const lost = await store.lanesLost(tx, env_id, [...names], owner);
      const isLost = (job: Job) => job.lane !== null && lost.has(job.lane);
      for (const job of ofEnv.filter(isLost)) begun.set(job, "lost");
      const ours = ofEnv.filter((job) => !isLost(job));
      for (const [name, ofKind] of Map.groupBy(ours, (job) => job.kind)) {
        const starts = await kindOf(name).begin(tx, ofKind);
        for (const [at, job] of ofKind.entries()) {
          const start = starts[at] ?? null;
          begun.set(job, start);
          if (start !== null && "outcome" in start) settled.push({ job, outcome: start.outcome });
        }
      }
    }
    await settle(store, clock, tx, settled);
    return begun;
  }

  async function perform(job: Job, ready: unknown): Promise<void> {
    const kind = kindOf(job.kind);
    events.dispatched(job);
    let failure: Outcome | undefined;
    let result: unknown;
    try {
      result = await kind.run(ready, aborter.signal);
    } catch (error) {
      log.error("a job failed in a way that it does not expect; it is tried again", { kind: job.kind, job: job.id, error });
      failure = afterFailure(job);
    }
    // Only now: the list that was there before the wait may have been recorded meanwhile.
    finished.push({ kind, run: { job, ready, result }, failure });
    if (recording) return;
    recording = true;
    setImmediate(() => void record());
  }

  /** What finished together is recorded together. */
  async function record(): Promise<void> {
    const batch = finished;
    finished = [];
    recording = false;
    if (batch.length === 0) return;
    try {
      const outcomes = await db.write((tx) => end(tx, batch));
      for (const [at, { run }] of batch.entries()) events.settled(run.job, outcomes[at]!, true);
    } catch (error) {
      // One of them spoils the rest: each by itself, so that only that one stays.
      if (batch.length > 1 && !isUnavailable(error)) for (const one of batch) void recordOne(one);
      else recordLater(batch, error);
    }
  }

  async function recordOne(one: Waiting): Promise<void> {
    try {
      const [outcome] = await db.write((tx) => end(tx, [one]));
      events.settled(one.run.job, outcome!, true);
    } catch (error) {
      recordLater([one], error);
    }
  }

  /** Outcomes are known and must not be lost while the program lives: they are kept until they can be written. */
  function recordLater(batch: Waiting[], error: unknown): void {
    log.error("outcomes could not be recorded; they are kept and written again", { jobs: batch.length, error });
    const until = clock.now() + REPEAT_MS;
    if (isUnavailable(error)) events.blocked(until);
    unrecorded.push(...batch);
    cancelRepeat ??= clock.at(until, () => {
      cancelRepeat = undefined;
      finished.push(...unrecorded.splice(0));
      void record();
    });
  }

  async function end(tx: Tx, batch: Waiting[]): Promise<Outcome[]> {
    const outcomes = new Map<Waiting, Outcome>();
    for (const one of batch) if (one.failure !== undefined) outcomes.set(one, one.failure);
    const sound = batch.filter((one) => one.failure === undefined);
    for (const [kind, waiting] of Map.groupBy(sound, ({ kind }) => kind)) {
      const ended = await kind.end(
        tx,
        waiting.map(({ run }) => run),
      );
      for (const [at, one] of waiting.entries()) outcomes.set(one, ended[at]!);
    }
    const settled = batch.map((one) => ({ job: one.run.job, outcome: outcomes.get(one)! }));
    await settle(store, clock, tx, settled);
    return settled.map(({ outcome }) => outcome);
  }

  function kindOf(name: string): JobKind {
    const kind = kinds.get(name);
    if (kind === undefined) throw new Error(`there is no job kind ${name}`);
    return kind;
  }

  return {
    run,
    kindOf,
    /** Breaks off what is on the wire; each run still ends in an outcome. */
    abort: () => aborter.abort(),
    /** Writes no more what could not be written so far: a later start settles it. @returns how many outcomes that are */
    giveUp(): number {
      cancelRepeat?.();
      return unrecorded.length;
    },
  };
}

function afterFailure(job: Job): Outcome {
  return { kind: "retry", ms: backoffMs(job.attempts + 1, FAILURE_BASE_MS, FAILURE_MAX_MS), reason: "internal error" };
}
