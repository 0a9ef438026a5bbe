import { backoffMs } from "#src/core/backoff.ts";
import { toTime } from "#src/core/clock.ts";
import { type OutcomeCode, outcomes } from "#src/core/outcomes.ts";
import type { Outcome } from "#src/jobs/job.ts";
import type { EventType } from "#src/modules/events/model.ts";
import type { SendResult } from "./channel.ts";
import type { Attempt } from "./model.ts";
import type { MessageRow } from "./store.ts";

/** Tries of a message whose outcome was never told, where a workspace accepts doubles. */
const UNKNOWN_RETRIES_MAX = 5;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** Of a message that is held again and again, the newest tries are kept. */
const ATTEMPTS_KEPT_MAX = 20;

/** How one try went. */
export interface Tried {
  result: SendResult;
  /** The text that was sent, its variables resolved. */
  text: string;
  started_at: number;
  ended_at: number;
}

/** What a try makes of a message. */
export interface Verdict {
  row: MessageRow;
  outcome: Outcome;
  events: EventType[];
}

/**
 * The message's state machine after `sending`: `sent` (and on), `failed`, or back to `queued`.
 * @param attempts failed tries before this one
 * @param mayRepeatUnknown whether the workspace accepts doubles
 */
export function judge(
  row: MessageRow,
  { result, text, started_at, ended_at }: Tried,
  attempts: number,
  mayRepeatUnknown: boolean,
): Verdict {
  const tried = addAttempt(row.attempts, result, started_at, ended_at);
  if (result.kind === "sent") return sent(row, result, text, tried, ended_at);
  const after = { ...row, attempts: tried, updated_at: ended_at };
  switch (result.kind) {
    case "failed":
      return fail(after, result.code, result.message, result.link);
    case "hold":
      return requeue(after, result.reason, { kind: "snooze", ms: result.ms, reason: result.reason });
    case "hold_chat":
      return requeue(after, result.reason, { kind: "snooze_chat", ms: result.ms, reason: result.reason });
    case "restricted":
      return fail(after, "account_restricted", result.reason, null);
    case "pause":
    case "unauthorized":
      return requeue(after, result.reason, { kind: "stop", reason: result.reason });
    case "unreached":
      return retry(after, result.reason, attempts);
    case "unknown":
      if (!mayRepeatUnknown || attempts >= UNKNOWN_RETRIES_MAX) return fail(after, "outcome_unknown", result.reason, null);
      return retry(after, result.reason, attempts);
    default:
      return result satisfies never;
  }
}

/** Ends a message that will not be sent. */
export function fail(row: MessageRow, code: OutcomeCode, message: string | null, link: string | null): Verdict {
  const error_message = message ?? outcomes[code];
  const after = { ...row, status: "failed", error_code: code, error_message, error_link: link, last_error: error_message };
  return { row: after, outcome: { kind: "discard", code }, events: ["message.failed"] };
}

/** Puts a message back to where it waited. */
export function requeue(row: MessageRow, last_error: string | null, outcome: Outcome): Verdict {
  return { row: { ...row, status: "queued", last_error }, outcome, events: [] };
}

function retry(row: MessageRow, reason: string, attempts: number): Verdict {
  return requeue(row, reason, { kind: "retry", ms: backoffMs(attempts + 1, RETRY_BASE_MS, RETRY_MAX_MS), reason });
}

function sent(row: MessageRow, result: Extract<SendResult, { kind: "sent" }>, text: string, attempts: string, at: number): Verdict {
  const delivered = result.reached !== "sent";
  const read = result.reached === "read";
  const events: EventType[] = ["message.sent"];
  if (delivered) events.push("message.delivered");
  if (read) events.push("message.read");
  const after = {
    ...row,
    text,
    attempts,
    status: result.reached,
    remote_id: result.remote_id,
    last_error: null,
    sent_at: at,
    delivered_at: delivered ? at : null,
    read_at: read ? at : null,
    updated_at: at,
  };
  return { row: after, outcome: { kind: "done" }, events };
}

/** In the words of an attempt, where they are others. */
const toldAs: Partial<Record<SendResult["kind"], string>> = { hold: "held", hold_chat: "held", restricted: "failed", pause: "held" };

function addAttempt(attempts: string, result: SendResult, started_at: number, ended_at: number): string {
  const outcome = toldAs[result.kind] ?? result.kind;
  const attempt: Attempt = {
    at: toTime(started_at),
    duration_ms: ended_at - started_at,
    outcome,
    code: result.kind === "failed" ? result.code : result.kind === "restricted" ? "account_restricted" : null,
    detail: result.kind === "sent" ? null : result.kind === "failed" ? result.message : result.reason,
  };
  if (attempts === "[]") return JSON.stringify([attempt]);
  const kept = (JSON.parse(attempts) as Attempt[]).slice(1 - ATTEMPTS_KEPT_MAX);
  return JSON.stringify([...kept, attempt]);
}
