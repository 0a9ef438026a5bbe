import { writableChat } from "#test/support/bot-api/access.ts";
import { badRequest } from "#test/support/bot-api/failure.ts";
import type { Call } from "./call.ts";

/** https://core.telegram.org/bots/api#setmessagereaction; what the bot set stands in the history as `bot_reaction`. */
export function setMessageReaction({ bot, params, emulation }: Call) {
  const chat = writableChat(emulation.world, bot, params.text("chat_id"));
  const message = emulation.history.find(bot, chat, params.integer("message_id") ?? 0);
  if (message === undefined) throw badRequest("message to react not found");
  const reactions = params.list("reaction") ?? [];
  if (reactions.length > 1) throw badRequest("REACTIONS_TOO_MANY");
  emulation.history.change(bot, message, { bot_reaction: reactions[0] });
  emulation.changes.notify();
  return true;
}
