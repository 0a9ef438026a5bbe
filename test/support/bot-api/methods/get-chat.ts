import { readableChat } from "#test/support/bot-api/access.ts";
import type { Call } from "./call.ts";

/** https://core.telegram.org/bots/api#getchat */
export function getChat({ bot, params, emulation: { world } }: Call) {
  const chat = readableChat(world, bot, params.text("chat_id"));
  return {
    ...chat,
    accent_color_id: 0,
    max_reaction_count: 11,
    accepted_gift_types: { unlimited_gifts: true, limited_gifts: true, unique_gifts: true, premium_subscription: true },
  };
}
