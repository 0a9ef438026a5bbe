import { writableChat } from "#test/support/bot-api/access.ts";
import { badRequest } from "#test/support/bot-api/failure.ts";
import type { Chat } from "#test/support/bot-api/model.ts";
import type { Call } from "./call.ts";

const IDS_MAX = 100;

/** https://core.telegram.org/bots/api#deletemessage */
export function deleteMessage(call: Call) {
  const { bot, params, emulation } = call;
  const chat = writableChat(emulation.world, bot, params.text("chat_id"));
  const message = emulation.history.find(bot, chat, params.integer("message_id") ?? 0);
  if (message === undefined) throw badRequest("message to delete not found");
  if (!isDeletable(call, chat, message.from?.id)) throw badRequest("message can't be deleted for everyone");
  emulation.history.remove(bot, chat, message.message_id);
  emulation.changes.notify();
  return true;
}

/** https://core.telegram.org/bots/api#deletemessages; those that are not there are passed over. */
export function deleteMessages(call: Call) {
  const { bot, params, emulation } = call;
  const chat = writableChat(emulation.world, bot, params.text("chat_id"));
  const ids = params.list("message_ids") ?? [];
  if (ids.length === 0) throw badRequest("message identifiers are not specified");
  if (ids.length > IDS_MAX) throw badRequest("too many message identifiers specified");
  for (const id of ids.map(Number)) {
    const message = emulation.history.find(bot, chat, id);
    if (message !== undefined && isDeletable(call, chat, message.from?.id)) emulation.history.remove(bot, chat, id);
  }
  emulation.changes.notify();
  return true;
}

/** A bot deletes what it wrote, and in a private chat what was written to it; in a group it has no right to more. */
function isDeletable({ bot }: Call, chat: Chat, writerId: number | undefined): boolean {
  return chat.type === "private" || writerId === bot.id;
}
