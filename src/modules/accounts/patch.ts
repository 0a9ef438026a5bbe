import { invalidField } from "#src/core/errors.ts";
import { isTimezone } from "#src/core/timezone.ts";
import type { AccountPatch } from "./model.ts";
import { readProxy } from "./proxy.ts";

const OF_USERS = ["new_peer_daily_cap", "gap_seconds", "quiet_hours", "proxy"] as const;

/** @throws AppError `validation_error` for what the kind of account does not have, and for values that no schema can judge */
export function checkPatch(patch: AccountPatch, kind: string = "telegram_user"): void {
  const { timezone, gap_seconds, proxy } = patch;
  if (timezone !== undefined && !isTimezone(timezone))
    throw invalidField("timezone", "bad_format", "timezone is not an IANA name such as Europe/Berlin.", timezone);
  if (patch.token !== undefined && kind !== "telegram_bot") throw invalidField("token", "not_allowed", "Only bots have a token.");
  if (patch.daily_cap !== undefined && kind === "telegram_bot")
    throw invalidField("daily_cap", "not_allowed", "Bots have no daily cap: Telegram limits them by the second.");
  for (const field of OF_USERS)
    if (patch[field] !== undefined && kind !== "telegram_user")
      throw invalidField(field, "not_allowed", `Only user accounts have ${field}.`);
  if (gap_seconds !== undefined && gap_seconds[0]! > gap_seconds[1]!)
    throw invalidField("gap_seconds", "bad_format", "gap_seconds is the shortest pause, then the longest.", gap_seconds);
  if (typeof proxy === "string" && readProxy(proxy) === null)
    throw invalidField("proxy", "bad_format", "proxy is neither socks5://user:password@host:port nor mtproxy://host:port/secret.");
}
