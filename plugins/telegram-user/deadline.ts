import type { Clock } from "#src/core/clock.ts";

/** Why a request was given up. */
export class OutOfTime extends Error {
  override name = "OutOfTime";
}

/**
 * Does it, for so long at most.
 * @param signals that end it too
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signals: readonly AbortSignal[],
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const aborter = new AbortController();
  const cancel = clock.at(clock.now() + ms, () => aborter.abort(new OutOfTime(`No answer from Telegram within ${ms / 1_000} s.`)));
  const signal = AbortSignal.any([aborter.signal, ...signals]);
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason as Error);
  try {
    signal.throwIfAborted();
    signal.addEventListener("abort", end);
    // mtcute forgets a request whose connection is taken away: its promise alone would never end.
    return await Promise.race([act(signal), ended.promise]);
  } finally {
    cancel();
    signal.removeEventListener("abort", end);
  }
}
