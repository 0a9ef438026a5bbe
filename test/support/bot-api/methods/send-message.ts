import { writableChat } from "#test/support/bot-api/access.ts";
import { badRequest } from "#test/support/bot-api/failure.ts";
import type { Params } from "#test/support/bot-api/params.ts";
import type { Call } from "./call.ts";
import { presentBot } from "./get-me.ts";

const TEXT_LENGTH_MAX = 4_096;
const PARSE_MODES = new Set(["html", "markdown", "markdownv2"]);

/** https://core.telegram.org/bots/api#sendmessage; a parse_mode is checked and kept, the text stays as it came. */
export function sendMessage({ bot, params, emulation }: Call) {
  const chat = writableChat(emulation.world, bot, params.text("chat_id"));
  const text = params.text("text") ?? "";
  if (text.trim() === "") throw badRequest("message text is empty");
  if (text.length > TEXT_LENGTH_MAX) throw badRequest("message is too long");
  const parse_mode = params.text("parse_mode") ?? null;
  if (parse_mode !== null && !PARSE_MODES.has(parse_mode.toLowerCase())) throw badRequest("unsupported parse_mode");
  const reply_to = repliedMessage(params, emulation.messageIds.last(bot, chat));

  const silent = params.flag("disable_notification");
  const sent = emulation.record(bot, chat, { text, silent, parse_mode, reply_to });
  return {
    message_id: sent.message_id,
    from: presentBot(bot),
    chat,
    date: Math.floor(sent.at / 1000),
    text,
    ...(reply_to === null ? {} : { reply_to_message: { message_id: reply_to, chat, date: 0 } }),
  };
}

/** https://core.telegram.org/bots/api#replyparameters */
function repliedMessage(params: Params, lastId: number): number | null {
  const reply = params.object("reply_parameters");
  if (reply === undefined) return null;
  const id = Number(reply.message_id);
  if (id >= 1 && id <= lastId) return id;
  if (reply.allow_sending_without_reply === true) return null;
  throw badRequest("message to be replied not found");
}
