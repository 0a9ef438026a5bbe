import type { Clock } from "#src/core/clock.ts";
import { type Endpoint, liveSecrets } from "./endpoint.ts";
import { isSuccess, readRetryAfter } from "./schedule.ts";
import type { Attempt } from "./model.ts";
import { requestHeaders } from "./request-headers.ts";
import type { HttpSender, PostResult } from "./sender.ts";
import type { Secret } from "./secrets.ts";
import { plainSignature, standardSignature } from "./signing.ts";

/** What is posted. */
export interface Letter {
  event_id: string;
  /** JSON, as it is or in UTF-8. */
  body: string | Uint8Array;
}

/** Whom it is posted to. */
export type Addressee = Pick<Endpoint, "url" | "headers" | "signature" | "secrets">;

/** What came of trying: more than one attempt only where another secret was tried at once. */
export interface Tried {
  attempts: Attempt[];
  last: PostResult;
  /** What the last answer asked to wait (ms). */
  retry_after_ms: number | null;
  /** Number of the secret that the last one was signed with; null when there was no request. */
  secret: number | null;
}

interface Needs {
  sender: HttpSender;
  clock: Clock;
  /** Whose time attempts are noted in; without it, real time. The signed timestamp is real: receivers go by their own clocks. */
  env_id?: number;
}

/** Answers that say that the signature is not the one expected. */
const REFUSED: ReadonlySet<number | null> = new Set([401, 403]);
const FAULTS: Record<number, string> = { 410: "The endpoint is gone." };

/**
 * Posts to an endpoint. The plain signature is made with the secret that the receiver last accepted; while a rotated secret still
 * counts, a 401 or 403 is tried again at once with the other one.
 * @param accepted number of that secret; null when none was yet
 */
export async function tryDelivery(
  { sender, clock, env_id }: Needs,
  endpoint: Addressee,
  { event_id, body }: Letter,
  accepted: number | null,
  signal: AbortSignal,
): Promise<Tried> {
  const attempts: Attempt[] = [];
  const live = liveSecrets(endpoint, accepted, clock.now(env_id));
  for (let turn = 0; ; turn++) {
    const secret = live[turn]!;
    const at = clock.now(env_id);
    const timestamp = Math.floor(clock.now() / 1_000);
    const signature = plainSignature(secret.text, body, endpoint.signature.format);
    const webhook_signature = standardSignature(newestFirst(live), event_id, timestamp, body);
    const last = await sender.post(
      {
        url: endpoint.url,
        headers: requestHeaders({ event_id, timestamp, webhook_signature, header: endpoint.signature.header, signature }, endpoint.headers),
        body,
      },
      signal,
    );
    attempts.push({ at, ...outcomeOf(last), timestamp, signature, webhook_signature });
    if (REFUSED.has(last.status) && turn + 1 < live.length && !signal.aborted) continue;
    return { attempts, last, retry_after_ms: readRetryAfter(last.headers["retry-after"], clock.now()), secret: secret.number };
  }
}

/** What came of an attempt that could not even begin. */
export function failedBefore(at: number): Tried {
  const last: PostResult = {
    ...{ stage: "send", error: "The request could not be made.", status: null, headers: {}, body: "", duration_ms: 0 },
  };
  const unsigned = { timestamp: Math.floor(at / 1_000), signature: "", webhook_signature: "" };
  return { attempts: [{ at, ...outcomeOf(last), ...unsigned }], last, retry_after_ms: null, secret: null };
}

const newestFirst = (secrets: readonly Secret[]) =>
  (secrets.length === 1 ? secrets : secrets.toSorted((a, b) => b.number - a.number)).map(({ text }) => text);

function outcomeOf({ stage, error, status, duration_ms, headers, body }: PostResult) {
  const succeeded = isSuccess({ stage, status });
  return {
    status,
    duration_ms,
    stage: stage ?? (succeeded ? null : ("status" as const)),
    error: error ?? (succeeded ? null : (FAULTS[status ?? 0] ?? `The endpoint answered ${status}.`)),
    response: status === null ? null : { headers, body },
  };
}
