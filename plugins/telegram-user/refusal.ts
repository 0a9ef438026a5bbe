import { MtArgumentError, MtcuteError } from "@mtcute/core";
import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { Refusal } from "#src/modules/messages/channel.ts";
import { faultOf, isAccountGone, isSessionEnd, type RpcFault, SessionEnded, wordsOfEnd } from "./errors.ts";
import { Unanswered } from "./deadline.ts";

/** From here on a person should know, and the account waits for them. */
const HOLD_S_MAX = 3_600;
/** When Telegram asks for patience without saying how long. */
const HOLD_DEFAULT_S = 60;

const CODES: Record<string, OutcomeCode> = {
  USER_PRIVACY_RESTRICTED: "recipient_privacy",
  PRIVACY_PREMIUM_REQUIRED: "recipient_privacy",
  PREMIUM_ACCOUNT_REQUIRED: "recipient_privacy",
  USER_NOT_MUTUAL_CONTACT: "recipient_privacy",
  USER_IS_BLOCKED: "recipient_blocked",
  YOU_BLOCKED_USER: "recipient_blocked",
  INPUT_USER_DEACTIVATED: "recipient_blocked",
  USERNAME_INVALID: "recipient_not_found",
  USERNAME_NOT_OCCUPIED: "recipient_not_found",
  PHONE_NOT_OCCUPIED: "recipient_not_found",
  PHONE_NUMBER_INVALID: "recipient_not_found",
  PEER_ID_INVALID: "recipient_not_found",
  USER_ID_INVALID: "recipient_not_found",
  CHANNEL_INVALID: "recipient_not_found",
  CHAT_ID_INVALID: "recipient_not_found",
};

const WORDS: Partial<Record<OutcomeCode, string>> = {
  recipient_privacy: "Their privacy settings don't let this account write",
  recipient_blocked: "One of the two has blocked the other, or the recipient's account is gone",
  recipient_not_found: "Telegram finds nobody there",
};

/** The cached peer is of no use: to be resolved again. */
export const isStalePeer = ({ name }: RpcFault) =>
  name === "PEER_ID_INVALID" || name === "CHANNEL_INVALID" || name === "USER_ID_INVALID" || name === "CHAT_ID_INVALID";

/** It may work at once with the next try. */
export function isPassing(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === null ? error instanceof Unanswered || isOfConnection(error) : isTheirs(fault);
}

/** mtcute's own complaints, unless we asked for what there is not: that would not become better. */
const isOfConnection = (error: unknown) => error instanceof MtcuteError && !(error instanceof MtArgumentError);

/** Telegram itself fails. */
const isTheirs = ({ code }: RpcFault) => code >= 500 || code < 0;

/** What a request that failed means for a message. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof SessionEnded) return { kind: "unauthorized", reason: error.message, final: error.final };
  const fault = faultOf(error);
  if (fault !== null) return refusalOfFault(fault);
  if (error instanceof Unanswered) return { kind: "unreached", reason: error.message };
  if (isOfConnection(error)) return { kind: "unreached", reason: "There is no connection to Telegram." };
  return failed("internal_error", "Something failed on our side.");
}

function refusalOfFault(fault: RpcFault): Refusal {
  const { name, number, code } = fault;
  if (isSessionEnd(name)) return { kind: "unauthorized", reason: wordsOfEnd(name), final: isAccountGone(name) };
  if (name.startsWith("SLOWMODE_WAIT")) {
    const seconds = number ?? HOLD_DEFAULT_S;
    return { kind: "hold_chat", ms: seconds * 1_000, reason: `The group takes one message each while (${name}).` };
  }
  if (name === "PEER_FLOOD") {
    return { kind: "restricted", reason: "Telegram lets this account write to nobody new for now (PEER_FLOOD)." };
  }
  if (name.includes("FLOOD")) return floodOf(name, number ?? HOLD_DEFAULT_S);
  if (name.startsWith("FROZEN_")) {
    return { kind: "pause", reason: `Telegram has frozen the account (${name}). Open it in a Telegram app and see what it says.` };
  }
  if (isTheirs(fault)) return { kind: "unreached", reason: `Telegram fails (${name}).` };
  const outcome = CODES[name] ?? (name.startsWith("ALLOW_PAYMENT_REQUIRED") ? "recipient_privacy" : "message_rejected");
  return failed(outcome, `${WORDS[outcome] ?? "Telegram refuses this message"} (${code} ${name}).`);
}

function floodOf(name: string, seconds: number): Refusal {
  if (seconds <= HOLD_S_MAX) return { kind: "hold", ms: seconds * 1_000, reason: `Telegram asks for patience (${name}).` };
  return { kind: "pause", reason: `Telegram asks this account to rest for ${seconds} s (${name}).` };
}

export const failed = (code: OutcomeCode, message: string): Refusal => ({ kind: "failed", code, message, link: null });
