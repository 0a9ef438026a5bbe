import type { OutcomeCode } from "#src/core/outcomes.ts";

/** What a magic recipient of the sandbox plays; listed in the reference. */
export type Play =
  | { kind: "fails"; code: OutcomeCode }
  | { kind: "reaches"; state: "delivered" | "read" }
  /** Asks once for this much patience, then takes the message. */
  | { kind: "flood"; ms: number }
  | { kind: "unreachable" }
  | { kind: "slow"; ms: number }
  /** Takes the message, and then does something itself. */
  | { kind: "answers"; by: Answering }
  | { kind: "refused_at_once" };

/** What somebody does with a message. */
export type Answering = "writing the same" | "writing STOP" | "pressing the first button" | "reacting" | "blocking the account";

const FLOOD_MS = 3_000;
const SLOW_MS = 2_000;

const parts: Readonly<Record<string, Play>> = {
  "@sandbox_not_found": { kind: "fails", code: "recipient_not_found" },
  "@sandbox_not_started": { kind: "fails", code: "recipient_not_started" },
  "@sandbox_blocked": { kind: "fails", code: "recipient_blocked" },
  "@sandbox_privacy": { kind: "fails", code: "recipient_privacy" },
  "@sandbox_suppressed": { kind: "fails", code: "recipient_suppressed" },
  "@sandbox_paused": { kind: "fails", code: "account_paused" },
  "@sandbox_unauthorized": { kind: "fails", code: "account_unauthorized" },
  "@sandbox_restricted": { kind: "fails", code: "account_restricted" },
  "@sandbox_rejected": { kind: "fails", code: "message_rejected" },
  "@sandbox_expired": { kind: "fails", code: "expired" },
  "@sandbox_unknown": { kind: "fails", code: "outcome_unknown" },
  "@sandbox_error": { kind: "fails", code: "internal_error" },
  "@sandbox_delivered": { kind: "reaches", state: "delivered" },
  "@sandbox_read": { kind: "reaches", state: "read" },
  "@sandbox_flood": { kind: "flood", ms: FLOOD_MS },
  "@sandbox_unreachable": { kind: "unreachable" },
  "@sandbox_slow": { kind: "slow", ms: SLOW_MS },
  "@sandbox_echo": { kind: "answers", by: "writing the same" },
  "@sandbox_stop": { kind: "answers", by: "writing STOP" },
  "@sandbox_presses": { kind: "answers", by: "pressing the first button" },
  "@sandbox_reacts": { kind: "answers", by: "reacting" },
  "@sandbox_blocks": { kind: "answers", by: "blocking the account" },
  "@sandbox_daily_limit": { kind: "refused_at_once" },
};

/** A map: looking up a name that no object has seen costs a property look-up ten times as much. */
export const plays: ReadonlyMap<string, Play> = new Map(Object.entries(parts));
