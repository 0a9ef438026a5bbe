import { isDeepStrictEqual } from "node:util";
import { writableChat } from "#test/support/bot-api/access.ts";
import { badRequest } from "#test/support/bot-api/failure.ts";
import type { Message } from "#test/support/bot-api/model.ts";
import { replyMarkupOf } from "#test/support/bot-api/reply-markup.ts";
import type { Call } from "./call.ts";
import { captionOf } from "./captions.ts";
import { textOf } from "./send-message.ts";

const NOT_MODIFIED =
  "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

/** https://core.telegram.org/bots/api#editmessagetext */
export function editMessageText(call: Call) {
  const { text, entities } = textOf(call.params);
  const message = editableMessage(call);
  if (message.text === undefined) throw badRequest("there is no text in the message to edit");
  return edit(call, message, { text, entities });
}

/** https://core.telegram.org/bots/api#editmessagecaption */
export function editMessageCaption(call: Call) {
  const { caption, caption_entities } = captionOf(call.params).shown;
  const message = editableMessage(call);
  if (message.text !== undefined) throw badRequest("there is no caption in the message to edit");
  return edit(call, message, { caption, caption_entities });
}

/** https://core.telegram.org/bots/api#editmessagereplymarkup */
export function editMessageReplyMarkup(call: Call) {
  return edit(call, editableMessage(call), {});
}

/** The bot's own message that a call means. */
function editableMessage({ bot, params, emulation }: Call): Message {
  const chat = writableChat(emulation.world, bot, params.text("chat_id"));
  const message = emulation.history.find(bot, chat, params.integer("message_id") ?? 0);
  if (message === undefined) throw badRequest("message to edit not found");
  if (message.from?.id !== bot.id) throw badRequest("message can't be edited");
  return message;
}

/** Changes the content, and the buttons to those that came, or to none. */
function edit({ bot, params, emulation }: Call, message: Message, content: Record<string, unknown>): Message {
  const reply_markup = replyMarkupOf(params) ?? undefined;
  const wanted = { ...content, reply_markup };
  const current = Object.fromEntries(Object.keys(wanted).map((name) => [name, message[name]]));
  if (isDeepStrictEqual(wanted, current)) throw badRequest(NOT_MODIFIED);
  const changed = emulation.history.change(bot, message, { ...wanted, edit_date: Math.floor(Date.now() / 1000) });
  emulation.changes.notify();
  return changed;
}
