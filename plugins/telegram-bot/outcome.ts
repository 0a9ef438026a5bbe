import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { ChannelAccount, Destination, Refusal } from "#src/modules/messages/channel.ts";
import { isGroup } from "./recipient.ts";
import type { NoAnswer, Refused } from "./wire.ts";

/** Of the address, which is the token: https://core.telegram.org/bots/api#authorizing-your-bot. Methods never answer 404. */
const TOKEN_REFUSED = new Set([401, 404, 421]);

/** When Telegram asks for patience without saying how long. */
const HOLD_DEFAULT_S = 5;

/** Whether the bot's token is accepted no more. */
export const isTokenRefused = ({ status }: Refused): boolean => TOKEN_REFUSED.has(status);

/** For how long (ms) Telegram wants to be left alone; null where it has refused for another reason. */
export const patienceOf = ({ status, retry_after_s }: Refused): number | null =>
  status === 429 ? (retry_after_s ?? HOLD_DEFAULT_S) * 1_000 : null;

/** What a call that was not answered with success means for a message to this recipient. */
export function refusalOf(answer: Refused | NoAnswer, account: ChannelAccount, to: Destination): Refusal {
  if (answer.kind !== "refused") return answer;
  const { description } = answer;
  if (isTokenRefused(answer)) return { kind: "unauthorized", reason: description };
  const ms = patienceOf(answer);
  if (ms !== null) return { kind: "hold", ms, reason: description };
  const code = codeOf(description, isGroup(to.chat_id ?? to.recipient));
  return code === "recipient_not_started" ? notStarted(account, to) : { kind: "failed", code, message: description, link: null };
}

/** A bot can't write first: what helps is the link by which the person starts it. */
export function notStarted(account: Pick<ChannelAccount, "username">, to: Destination): Extract<Refusal, { kind: "failed" }> {
  const link = account.username === null ? null : `https://t.me/${account.username}`;
  const message = `${to.recipient} has not started the bot, and a bot can't write first.`;
  return { kind: "failed", code: "recipient_not_started", message, link };
}

/** As for a call that changes nothing: it can be repeated whatever became of it. */
export function asRepeatable(refusal: Refusal): Refusal {
  return refusal.kind === "unknown" ? { kind: "unreached", reason: refusal.reason } : refusal;
}

/** By Telegram's words, since its codes don't tell: https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp */
function codeOf(description: string, isToGroup: boolean): OutcomeCode {
  if (/bot was blocked by the user|user is deactivated/i.test(description)) return "recipient_blocked";
  if (/can.t initiate conversation/i.test(description)) return "recipient_not_started";
  if (/chat not found|user not found|peer_id_invalid/i.test(description)) {
    return isToGroup ? "recipient_not_found" : "recipient_not_started";
  }
  return "message_rejected";
}
