import type { Emulation } from "./emulation.ts";
import { withoutReply } from "./envelope.ts";
import type { Bot, Chat, Message, User } from "./model.ts";
import { presentPerson } from "./present.ts";
import type { Update } from "./updates.ts";

type BotRef = Pick<Bot, "token">;
type ChatRef = Pick<Chat, "id">;

/** How somebody writes. */
export interface Writing {
  /** Who; in a private chat its person, in a group by default somebody. */
  from?: ChatRef;
  /** The id of a message of the chat. */
  reply_to?: number;
  /** The id of a topic of the forum. */
  topic?: number;
}

/** Puts what people write into a chat and tells the bot. */
export function createWriting({ world, history, mailboxOf }: Emulation) {
  let somebody: Chat | undefined;
  const chatOf = ({ id }: ChatRef): Chat => {
    const chat = world.chatOf(String(id));
    if (chat === undefined) throw new Error(`there is no chat ${id}`);
    return chat;
  };
  const writerOf = (chat: Chat, from?: ChatRef): User => {
    if (from !== undefined) return presentPerson(chatOf(from));
    if (chat.type === "private") return presentPerson(chat);
    somebody ??= world.addChat({ type: "private", first_name: "Tom", username: "tom_group" });
    return presentPerson(somebody);
  };
  const messageOf = (bot: BotRef, chat: ChatRef, id: number): Message => {
    const message = history.find(bot, chatOf(chat), id);
    if (message === undefined) throw new Error(`there is no message ${id}`);
    return message;
  };
  const write = (bot: BotRef, chat: ChatRef, content: Record<string, unknown>, writing: Writing = {}): Update => {
    const { from, reply_to, topic } = writing;
    const record = chatOf(chat);
    if (record.type === "private") world.setStanding(bot, record, "open");
    // In a topic every message that replies to no other is shown as a reply to the one that opened it.
    const replied = reply_to ?? topic;
    const message = history.add(bot, record, {
      from: writerOf(record, from),
      ...(topic === undefined ? {} : { message_thread_id: topic, is_topic_message: true }),
      ...(replied === undefined ? {} : { reply_to_message: withoutReply(messageOf(bot, record, replied)) }),
      ...content,
    });
    return mailboxOf(bot).push({ message });
  };
  return { chatOf, writerOf, messageOf, write };
}
