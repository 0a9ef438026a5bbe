import { badRequest } from "#test/support/bot-api/failure.ts";
import type { Call } from "./call.ts";

const TEXT_LENGTH_MAX = 200;

/** https://core.telegram.org/bots/api#answercallbackquery */
export function answerCallbackQuery({ bot, params, emulation }: Call) {
  const text = params.text("text") ?? null;
  if (text !== null && text.length > TEXT_LENGTH_MAX) throw badRequest("MESSAGE_TOO_LONG");
  const isTaken = emulation.callbacks.answer({
    token: bot.token,
    callback_query_id: params.text("callback_query_id") ?? "",
    text,
    show_alert: params.flag("show_alert"),
    url: params.text("url") ?? null,
  });
  if (!isTaken) throw badRequest("query is too old and response timeout expired or query ID is invalid");
  emulation.changes.notify();
  return true;
}
