import type { Bot, Chat, Message } from "./model.ts";

type BotRef = Pick<Bot, "token">;
type ChatRef = Pick<Chat, "id">;

/**
 * The messages of every chat, as a bot sees them now.
 * Ids begin at 1 in every chat of every bot, so that an id alone never tells a message.
 */
export interface History {
  /** Puts a message into a chat, under the next id. */
  add(bot: BotRef, chat: Chat, content: Omit<Message, "message_id" | "chat" | "date">): Message;
  /** The id that the next message of the chat will have. */
  nextId(bot: BotRef, chat: ChatRef): number;
  find(bot: BotRef, chat: ChatRef, id: number): Message | undefined;
  /** Changes a message; a field that is given as undefined goes. */
  change(bot: BotRef, message: Message, content: Record<string, unknown>): Message;
  /** @returns whether it was there */
  remove(bot: BotRef, chat: ChatRef, id: number): boolean;
  all(bot: BotRef, chat: ChatRef): Message[];
}

export function createHistory(): History {
  const chats = new Map<string, { last: number; messages: Map<number, Message> }>();
  const chatOf = ({ token }: BotRef, { id }: ChatRef) => {
    const key = `${Number.parseInt(token, 10)} ${id}`;
    let chat = chats.get(key);
    if (chat === undefined) chats.set(key, (chat = { last: 0, messages: new Map() }));
    return chat;
  };
  const put = (bot: BotRef, message: Message) => {
    chatOf(bot, message.chat).messages.set(message.message_id, message);
    return message;
  };
  return {
    add(bot, chat, content) {
      const message_id = ++chatOf(bot, chat).last;
      return put(bot, { message_id, date: Math.floor(Date.now() / 1000), chat, ...content });
    },
    nextId: (bot, chat) => chatOf(bot, chat).last + 1,
    find: (bot, chat, id) => chatOf(bot, chat).messages.get(id),
    change: (bot, message, content) => put(bot, Object.assign({}, message, content)),
    remove: (bot, chat, id) => chatOf(bot, chat).messages.delete(id),
    all: (bot, chat) => [...chatOf(bot, chat).messages.values()],
  };
}
