import { randomBytes } from "node:crypto";
import type { Bot, Chat, Standing } from "./model.ts";

/** Who is there, and how they stand to each other. */
export interface World {
  addBot(options?: Partial<Pick<Bot, "token" | "username" | "first_name">>): Bot;
  removeBot(token: string): void;
  botOf(token: string): Bot | undefined;
  addChat(chat: Partial<Chat> & Pick<Chat, "type">): Chat;
  /** @param id a number as text, or the `@username` of a channel or supergroup; people are not found by their username */
  chatOf(id: string): Chat | undefined;
  standingOf(bot: Bot, chat: Chat): Standing;
  setStanding(bot: Pick<Bot, "token">, chat: Pick<Chat, "id">, standing: Standing): void;
  /** The topics of a forum, by the id of the message that opened each. */
  topicsOf(chat: Pick<Chat, "id">): Map<number, Topic>;
  /** People whose Telegram account is gone. */
  readonly deactivated: Set<number>;
  /** From a group to the supergroup that it became. */
  readonly migrations: Map<number, number>;
}

/** A topic of a forum. */
interface Topic {
  name: string;
  is_closed: boolean;
}

const FIRST_IDS = { bot: 7_000_000_001, private: 500_000_001, group: -400_000_001, supergroup: -1_002_000_000_001 };

export function createWorld(): World {
  const bots = new Map<string, Bot>();
  const chats = new Map<number, Chat>();
  const publicIds = new Map<string, number>();
  const standings = new Map<string, Standing>();
  const topics = new Map<number, Map<number, Topic>>();
  const next = { ...FIRST_IDS, channel: FIRST_IDS.supergroup - 500_000_000 };

  return {
    addBot({ token, username, first_name = "Posthouse" } = {}) {
      const id = token === undefined ? next.bot++ : Number.parseInt(token, 10);
      const bot = {
        id,
        token: token ?? `${id}:${randomBytes(26).toString("base64url")}`,
        username: username ?? `bot_${id}_bot`,
        first_name,
      };
      bots.set(bot.token, bot);
      return bot;
    },
    removeBot: (token) => void bots.delete(token),
    botOf: (token) => bots.get(token),
    addChat(chat) {
      const id = chat.id ?? (chat.type === "private" ? next.private++ : next[chat.type]--);
      const record = { ...chat, id };
      chats.set(id, record);
      if (chat.username !== undefined && chat.type !== "private") publicIds.set(chat.username.toLowerCase(), id);
      return record;
    },
    chatOf(id) {
      const number = id.startsWith("@") ? publicIds.get(id.slice(1).toLowerCase()) : Number(id);
      return number === undefined ? undefined : chats.get(number);
    },
    standingOf: (bot, chat) => standings.get(`${bot.token} ${chat.id}`) ?? "unknown",
    setStanding: (bot, chat, standing) => void standings.set(`${bot.token} ${chat.id}`, standing),
    topicsOf({ id }) {
      const known = topics.get(id) ?? new Map<number, Topic>();
      topics.set(id, known);
      return known;
    },
    deactivated: new Set(),
    migrations: new Map(),
  };
}
