import { type Clock, unmoved } from "#src/core/clock.ts";
import { createMovedClock, type MovedClock } from "#src/core/moved-clock.ts";

/** A clock that stands still until it is moved. */
export interface TestClock extends MovedClock {
  /** Moves by `ms` at once; what falls due meanwhile fires in order, each at its own time. */
  advance(ms: number): void;
  /** Moves back, as when somebody sets the wall clock; timers stay where they are. */
  turnBack(ms: number): void;
  /** When the next timer is due; null when none waits. */
  nextTimer(): number | null;
}

/** Moves the clock on, by so much each turn, until something is done that may wait for it. */
export async function movingOn<T>(clock: TestClock, work: Promise<T>, ms = 1_000): Promise<T> {
  const waiting = { over: false };
  const finish = () => (waiting.over = true);
  void work.then(finish, finish);
  while (!waiting.over) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(ms);
  }
  return work;
}

interface Timer {
  at: number;
  fire: () => void;
}

const DAY_MS = 86_400_000;
const NOON_MS = DAY_MS / 2;

/** Ids of one process never go back in time, so no clock begins before one that ran already has ended. */
let newest = Date.UTC(2031, 0, 1);

/**
 * A clock that begins at noon (UTC) of a day which no clock of this process has seen.
 * @param from begins where that one stands instead
 */
export function createTestClock(from?: Clock): TestClock {
  let now = from?.now() ?? Math.ceil(newest / DAY_MS) * DAY_MS + NOON_MS;
  newest = Math.max(newest, now + 1);
  let timers: Timer[] = [];

  function next(): Timer | undefined {
    return timers.reduce<Timer | undefined>((first, timer) => (first === undefined || timer.at < first.at ? timer : first), undefined);
  }

  function remove(timer: Timer): void {
    timers = timers.filter((one) => one !== timer);
  }

  function moveTo(at: number): void {
    now = Math.max(now, at);
    newest = Math.max(newest, now + 1);
  }

  const base: Clock = {
    ...unmoved,
    now: () => now,
    at(at, fire) {
      const timer = { at, fire };
      timers.push(timer);
      // As with the system's clock, what is due already fires soon, not within the call.
      if (at <= now) setImmediate(() => timers.includes(timer) && (remove(timer), fire()));
      return () => remove(timer);
    },
  };

  const moved = createMovedClock(base);
  return {
    ...moved,
    move(env_id, offset_ms) {
      moved.move(env_id, offset_ms);
      newest = Math.max(newest, now + offset_ms + 1);
    },
    advance(ms) {
      const until = now + ms;
      for (let timer = next(); timer !== undefined && timer.at <= until; timer = next()) {
        moveTo(timer.at);
        remove(timer);
        timer.fire();
      }
      moveTo(until);
    },
    turnBack: (ms) => void (now -= ms),
    nextTimer: () => next()?.at ?? null,
  };
}
