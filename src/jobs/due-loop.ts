import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import { isUnavailable } from "#src/core/errors.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

/** Rows of a table that have a time at which something is to be done with them. */
interface DueWork {
  /** When the earliest falls due, in real time (ms); null when none ever does. */
  nextAt(): Maybe<number | null>;
  /** Does up to `most` of what is due, in order of time, and gives each another time or none. @returns how many were done */
  perform(tx: Tx, now: number, most: number): Promise<number>;
  /** The first that is due can't be done, for a fault of ours or of its rows: it is put off, or given up, so that others go on. */
  setAside(tx: Tx, now: number): Promise<void>;
}

interface Needs {
  name: string;
  db: Pick<Database, "write">;
  clock: Clock;
  log: Log;
  work: DueWork;
}

export interface DueLoop extends Component {
  /** Something may be due now. */
  wake(): void;
  /** Somebody waits for an answer: until a second has passed without, little is done in one transaction. */
  makeWay(): void;
  /** Resolves when nothing is due and nothing is being done: for tests, for moving clocks and for stopping. */
  settled(): Promise<void>;
}

/** Done in one transaction; while requests come in, as many as take a few milliseconds. */
const MANY = 256;
const FEW = 8;
const POLITE_MS = 1_000;
/** Between two of these few, so that most of the processor is the requests': in real time, whatever the clock. */
const REST_MS = 5;
/** What another transaction holds is mostly free again at once: it is looked at so often, with so long between, in real time. */
const HELD_LOOKS_MAX = 5;
const HELD_MS = 10;
/** What another copy is doing, or what could not be done, is looked at again. */
const AGAIN_MS = 1_000;

interface State {
  started: boolean;
  /** Since it last looked. */
  woken: boolean;
  running: Promise<void> | undefined;
}

/**
 * Works off what falls due in a table of its own. The rows are the truth: what is done with them and when they are due again is
 * one transaction, so a crash repeats nothing, and what fell due while the program was away is done late, in order, once.
 */
export function createDueLoop({ name, db, clock, log, work }: Needs): DueLoop {
  const loop: State = { started: false, woken: false, running: undefined };
  let politeUntil = 0;
  let cancelTimer: (() => void) | undefined;

  function wake(): void {
    if (!loop.started) return;
    loop.woken = true;
    loop.running ??= run().finally(() => {
      loop.running = undefined;
      if (loop.woken) wake();
    });
  }

  async function run(): Promise<void> {
    cancelTimer?.();
    let next: number | null = null;
    try {
      do {
        loop.woken = false;
        next = await work.nextAt();
        for (let held = 0; loop.started && next !== null && next <= clock.now() && held < HELD_LOOKS_MAX;) {
          held = (await step()) > 0 ? 0 : held + 1;
          if (held > 0) await wait(HELD_MS);
          else if (clock.now() < politeUntil) await wait(REST_MS);
          next = await work.nextAt();
        }
      } while (loop.started && loop.woken);
    } catch (error) {
      log.error(`the ${name} loop could not go on; it tries again`, { error });
      next = clock.now();
    }
    if (!loop.started || next === null) return;
    const at = next <= clock.now() ? clock.now() + AGAIN_MS : next;
    cancelTimer = clock.at(at, wake);
  }

  /** @returns how many were done; where some spoil the others, one by one */
  async function step(): Promise<number> {
    const now = clock.now();
    const most = now < politeUntil ? FEW : MANY;
    try {
      return await db.write((tx) => work.perform(tx, now, most));
    } catch (error) {
      if (isUnavailable(error)) throw error;
      log.error(`something in the ${name} loop failed; each is done by itself`, { error });
    }
    return oneByOne(now, most);
  }

  async function oneByOne(now: number, most: number): Promise<number> {
    for (let done = 0; done < most && loop.started; done++) {
      try {
        if ((await db.write((tx) => work.perform(tx, now, 1))) === 0) return done;
      } catch (error) {
        if (isUnavailable(error)) throw error;
        log.error(`one of the ${name} loop can't be done, and is set aside`, { error });
        await db.write((tx) => work.setAside(tx, now));
      }
    }
    return most;
  }

  return {
    name,
    async start() {
      loop.started = true;
      wake();
    },
    async stop() {
      loop.started = false;
      cancelTimer?.();
      await loop.running;
    },
    wake,
    makeWay: () => void (politeUntil = clock.now() + POLITE_MS),
    async settled() {
      while (loop.running !== undefined) await loop.running;
    },
  };
}
