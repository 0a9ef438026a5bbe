import type { Clock } from "#src/core/clock.ts";
import { SessionEnded } from "./errors.ts";

/** A request was given up before it was answered. */
export class Unanswered extends Error {
  override name = "Unanswered";
}

/**
 * Does it, for so long at most.
 * @param signals that end it too
 * @throws Unanswered, or SessionEnded
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signals: readonly AbortSignal[],
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const aborter = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (error: Error) => {
    aborter.abort(error);
    // mtcute forgets a request whose connection is taken away: its promise alone would never end.
    ended.reject(error);
  };
  const cancel = clock.at(clock.now() + ms, () => end(new Unanswered(`No answer from Telegram within ${ms / 1_000} s.`)));
  const outer = AbortSignal.any([...signals]);
  const stop = () => end(outer.reason instanceof SessionEnded ? outer.reason : new Unanswered("Stopped before Telegram answered."));
  try {
    outer.addEventListener("abort", stop);
    if (outer.aborted) stop();
    return await Promise.race([ended.promise, ...(outer.aborted ? [] : [act(aborter.signal)])]);
  } finally {
    cancel();
    outer.removeEventListener("abort", stop);
  }
}
