import type { Call } from "./call.ts";

const LIMIT_MAX = 100;
const TIMEOUT_S_MAX = 50;

/** https://core.telegram.org/bots/api#getupdates */
export function getUpdates({ bot, params, emulation, signal }: Call) {
  const mailbox = emulation.mailboxOf(bot);
  const kinds = params.list("allowed_updates");
  if (kinds !== undefined) mailbox.allow(kinds.map(String));
  return mailbox.poll({
    offset: params.integer("offset") ?? 0,
    limit: Math.min(Math.max(params.integer("limit") ?? LIMIT_MAX, 1), LIMIT_MAX),
    timeoutMs: Math.min(params.integer("timeout") ?? 0, TIMEOUT_S_MAX) * 1000,
    signal,
  });
}
