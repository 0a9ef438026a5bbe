import type { Clock } from "#src/core/clock.ts";
import type { Link } from "#src/modules/connections/model.ts";
import { isTokenRefused, patienceOf } from "./outcome.ts";
import type { NoAnswer, Refused } from "./wire.ts";

const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 30_000;

interface Needs {
  link: Pick<Link, "failed" | "refused">;
  clock: Clock;
  signal: AbortSignal;
}

/** What one bot does about calls that fail: waits longer each time, and gives up once its token is refused. */
export function createSetbacks({ link, clock, signal }: Needs) {
  let count = 0;
  const nextPause = () => Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** count++);

  /** Until the account is disconnected, also where the database refuses writes for now. */
  async function giveUp(reason: string): Promise<void> {
    while (!signal.aborted) {
      try {
        await link.refused(reason, false);
        return;
      } catch {
        link.failed(reason);
        await pause(nextPause());
      }
    }
  }

  /** Waits, but not for longer than the connection lasts. */
  async function pause(ms: number): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => resolve();
    const cancel = clock.at(clock.now() + ms, end);
    signal.addEventListener("abort", end);
    await promise;
    cancel();
    signal.removeEventListener("abort", end);
  }

  return {
    pause,
    /** A call has succeeded. */
    over(): void {
      count = 0;
    },
    /** @param told in place of Telegram's own words; null where it is not worth telling yet @returns whether to go on */
    async heed(answer: Refused | NoAnswer, told?: string | null): Promise<boolean> {
      if (signal.aborted) return false;
      const isRefused = answer.kind === "refused";
      const reason = isRefused ? answer.description : answer.reason;
      if (isRefused && isTokenRefused(answer)) {
        await giveUp(reason);
        return false;
      }
      if (told !== null) link.failed(told ?? reason);
      await pause((isRefused ? patienceOf(answer) : null) ?? nextPause());
      return !signal.aborted;
    },
  };
}

export type Setbacks = ReturnType<typeof createSetbacks>;
