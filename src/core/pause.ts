import type { Clock } from "./clock.ts";

/** Waits. Ends early when the signal says so. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = clock.at(clock.now() + ms, resolve);
    signal.addEventListener("abort", () => (cancel(), resolve()), { once: true });
  });
}
