import type { ChannelAccount, ChatFacts, Destination, Refusal } from "#src/modules/messages/channel.ts";
import { asRepeatable, notStarted, refusalOf } from "./outcome.ts";
import type { Wire } from "./wire.ts";

/** An account whose token is there. */
export type Bot = ChannelAccount & { token: string };

interface TelegramChat {
  id: number;
  type: string;
  first_name?: string | undefined;
  last_name?: string | undefined;
  username?: string | undefined;
}

export function factsOf({ id, type, first_name, last_name, username }: TelegramChat): ChatFacts {
  return {
    chat_id: String(id),
    type,
    first_name: first_name ?? null,
    last_name: last_name ?? null,
    username: username ?? null,
  };
}

/**
 * Asks Telegram who this is. It knows a `@username` for channels and supergroups only: a person's finds
 * nothing, and the private chat that the bot may have had with that person stands in `to.chat_id`.
 */
export async function findChat(
  wire: Wire,
  bot: Bot,
  to: Destination,
  signal: AbortSignal,
): Promise<{ kind: "chat"; chat: ChatFacts } | Refusal> {
  const asked = to.chat_id ?? to.recipient;
  const isByName = asked.startsWith("@");
  const answer = await wire(bot.token, signal, async (api) => factsOf(await api.getChat(isByName ? asked : Number(asked))));
  if (answer.kind !== "ok") return asRepeatable(refusalOf(answer, bot, to));
  if (isByName && answer.result.type === "private") return notStarted(bot, to);
  return { kind: "chat", chat: answer.result };
}
