import type { LoginAnswer } from "#src/modules/accounts/model.ts";
import { Unanswered } from "./deadline.ts";
import { faultOf, isAccountGone, isMisconfigured } from "./errors.ts";

const DAY_S = 86_400;

const REFUSED: Record<string, LoginAnswer> = {
  PHONE_CODE_INVALID: { kind: "refused", field: "code", reason: "This is not the code that Telegram sent." },
  PHONE_CODE_EMPTY: { kind: "refused", field: "code", reason: "This is not the code that Telegram sent." },
  EMAIL_CODE_INVALID: { kind: "refused", field: "code", reason: "This is not the code that Telegram sent." },
  EMAIL_VERIFY_EXPIRED: { kind: "expired", reason: "The code has expired. Ask for another." },
  PASSWORD_HASH_INVALID: { kind: "refused", field: "password", reason: "This is not the account's password." },
  PHONE_NUMBER_INVALID: { kind: "refused", field: "phone", reason: "This is not a phone number." },
  PHONE_NUMBER_UNOCCUPIED: { kind: "refused", field: "phone", reason: "No Telegram account has this number." },
  PHONE_CODE_EXPIRED: { kind: "expired", reason: "The code has expired. Ask for another." },
  SRP_ID_INVALID: { kind: "expired", reason: "Telegram asks to begin anew." },
  AUTH_RESTART: { kind: "expired", reason: "Telegram asks to begin anew." },
  AUTH_TOKEN_EXPIRED: { kind: "expired", reason: "The QR code has expired. Begin anew." },
  PHONE_NUMBER_FLOOD: { kind: "flood", seconds: DAY_S, reason: "Too many logins with this number. Telegram asks for a day of rest." },
  PHONE_PASSWORD_FLOOD: { kind: "flood", seconds: DAY_S, reason: "Too many wrong passwords. Telegram asks for a day of rest." },
};

/** What an error of a login step means. No reason holds what was given. */
export function answerOfFault(error: unknown): LoginAnswer {
  const fault = faultOf(error);
  if (fault === null) {
    const reason = error instanceof Unanswered ? error.message : "There is no connection to Telegram.";
    return { kind: "unreachable", reason };
  }
  const { name, number, code } = fault;
  const known = REFUSED[name];
  if (known !== undefined) return known;
  if (isAccountGone(name)) return { kind: "gone", reason: `Telegram has banned this number or deleted its account (${name}).` };
  if (isMisconfigured(name)) return { kind: "misconfigured", reason: `Telegram refuses TELEGRAM_API_ID and TELEGRAM_API_HASH (${name}).` };
  if (code === 420 || name.includes("FLOOD")) {
    const seconds = number ?? DAY_S;
    return { kind: "flood", seconds, reason: `Too many logins. Telegram asks for ${seconds} s of rest (${name}).` };
  }
  if (code >= 500 || code < 0) return { kind: "unreachable", reason: `Telegram fails (${name}).` };
  return { kind: "expired", reason: `Telegram refuses this login (${name}). Begin anew.` };
}
