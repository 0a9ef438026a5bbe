/** Why a message failed: `error.code` on the message. Stable, and documented at /errors. */
export const outcomes = {
  recipient_not_found: "Nobody has this username, number or id.",
  recipient_not_started:
    "A bot can't open a conversation. Hand over the link in error.link; once the person has pressed Start, send again.",
  recipient_blocked: "The recipient has blocked the account, or the recipient's account is gone.",
  recipient_privacy: "The recipient's privacy settings do not let this account write.",
  recipient_suppressed: "The recipient has opted out.",
  account_paused: "The account is paused.",
  account_unauthorized: "Telegram no longer accepts the account's token or session, or the account was removed. Connect it again.",
  account_restricted: "Telegram has restricted the account from writing to people whom it doesn't know.",
  message_rejected: "Telegram refused this message; error.message says why.",
  variable_missing: "A variable in the text has neither a value nor a fallback.",
  expired: "The message was not sent before its expires_at.",
  outcome_unknown: "The request was on the wire when the connection or the program broke. It may have arrived, and was not repeated.",
  internal_error: "Something failed on our side before the message left.",
} as const;

export type OutcomeCode = keyof typeof outcomes;
