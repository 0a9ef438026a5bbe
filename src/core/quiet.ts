import type { Clock } from "./clock.ts";

/** For so long (ms) nobody may have asked. */
const QUIET_MS = 1_000;

/** Tells long work whether somebody waits for this process's writes: then it takes short steps. */
export function createQuiet(clock: Clock) {
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    /** Whether nobody has asked for a while. */
    isQuiet: (): boolean => clock.now() - askedAt > QUIET_MS,
    /** The same write, which is noted as asked for. */
    noting:
      <Args extends unknown[], Result>(write: (...args: Args) => Result) =>
      (...args: Args): Result => {
        askedAt = clock.now();
        return write(...args);
      },
  };
}
