import type { Log } from "#src/core/log.ts";
import { type File, prepareOn } from "./connection.ts";
import type { SideThread } from "./side-thread.ts";
import type { Writer } from "./writer.ts";

/** Frames (pages of 4 KB) that gather in the log between checkpoints: 16 MB. */
const FRAMES_BETWEEN = 4_000;
/** From this size (64 MB) the log must begin anew, for which writes stand still while the last of it is moved. */
const FRAMES_MAX = 16_000;
/** Each moves what came in during the one before it, the last of them some dozens of pages. */
const PASSES_BEFORE_HOLD = 3;
/** What moving the rest may take at most. */
const HOLD_MS_MAX = 1_000;
/** How long the log's new beginning waits, and writes with it, for a reader that is on an older snapshot. */
export const READER_MS_MAX = 100;

/** Moves the write-ahead log into the database file beside the writer, and stops the writer only when it outruns that. */
export function createCheckpoints(writing: File, side: SideThread, writer: Writer, log: Log) {
  // This mode moves nothing: it tells the log's length and how much of it has been moved.
  const logState = prepareOn(writing, "PRAGMA wal_checkpoint(NOOP)");
  /** What the last checkpoint had to leave. */
  let left = 0;
  let running: Promise<void> | undefined;
  let restarting: Promise<void> | undefined;

  function frames(): { all: number; unmoved: number } {
    const [, all, moved] = logState.values()[0] as [number, number, number];
    return { all, unmoved: all - moved };
  }

  async function run(): Promise<void> {
    try {
      await side.checkpoint("PASSIVE");
      if (frames().all > FRAMES_MAX) {
        restarting = restart();
        await restarting;
      }
    } catch (error) {
      log.error("checkpoint failed; the write-ahead log grows until one succeeds", { error });
    }
    left = frames().unmoved;
    [running, restarting] = [undefined, undefined];
  }

  /**
   * While the writer is held the checkpoint reaches the log's end, and the next write begins it anew. Before that the log is
   * moved up to its end while writes go on: the engine syncs the database file only when it gets there before the next commit,
   * which one of some short passes does, and then the last pass finds next to nothing to move and to sync.
   */
  async function restart(): Promise<void> {
    for (let pass = 0; pass < PASSES_BEFORE_HOLD; pass++) await side.checkpoint("PASSIVE");
    const release = writer.hold(HOLD_MS_MAX);
    try {
      await side.checkpoint("RESTART");
    } finally {
      release();
    }
  }

  return {
    /** To be told of each group. */
    committed(): void {
      if (running === undefined && frames().unmoved - left >= FRAMES_BETWEEN) running = run();
    },
    /** Resolves when the log is not being begun anew. */
    calm: (): Promise<void> => restarting?.catch(() => undefined) ?? Promise.resolve(),
    /** Resolves when none runs. */
    settled: (): Promise<void> => running ?? Promise.resolve(),
  };
}
