import type { Api } from "grammy";
import type { ChatFacts, Outgoing, SendResult } from "#src/modules/messages/channel.ts";
import { type Bot, factsOf, findChat } from "./chat.ts";
import { refusalOf } from "./outcome.ts";
import type { Answer, Wire } from "./wire.ts";

interface Done {
  remote_id: string;
  chat: ChatFacts;
}

/** Sends a message once, to the chat that is known, or that Telegram knows by the name. */
export async function sendMessage(wire: Wire, bot: Bot, message: Outgoing, signal: AbortSignal): Promise<SendResult> {
  if (message.reply_to !== null && !/^\d{1,15}$/.test(message.reply_to)) {
    return { kind: "failed", code: "message_rejected", message: "reply_to is not the id of a Telegram message.", link: null };
  }
  const known = message.chat_id ?? message.recipient;
  const found = known.startsWith("@") ? await findChat(wire, bot, message, signal) : null;
  if (found !== null && found.kind !== "chat") return found;

  const chatId = Number(found === null ? known : found.chat.chat_id);
  const answer = await deliver(wire, bot, chatId, message, signal);
  if (answer.kind !== "ok") return refusalOf(answer, bot, message);
  return { kind: "sent", ...answer.result, reached: "sent" };
}

/** A group that became a supergroup refuses and names its new chat: https://core.telegram.org/bots/api#responseparameters */
async function deliver(wire: Wire, bot: Bot, chatId: number, message: Outgoing, signal: AbortSignal): Promise<Answer<Done>> {
  const deliverTo = (id: number) => wire(bot.token, signal, (api) => post(api, id, message));
  const answer = await deliverTo(chatId);
  const successor = answer.kind === "refused" ? answer.migrate_to_chat_id : null;
  return successor === null ? answer : deliverTo(successor);
}

async function post(api: Api, chatId: number, { text, silent, reply_to }: Outgoing): Promise<Done> {
  const sent = await api.sendMessage(chatId, text, {
    disable_notification: silent,
    ...(reply_to === null ? {} : { reply_parameters: { message_id: Number(reply_to) } }),
  });
  return { remote_id: String(sent.message_id), chat: factsOf(sent.chat) };
}
