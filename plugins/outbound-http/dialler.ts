import type { Clock } from "#src/core/clock.ts";
import type { Attempt } from "./attempt.ts";
import { dial } from "./dial.ts";
import { Failure } from "./failure.ts";
import type { Line } from "./line.ts";
import type { Finding } from "./resolver.ts";
import type { Target } from "./target.ts";

/** How long the first of several addresses may keep the next one waiting. */
const NEXT_ADDRESS_MS = 3_000;
const ADDRESSES_MAX = 4;
/** Connecting can't be called off, and the system goes on for some two minutes: with so many left of a place no more are begun. */
const LEFT_MAX = 8;

export interface Dialler {
  /** @throws Failure */
  connect(target: Target, finding: Finding, attempt: Attempt): Promise<Line>;
}

/**
 * Tries the addresses of a finding one after another until one takes the connection.
 * @param dialOne makes one connection
 */
export function createDialler(clock: Clock, ca: string | undefined, dialOne = dial): Dialler {
  /** How many dials of a place were left while they connect, and who waits for their end. */
  const left = new Map<string, { count: number; wake: (() => void)[] }>();

  async function connectTo(target: Target, address: string, judgedAt: number, attempt: Attempt, during = attempt.during): Promise<Line> {
    const place = `${address} ${target.port}`;
    for (let full = left.get(place); full !== undefined && full.count >= LEFT_MAX; full = left.get(place)) {
      const { wake } = full;
      await during(new Promise<void>((resolve) => void wake.push(resolve)));
    }
    const dialled = dialOne(target, address, judgedAt, attempt, ca);
    try {
      return await during(dialled.line);
    } catch (error) {
      dialled.leave();
      remember(place, dialled.over);
      throw error;
    }
  }

  /** Counts what was left until the system has done with it. */
  function remember(place: string, over: Promise<void>): void {
    const entry = left.get(place) ?? { count: 0, wake: [] };
    entry.count++;
    left.set(place, entry);
    void over.then(() => {
      if (--entry.count === 0) left.delete(place);
      for (const wake of entry.wake.splice(0)) wake();
    });
  }

  /** As `connectTo`, but gives up while there is time for another address. */
  async function connectSoon(target: Target, address: string, judgedAt: number, attempt: Attempt): Promise<Line> {
    const late = Promise.withResolvers<never>();
    const cancel = clock.at(clock.now() + NEXT_ADDRESS_MS, () => late.reject(new Failure("connect", "no connection came about in time")));
    try {
      return await connectTo(target, address, judgedAt, attempt, (promise) => attempt.during(Promise.race([promise, late.promise])));
    } finally {
      cancel();
    }
  }

  return {
    async connect(target, { addresses, at }, attempt) {
      const tried = addresses.slice(0, ADDRESSES_MAX);
      const last = tried.pop()!;
      for (const address of tried) {
        attempt.stage = "connect";
        try {
          return await connectSoon(target, address, at, attempt);
        } catch (error) {
          if (attempt.broken !== null || !(error instanceof Failure) || error.stage !== "connect") throw error;
        }
      }
      attempt.stage = "connect";
      return connectTo(target, last, at, attempt);
    },
  };
}
