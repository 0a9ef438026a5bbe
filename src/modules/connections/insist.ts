import type { Clock } from "#src/core/clock.ts";
import { isUnavailable } from "#src/core/errors.ts";

/** After a write that a full disk or a lost server refused. */
const REPEAT_MS = 1_000;

/** Does it again for as long as the database refuses writes. @throws what else it throws; the signal's reason once it is aborted */
export async function insist<T>(clock: Clock, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    await pause(clock, signal);
  }
}

/** Waits, but not for longer than it is wanted. */
export async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const cancel = clock.at(clock.now() + REPEAT_MS, end);
  signal.addEventListener("abort", end);
  await promise;
  cancel();
  signal.removeEventListener("abort", end);
}
