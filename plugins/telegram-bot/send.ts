import type { Api } from "grammy";
import type { ChatFacts, Outgoing, OutgoingFile, SendResult } from "#src/modules/messages/channel.ts";
import { type Bot, factsOf, findChat } from "./chat.ts";
import { captioned, formFiles, keyboardOf, nameOf, parsed } from "./content.ts";
import { refusalOf } from "./outcome.ts";
import type { Answer, Wire } from "./wire.ts";

interface Done {
  remote_id: string;
  /** Of an album's other messages. */
  others?: string[];
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
  const files = formFiles(message.files);
  const deliverTo = (id: number) => wire(bot.token, signal, (api) => post(api, id, message), files);
  const answer = await deliverTo(chatId);
  const successor = answer.kind === "refused" ? answer.migrate_to_chat_id : null;
  return successor === null ? answer : deliverTo(successor);
}

async function post(api: Api, chatId: number, message: Outgoing): Promise<Done> {
  const { text, files } = message;
  const [file, ...others] = files;
  if (file !== undefined && others.length > 0) return postAlbum(api, chatId, message);
  const options = { ...manner(message), ...keyboardOf(message.buttons) };
  const sent =
    file === undefined
      ? await api.sendMessage(chatId, text, { ...options, ...parsed(message) })
      : await postFile(api, chatId, file, { ...options, ...captioned(message) });
  return { remote_id: String(sent.message_id), chat: factsOf(sent.chat) };
}

async function postAlbum(api: Api, chatId: number, message: Outgoing): Promise<Done> {
  // The caption of the first is the album's.
  const media = message.files.map((file, at) => ({
    type: file.type,
    media: nameOf(file, at),
    ...(at === 0 ? captioned(message) : {}),
  }));
  const sent = await api.sendMediaGroup(chatId, media as Parameters<Api["sendMediaGroup"]>[1], manner(message));
  const [first, ...others] = sent;
  return { remote_id: String(first!.message_id), others: others.map(({ message_id }) => String(message_id)), chat: factsOf(first!.chat) };
}

type FileOptions = ReturnType<typeof captioned> & ReturnType<typeof manner> & ReturnType<typeof keyboardOf>;

/** https://core.telegram.org/bots/api#sending-files */
function postFile(api: Api, chatId: number, file: OutgoingFile, options: FileOptions) {
  const name = nameOf(file, 0);
  switch (file.type) {
    case "photo":
      return api.sendPhoto(chatId, name, options);
    case "video":
      return api.sendVideo(chatId, name, { ...options, supports_streaming: true });
    case "voice":
      return api.sendVoice(chatId, name, options);
    case "audio":
      return api.sendAudio(chatId, name, options);
    case "animation":
      return api.sendAnimation(chatId, name, options);
    default:
      // A film that is to be a document would be made a film of.
      return api.sendDocument(chatId, name, { ...options, disable_content_type_detection: /^(image|audio|video)\//.test(file.mime ?? "") });
  }
}

function manner({ silent, reply_to, topic_id }: Outgoing) {
  return {
    disable_notification: silent,
    ...(reply_to === null ? {} : { reply_parameters: { message_id: Number(reply_to) } }),
    ...(topic_id === null ? {} : { message_thread_id: Number(topic_id) }),
  };
}
