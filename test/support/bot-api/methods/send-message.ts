import { envelopeOf, post } from "#test/support/bot-api/envelope.ts";
import { badRequest } from "#test/support/bot-api/failure.ts";
import { formattedOf } from "#test/support/bot-api/formatted.ts";
import type { Params } from "#test/support/bot-api/params.ts";
import type { Call } from "./call.ts";

const TEXT_LENGTH_MAX = 4_096;

/** https://core.telegram.org/bots/api#sendmessage */
export function sendMessage(call: Call) {
  const { raw, parse_mode, ...shown } = textOf(call.params);
  const came = { text: raw, caption: null, parse_mode, media: null, media_group_id: null };
  return post(call, envelopeOf(call), { shown, came });
}

/** The text of a message and how it came. @throws BotApiFailure 400 when Telegram would not take it */
export function textOf(params: Params) {
  const { raw, parse_mode, text, entities } = formattedOf(params, { text: "text", entities: "entities" });
  if (text.trim() === "") throw badRequest("message text is empty");
  if (text.length > TEXT_LENGTH_MAX) throw badRequest("message is too long");
  return { raw, parse_mode, text, ...(entities.length === 0 ? {} : { entities }) };
}
