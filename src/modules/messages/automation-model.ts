import type { OutcomeCode } from "#src/core/outcomes.ts";

/** How an account reaches a person. */
export interface Way {
  account_id: number;
  recipient: string;
  /** Whether the account has written with them. */
  isKnown: boolean;
  /** What will probably keep the message from them: only the channel can tell. */
  foreseen: OutcomeCode | null;
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
