import type { Tx } from "./tx.ts";

/** A move of an environment's clock, as far as it has come. */
export interface Move {
  env_id: number;
  /** Real time (ms), as all times here. */
  now: number;
  /** The long job that moves the clock: it is not among what is due. */
  job_id: string;
}

/**
 * A kind of things that fall due, for whoever moves an environment's clock. They are kept in real time, so that one index tells what
 * is due in all environments: a clock that goes ahead brings what waits nearer.
 */
export interface DueSource {
  /** When the next of the environment's things falls due, after now; null when none waits. */
  nextAt(tx: Tx, move: Move): Promise<number | null>;
  /** What waits beyond now is due by so much earlier. */
  shift(tx: Tx, move: Move, by_ms: number): Promise<void>;
  /** Nothing of the environment is due by now, and nothing of it is under way, in whatever copy. */
  isQuiet(move: Move): Promise<boolean>;
  /** The rows were shifted, by this copy or another: what is kept in memory of times follows, and what is due is looked for. */
  moved(env_id: number, by_ms: number): void;
}
