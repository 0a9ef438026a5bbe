import { badRequest, forbidden, migrated } from "./failure.ts";
import type { Bot, Chat, ChatType, Standing } from "./model.ts";
import type { World } from "./world.ts";

/**
 * The chat that a call means, when the bot may read it.
 * @throws BotApiFailure as `Client::check_chat_access` of the Bot API server does
 */
export function readableChat(world: World, bot: Bot, id: string | undefined): Chat {
  if (id === undefined || id === "") throw badRequest("chat_id is empty");
  const chat = world.chatOf(id);
  if (chat === undefined) throw badRequest("chat not found");
  const standing = world.standingOf(bot, chat);
  const isPublic = chat.username !== undefined && chat.type !== "private";
  if (standing === "unknown" && !isPublic) throw badRequest("chat not found");
  if (standing === "kicked" && chat.type !== "group") throw forbidden(`bot was kicked from the ${chat.type} chat`);
  if (standing === "left" && chat.type !== "group" && !isPublic) throw forbidden(`bot is not a member of the ${chat.type} chat`);
  return chat;
}

/** The chat that a call means, when the bot may write to it. */
export function writableChat(world: World, bot: Bot, id: string | undefined): Chat {
  const chat = readableChat(world, bot, id);
  const successor = world.migrations.get(chat.id);
  if (successor !== undefined) throw migrated(successor);
  if (world.deactivated.has(chat.id)) throw forbidden("user is deactivated");
  const standing = world.standingOf(bot, chat);
  if (standing !== "open") throw refusal(standing, chat.type);
  return chat;
}

function refusal(standing: Exclude<Standing, "open">, type: ChatType) {
  switch (standing) {
    case "met":
      return forbidden("bot can't initiate conversation with a user");
    case "blocked":
      return forbidden("bot was blocked by the user");
    case "kicked":
      return forbidden(`bot was kicked from the ${type} chat`);
    case "muted":
      return badRequest("not enough rights to send text messages to the chat");
    case "unknown":
    case "left":
    default:
      return forbidden(`bot is not a member of the ${type} chat`);
  }
}
