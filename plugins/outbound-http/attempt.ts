import type { Clock } from "#src/core/clock.ts";
import { type FailedStage, Failure } from "./failure.ts";

/** The time that one POST has, and where it is: at its deadline, or when the signal says so, it ends wherever it is. */
export interface Attempt {
  stage: FailedStage;
  readonly startedAt: number;
  /** Why it broke off; null while it goes on. */
  readonly broken: Failure | null;
  /** Ends whatever is waited for just now. */
  onBreak: ((failure: Failure) => void) | null;
  /** @throws Failure when the attempt breaks off before the promise settles */
  during<T>(promise: Promise<T>): Promise<T>;
  /** Must be called once the attempt is over. */
  end(): void;
}

const TOO_LATE: Record<FailedStage, string> = {
  resolve: "the name did not resolve in time",
  connect: "no connection came about in time",
  tls: "the TLS handshake did not end in time",
  send: "the request was not taken in time",
  wait: "no complete answer came in time",
};

export function createAttempt(clock: Clock, timeoutMs: number, signal: AbortSignal): Attempt {
  const startedAt = clock.now();
  let broken: Failure | null = null;
  const attempt: Attempt = {
    stage: "resolve",
    startedAt,
    get broken() {
      return broken;
    },
    onBreak: null,
    during(promise) {
      return new Promise((resolve, reject) => {
        if (broken !== null) reject(broken);
        attempt.onBreak = reject;
        promise.then(resolve, reject);
      });
    },
    end() {
      attempt.onBreak = null;
      cancelTimer();
      forget();
    },
  };
  const breakOff = (words: string) => {
    broken ??= new Failure(attempt.stage, words);
    attempt.onBreak?.(broken);
  };
  const cancelTimer = clock.at(startedAt + timeoutMs, () => breakOff(TOO_LATE[attempt.stage]));
  const forget = onAbort(signal, () => breakOff("the program stopped"));
  return attempt;
}

/** A signal has one listener of ours, however many attempts it has: taking one of many away again is slow. */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

function onAbort(signal: AbortSignal, fire: () => void): () => void {
  if (signal.aborted) fire();
  let all = listeners.get(signal);
  if (all === undefined) {
    const made = (all = new Set());
    listeners.set(signal, made);
    signal.addEventListener("abort", () => made.forEach((one) => one()), { once: true });
  }
  const set = all.add(fire);
  return () => void set.delete(fire);
}
