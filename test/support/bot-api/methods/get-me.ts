import { presentBot } from "#test/support/bot-api/present.ts";
import type { Call } from "./call.ts";

/** https://core.telegram.org/bots/api#getme */
export function getMe({ bot }: Call) {
  return {
    ...presentBot(bot),
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
  };
}
