import type { Clock } from "#src/core/clock.ts";
import { catchUpChannels, learnChats } from "./dialogs.ts";
import { faultOf } from "./errors.ts";
import type { Live } from "./live.ts";

interface Needs {
  live: Live;
  /** Whether the account was never listened to before. */
  isFirst: boolean;
  clock: Clock;
  ended: AbortSignal;
  /** It did not work, and is done again. */
  complain(error: unknown): void;
}

/** Reads which chats there are and how far they have come: asked at each beginning, and done until it works. */
export interface Reading {
  /** Resolves once it was tried. */
  read(): Promise<void>;
}

const AGAIN_MS = 5_000;

export function createReading({ live, isFirst, clock, ended, complain }: Needs): Reading {
  let isLearnt = !isFirst;
  let cancel: () => void = () => undefined;
  ended.addEventListener("abort", () => cancel());

  async function read(): Promise<void> {
    cancel();
    try {
      await (isLearnt ? catchUpChannels : learnChats)(live, ended);
      isLearnt = true;
    } catch (error) {
      if (ended.aborted) return;
      complain(error);
      cancel();
      cancel = clock.at(clock.now() + waitOf(error), () => void read());
    }
  }
  return { read };
}

/** As long as Telegram says, where it does. */
export function waitOf(error: unknown): number {
  const fault = faultOf(error);
  return fault?.code === 420 && fault.number !== null ? Math.max(fault.number * 1_000, AGAIN_MS) : AGAIN_MS;
}
