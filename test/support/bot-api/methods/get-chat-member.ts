import { readableChat } from "#test/support/bot-api/access.ts";
import { badRequest } from "#test/support/bot-api/failure.ts";
import { presentBot, presentPerson } from "#test/support/bot-api/present.ts";
import type { Call } from "./call.ts";

/** https://core.telegram.org/bots/api#getchatmember; the bot as it stands, everybody else as a member. */
export function getChatMember({ bot, params, emulation: { world } }: Call) {
  const chat = readableChat(world, bot, params.text("chat_id"));
  const userId = params.text("user_id") ?? "";
  if (Number(userId) === bot.id) {
    const standing = world.standingOf(bot, chat);
    const status = standing === "open" ? "member" : standing === "muted" ? "restricted" : standing === "left" ? "left" : "kicked";
    return { user: presentBot(bot), status };
  }
  const person = world.chatOf(userId);
  if (person?.type !== "private") throw badRequest("PARTICIPANT_ID_INVALID");
  return { user: presentPerson(person), status: "member" };
}
