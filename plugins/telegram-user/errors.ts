import { tl } from "@mtcute/core";

/** What Telegram answered instead of a result: https://core.telegram.org/api/errors */
export interface RpcFault {
  code: number;
  /** As Telegram writes it, such as `FLOOD_WAIT_17`. */
  name: string;
  /** The number at its end. */
  number: number | null;
}

/** @returns null where it is no answer of Telegram's: no connection, no answer in time */
export function faultOf(error: unknown): RpcFault | null {
  if (!(error instanceof tl.RpcError)) return null;
  const number = numberIn(error);
  const name = error.text.replace("%d", String(number ?? ""));
  return { code: error.code, name, number };
}

/** mtcute cuts the number off and keeps it under a name of each error's own, such as `seconds`. */
function numberIn(error: tl.RpcError): number | null {
  const ending = /_(\d+)$/.exec(error.text)?.[1];
  if (ending !== undefined) return Number(ending);
  const kept = Object.entries(error).find(([name, value]) => name !== "code" && typeof value === "number");
  return kept === undefined ? null : Number(kept[1]);
}

/** The session is accepted no more. */
const SESSION_ENDED = new Set([
  "AUTH_KEY_UNREGISTERED",
  "AUTH_KEY_INVALID",
  "AUTH_KEY_DUPLICATED",
  "AUTH_KEY_PERM_EMPTY",
  "SESSION_REVOKED",
  "SESSION_EXPIRED",
]);
/** The account is gone for good. */
const ACCOUNT_GONE = new Set(["USER_DEACTIVATED", "USER_DEACTIVATED_BAN", "PHONE_NUMBER_BANNED"]);
/** The program's own registration is at fault. */
const MISCONFIGURED = new Set(["API_ID_INVALID", "API_ID_PUBLISHED_FLOOD", "UPDATE_APP_TO_LOGIN"]);

export const isSessionEnd = (name: string) => SESSION_ENDED.has(name) || ACCOUNT_GONE.has(name);
export const isAccountGone = (name: string) => ACCOUNT_GONE.has(name);
export const isMisconfigured = (name: string) => MISCONFIGURED.has(name);

/** Why what was under way came to nothing. */
export class SessionEnded extends Error {
  override name = "SessionEnded";
  constructor(
    reason: string,
    readonly final: boolean,
  ) {
    super(reason);
  }
}

/** Why an account's session ended, for the account's page. */
export function wordsOfEnd(name: string): string {
  if (ACCOUNT_GONE.has(name)) return `Telegram has deactivated the account (${name}).`;
  if (name === "AUTH_KEY_DUPLICATED") return "The session was used from two places at once and has ended (AUTH_KEY_DUPLICATED).";
  return `The session was ended (${name}).`;
}
