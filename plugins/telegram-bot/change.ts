import type { Api } from "grammy";
import type { DoneResult, Revision, SentMessage } from "#src/modules/messages/channel.ts";
import type { Bot } from "./chat.ts";
import { captioned, keyboardOf, parsed } from "./content.ts";
import { asRepeatable, refusalOf } from "./outcome.ts";
import type { Wire } from "./wire.ts";

/** https://core.telegram.org/bots/api#editmessagetext and #editmessagecaption; what it is already is as good as changed. */
export function editMessage(wire: Wire, bot: Bot, message: SentMessage, revision: Revision, signal: AbortSignal): Promise<DoneResult> {
  const { text, isCaption, buttons } = revision;
  const id = Number(message.remote_id);
  return change(wire, bot, message, /message is not modified/i, signal, async (api, chat) => {
    const keyboard = keyboardOf(buttons);
    if (isCaption) await api.editMessageCaption(chat, id, { ...captioned(revision), ...keyboard });
    else await api.editMessageText(chat, id, text, { ...parsed(revision), ...keyboard });
  });
}

/** https://core.telegram.org/bots/api#deletemessages; what is gone already is as good as deleted. */
export function removeMessage(wire: Wire, bot: Bot, message: SentMessage, signal: AbortSignal): Promise<DoneResult> {
  const { remote_id, others } = message;
  return change(wire, bot, message, /message to delete not found/i, signal, async (api, chat) => {
    // An album is several messages. Of one by itself Telegram tells why it can't be deleted.
    if (others.length > 0) await api.deleteMessages(chat, [remote_id, ...others].map(Number));
    else await api.deleteMessage(chat, Number(remote_id));
  });
}

async function change(
  wire: Wire,
  bot: Bot,
  message: SentMessage,
  isDone: RegExp,
  signal: AbortSignal,
  act: (api: Api, chat: string | number) => Promise<void>,
): Promise<DoneResult> {
  const known = message.chat_id ?? message.recipient;
  const answer = await wire(bot.token, signal, (api) => act(api, known.startsWith("@") ? known : Number(known)));
  if (answer.kind === "ok" || (answer.kind === "refused" && isDone.test(answer.description))) return { kind: "done" };
  return asRepeatable(refusalOf(answer, bot, message));
}
