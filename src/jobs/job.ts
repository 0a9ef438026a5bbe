import type { Component } from "#src/core/lifecycle.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

/** A unit of work that is kept in the database until its outcome is recorded. */
export interface Job {
  env_id: number;
  id: string;
  kind: string;
  /** A text key such as `account:10001`: jobs of a lane share its pace, its holds and its owner. null: free of all that. */
  lane: string | null;
  /** Within a lane, jobs of one chat run one after another, in order. */
  chat: string | null;
  /** Milliseconds of real time; not before. Stays what it was when the job goes back to the queue, and with it its place. */
  run_at: number;
  /** Runs that have failed so far. */
  attempts: number;
  /** What the kind needs, as it likes. */
  payload: string;
}

export interface NewJob extends Omit<Job, "attempts"> {
  /** When the lane's pace will let it go, as far as can be told. */
  eta: number | null;
}

/** What became of a run. */
export type Outcome =
  | { kind: "done"; rest?: Rest }
  /** Never to be tried again; the kind has recorded why. */
  | { kind: "discard"; code: string; rest?: Rest }
  /** Somebody else has settled it, or put it back: the queue is left as it is. */
  | { kind: "gone" }
  /** Not now: back to its place, the lane held for `ms`. Costs no attempt. */
  | { kind: "snooze"; ms: number; reason: string }
  /** Not now: back to its place, the chat held for `ms` and not the lane. Costs no attempt; forgotten with the process. */
  | { kind: "snooze_chat"; ms: number; reason: string }
  /** Not before a time (ms, by the clock of its environment): out of the way of the others, to a later place. Costs no attempt. */
  | { kind: "postpone"; until: number }
  /** Failed, and safe to repeat: back to its place, the lane held for `ms`. Costs an attempt. */
  | { kind: "retry"; ms: number; reason: string }
  /** The lane must not go on until somebody has mended it: back to its place. Costs no attempt. */
  | { kind: "stop"; reason: string };

/** The lane waits for so long after a job that has ended. */
interface Rest {
  ms: number;
  reason: string;
}

/** At most `count` in any `per_ms` milliseconds. */
export interface Limit {
  count: number;
  per_ms: number;
}

/** What a kind of job does. `begin` and `end` are in a transaction and touch nothing else; `run` is outside of any. */
export interface JobKind<Ready = unknown, Result = unknown> {
  readonly kind: string;
  laneLimits(job: Job): readonly Limit[];
  chatLimits(job: Job): readonly Limit[];
  /** How many of its jobs may run in one lane at a time; without it as many as the loop likes. */
  laneRunningMax?(job: Job): number;
  /**
   * Called with jobs of one environment just before they run. A kind that must know after a crash what was running marks its
   * own rows here; the others run again. One answer a job: go on, an outcome at once, or null where there is nothing to do any more.
   */
  begin(tx: Tx, jobs: Job[]): Maybe<Begun<Ready>[]>;
  /** Does it. Must not throw for anything that can be expected. */
  run(ready: Ready, signal: AbortSignal): Promise<Result>;
  /** Records what came out, in the transaction that ends the job. One outcome a run. */
  end(tx: Tx, runs: Ran<Ready, Result>[]): Maybe<Outcome[]>;
  /**
   * Ends a job that could not be begun again and again, for a fault of ours or of its rows, so that its lane goes on.
   * Without it such a job is tried for ever, ever more rarely.
   */
  giveUp?(tx: Tx, job: Job): Maybe<Outcome>;
  /** Settles what its marks say was running in a lane when the lane's owner died. Without it a kind leaves no marks. */
  rescue?(tx: Tx, env_id: number, lane: string): Maybe<Rescued[]>;
}

export type Begun<Ready> = { ready: Ready } | { outcome: Outcome } | null;

/** What became of a job whose owner died. */
export interface Rescued {
  id: string;
  outcome: Outcome;
}

export interface Ran<Ready, Result> {
  job: Job;
  ready: Ready;
  result: Result;
}

/** Does the work of some lanes by itself: the loop only leases them for it. */
export interface LaneServer {
  /** How the names of its lanes begin. */
  readonly prefix: string;
  /** These are ours from now on: all of them, each time. */
  serve(lanes: readonly { env_id: number; lane: string }[]): void;
}

/** Puts a job into the queue with the rows that it belongs to; the loop hears of it after the commit. */
export type Enqueue = (tx: Tx, job: NewJob) => void;

export interface JobLoop extends Component {
  /** Puts a job into the queue; the loop looks at it after the commit. */
  enqueue(tx: Tx, job: NewJob): void;
  /** Takes a waiting job out of the queue. @returns false when it runs already or is gone */
  withdraw(tx: Tx, env_id: number, id: string): Promise<boolean>;
  /** Makes a lane known; to be called where its account is made. */
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  pauseLane(tx: Tx, env_id: number, lane: string, paused: boolean): Promise<void>;
  /** Ends a lane's wait where this is its reason. */
  releaseLane(tx: Tx, env_id: number, lane: string, reason: string): Promise<void>;
  /** Which of these lanes have another owner by now. */
  lanesLost(tx: Tx, env_id: number, lanes: readonly string[]): Promise<ReadonlySet<string>>;
  /** Looks at once whose the lanes are. */
  refreshLanes(): void;
  lastEta(tx: Tx, env_id: number, lane: string, now: number): Promise<number | null>;
  /** Somebody waits for an answer: until a second has passed without, jobs run in small groups. */
  makeWay(): void;
  /** Another program has written to the queue or to the lanes: look everywhere. */
  rescan(): void;
  /** What waits in an environment is due by so much earlier (ms). */
  moved(env_id: number, by_ms: number): void;
  /** Jobs of an environment's lanes that this process has under way. */
  inFlight(env_id: number): number;
  /** Resolves when nothing is due and nothing runs: for tests and for stopping. */
  settled(): Promise<void>;
  /** True from the end of `start` to `stop`. */
  isRunning(): boolean;
  stats(): { lanes: number; held: number; buffered: number; running: number };
}
