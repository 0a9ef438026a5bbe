import type { OutcomeCode } from "#src/core/outcomes.ts";

/** How an account reaches a person. */
export interface Way {
  account_id: number;
  recipient: string;
  /** Whether the account has written with them. */
  isKnown: boolean;
  /** Nothing of the account leaves before somebody lets it go on, or has mended it. */
  isOut: boolean;
  /** What will probably keep the message from them: only the channel can tell. */
  foreseen: OutcomeCode | null;
}

/** What an account can send. */
export interface Room {
  /** Of today's sends, and of a whole day's; infinite without a cap. */
  left: number;
  ofDay: number;
  /** The same of those to people whom it has not written with. */
  leftToNew: number;
  ofDayToNew: number;
  /** Between two at its steady pace (ms). */
  each_ms: number;
  /** When its day ends (ms). */
  ends_at: number;
  /** Until when Telegram lets it write to nobody new (ms); null where it does. */
  nobodyNewUntil: number | null;
}

/** Whether somebody can be written to: by whom, or why not. */
export type Reaching =
  /** @prop contact_id who is written to: another than was asked for where that was merged */
  | { kind: "ways"; contact_id: string; timezone: string | null; language: string | null; ways: readonly Way[] }
  | { kind: "none"; contact_id: string | null; reason: Unreachable };
export type Unreachable = "recipient_suppressed" | "recipient_blocked" | "contact_not_found" | "no_address" | "no_account";

/** What has become of a message that something has made by itself. */
export interface Ended {
  env_id: number;
  message_id: string;
  contact_id: string | null;
  account_id: number | null;
  origin: { type: "sequence" | "broadcast"; id: string; step: string | null; enrollment_id: string | null };
  /** `returned`: it was on the wire, or was to go there, and waits again. */
  to: "sent" | "failed" | "canceled" | "returned";
  /** Why it failed. */
  code: string | null;
}
