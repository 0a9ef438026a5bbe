import type { Clock } from "#src/core/clock.ts";
import type { HttpSender, PostRequest, PostResult } from "#src/modules/webhooks/sender.ts";
import { type Attempt, createAttempt } from "./attempt.ts";
import { createDialler } from "./dialler.ts";
import { Failure } from "./failure.ts";
import type { Line } from "./line.ts";
import { createPool } from "./pool.ts";
import { addressIn, createResolver, type Resolve, systemResolve } from "./resolver.ts";
import { type Target, targetOf, writeRequest } from "./target.ts";

export interface SenderOptions {
  clock: Clock;
  /** Turns the judging of addresses off: whoever may register a webhook may then have any service in reach asked. */
  allowPrivate: boolean;
  /** For everything from the look-up to the last byte of the answer. */
  timeoutMs?: number;
  resolve?: Resolve;
  /** Certificates (PEM) to trust instead of the system's. */
  ca?: string;
}

const TIMEOUT_MS = 10_000;
const JUDGE_TIMEOUT_MS = 3_000;
/** A connection that is older is used only while its name still leads there. */
const JUDGED_FOR_MS = 60_000;

/** Posts by HTTP/1.1 over connections that it keeps, and dials nothing that it has not judged. */
export function createHttpSender({ clock, allowPrivate, timeoutMs = TIMEOUT_MS, resolve = systemResolve, ca }: SenderOptions): HttpSender {
  const resolver = createResolver(clock, resolve, allowPrivate);
  const dialler = createDialler(clock, ca);
  const pool = createPool(clock);

  async function run(request: PostRequest, attempt: Attempt): Promise<PostResult> {
    const target = targetOf(request.url);
    const bytes = writeRequest(target, request);
    let line = pool.take(target.origin);
    if (line !== undefined && !isFresh(line)) line = await stillGood(line, target, attempt);
    if (line !== undefined) {
      const failure = await line.exchange(bytes, attempt);
      if (failure?.isUnanswered !== true) return conclude(line, target, failure, attempt);
      line.close();
      attempt.stage = "resolve";
    }
    line = await connect(target, attempt);
    return conclude(line, target, await line.exchange(bytes, attempt), attempt);
  }

  async function connect(target: Target, attempt: Attempt): Promise<Line> {
    const finding = await attempt.during(resolver.find(target.host));
    if (finding.refusal !== null) throw new Failure("resolve", `it leads to ${finding.refusal}, which is not dialled`);
    if (finding.addresses.length === 0) throw new Failure("resolve", "the name does not resolve");
    return dialler.connect(target, finding, attempt);
  }

  function isFresh(line: Line): boolean {
    return Math.abs(clock.now() - line.judgedAt) < JUDGED_FOR_MS;
  }

  /** Of the connections to an origin, one whose address the name still has; the others are closed. */
  async function stillGood(first: Line, { origin, host }: Target, attempt: Attempt): Promise<Line | undefined> {
    const finding = await attempt.during(resolver.find(host)).catch((error: unknown) => {
      first.close();
      throw error;
    });
    for (let line: Line | undefined = first; line !== undefined; line = pool.take(origin)) {
      if (finding.addresses.includes(line.address)) {
        line.judgedAt = finding.at;
        return line;
      }
      line.close();
    }
    return undefined;
  }

  function conclude(line: Line, { origin }: Target, failure: Failure | null, attempt: Attempt): PostResult {
    const { answer } = line;
    const result = {
      stage: failure?.stage ?? null,
      error: failure?.message ?? null,
      status: answer.status,
      headers: answer.headers(),
      body: answer.body(),
      duration_ms: clock.now() - attempt.startedAt,
    };
    if (failure === null) pool.give(origin, line);
    else line.close();
    return result;
  }

  return {
    async post(request, signal) {
      const attempt = createAttempt(clock, timeoutMs, signal);
      try {
        return await run(request, attempt);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const { stage, message } = error;
        return { stage, error: message, status: null, headers: {}, body: "", duration_ms: clock.now() - attempt.startedAt };
      } finally {
        attempt.end();
      }
    },
    async judge(url) {
      const { host } = targetOf(url);
      const late = Promise.withResolvers<null>();
      const cancel = clock.at(clock.now() + JUDGE_TIMEOUT_MS, () => late.resolve(null));
      const finding = await Promise.race([resolver.find(host), late.promise]);
      cancel();
      if (finding === null || finding.refusal === null) return null;
      const address = addressIn(host);
      return address === null ? `the name resolves to ${finding.refusal}` : `${address} is ${finding.refusal}`;
    },
    async close() {
      pool.close();
    },
  };
}
