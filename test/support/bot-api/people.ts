import type { Emulation } from "./emulation.ts";
import type { Bot, Chat, Entity, Message } from "./model.ts";
import { presentBot, presentPerson } from "./present.ts";
import type { Update } from "./updates.ts";
import { createWriting, type Writing } from "./writing.ts";

type BotRef = Pick<Bot, "token">;
type ChatRef = Pick<Chat, "id">;

/** What people do in a chat with a bot, each of which makes an update. */
export interface People {
  /** Somebody writes, which makes a private chat open. */
  say(bot: BotRef, chat: ChatRef, text: string, writing?: Writing & { entities?: Entity[] }): Update;
  /** The person presses Start, in the chat or behind a link `t.me/<bot>?start=<payload>`. */
  pressStart(bot: BotRef, chat: ChatRef, payload?: string): Update;
  /** Somebody changes a message: `text`, or where it is media `caption`, with the entities of it. */
  edit(bot: BotRef, chat: ChatRef, messageId: number, to: { text?: string; caption?: string; entities?: Entity[] }): Update;
  shareLocation(bot: BotRef, chat: ChatRef, location: { latitude: number; longitude: number }, writing?: Writing): Update;
  shareContact(bot: BotRef, chat: ChatRef, contact: SharedContact, writing?: Writing): Update;
  /** Any other content of a message, such as `{ dice: { emoji: "🎲", value: 4 } }`. */
  post(bot: BotRef, chat: ChatRef, content: Record<string, unknown>, writing?: Writing): Update;
  /** Somebody's reaction is now this emoji, or none. */
  react(bot: BotRef, chat: ChatRef, messageId: number, emoji: string | null, writing?: Pick<Writing, "from">): Update;
  /** @param data of one of the message's buttons @throws Error when there is no such button */
  press(bot: BotRef, chat: ChatRef, messageId: number, data: string, writing?: Pick<Writing, "from">): Update;
  block(bot: BotRef, chat: ChatRef): Update;
  unblock(bot: BotRef, chat: ChatRef): Update;
}

interface SharedContact {
  phone_number: string;
  first_name: string;
  last_name?: string;
  user_id?: number;
  vcard?: string;
}

const now = () => Math.floor(Date.now() / 1000);
const emojiOf = (emoji: string | null) => (emoji === null ? [] : [{ type: "emoji", emoji }]);

export function createPeople(emulation: Emulation): People {
  const { world, history, callbacks, mailboxOf } = emulation;
  const { chatOf, writerOf, messageOf, write } = createWriting(emulation);
  const reactions = new Map<string, string | null>();

  const turn = (bot: BotRef, chat: ChatRef, standing: "blocked" | "open") => {
    const record = chatOf(chat);
    const known = world.botOf(bot.token);
    if (known === undefined) throw new Error("there is no such bot");
    world.setStanding(bot, record, standing);
    const user = presentBot(known);
    const [member, kicked] = [
      { user, status: "member" },
      { user, status: "kicked", until_date: 0 },
    ];
    const [old_chat_member, new_chat_member] = standing === "open" ? [kicked, member] : [member, kicked];
    const my_chat_member = { chat: record, from: presentPerson(record), date: now(), old_chat_member, new_chat_member };
    return mailboxOf(bot).push({ my_chat_member });
  };
  const people: People = {
    say: (bot, chat, text, { entities = [], ...writing } = {}) =>
      write(bot, chat, { text, ...(entities.length === 0 ? {} : { entities }) }, writing),
    pressStart(bot, chat, payload) {
      const text = payload === undefined ? "/start" : `/start ${payload}`;
      return people.say(bot, chat, text, { entities: [{ type: "bot_command", offset: 0, length: 6 }] });
    },
    edit(bot, chat, messageId, { text, caption, entities }) {
      const message = messageOf(bot, chat, messageId);
      const name = text === undefined ? "caption" : "text";
      const content = { [name]: text ?? caption, [text === undefined ? "caption_entities" : "entities"]: entities };
      const edited_message = history.change(bot, message, { ...content, edit_date: now() });
      return mailboxOf(bot).push({ edited_message });
    },
    shareLocation: (bot, chat, location, writing) => write(bot, chat, { location }, writing),
    shareContact: (bot, chat, contact, writing) => write(bot, chat, { contact }, writing),
    post: write,
    react(bot, chat, messageId, emoji, { from } = {}) {
      const { message_id, chat: record } = messageOf(bot, chat, messageId);
      const user = writerOf(record, from);
      const key = `${bot.token} ${record.id} ${message_id} ${user.id}`;
      const old_reaction = emojiOf(reactions.get(key) ?? null);
      reactions.set(key, emoji);
      const message_reaction = { chat: record, message_id, user, date: now(), old_reaction, new_reaction: emojiOf(emoji) };
      return mailboxOf(bot).push({ message_reaction });
    },
    press(bot, chat, messageId, data, { from } = {}) {
      const message = messageOf(bot, chat, messageId);
      if (!buttonsOf(message).some(({ callback_data }) => callback_data === data)) throw new Error(`there is no button ${data}`);
      const chat_instance = String(BigInt(message.chat.id) * 1_000_003n);
      const callback_query = { id: callbacks.ask(bot), from: writerOf(message.chat, from), message, chat_instance, data };
      return mailboxOf(bot).push({ callback_query });
    },
    block: (bot, chat) => turn(bot, chat, "blocked"),
    unblock: (bot, chat) => turn(bot, chat, "open"),
  };
  return people;
}

function buttonsOf({ reply_markup }: Message): { callback_data?: string }[] {
  const { inline_keyboard = [] } = (reply_markup ?? {}) as { inline_keyboard?: { callback_data?: string }[][] };
  return inline_keyboard.flat();
}
