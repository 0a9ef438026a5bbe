import type { Emulation } from "./emulation.ts";
import type { Fault } from "./faults.ts";
import { createGroups, type Groups } from "./groups.ts";
import { createLoad, type Load } from "./load.ts";
import type { Bot, CallbackAnswer, CallMatch, Chat, Message, Standing } from "./model.ts";
import { createPeople, type People } from "./people.ts";
import { createUploads, type Uploads } from "./uploads.ts";

type BotRef = Pick<Bot, "token">;
type ChatRef = Pick<Chat, "id">;
type Person = Partial<Pick<Chat, "id" | "first_name" | "last_name" | "username">>;

/** What a test can make happen. All arguments and results are plain data, so that the same verbs work over HTTP. */
export interface Verbs extends People, Uploads, Groups, Load {
  addBot(options?: Partial<Pick<Bot, "token" | "username" | "first_name">>): Bot;
  /** The token is answered 401 from now on. */
  revokeToken(bot: BotRef): void;
  /** A person who has pressed Start. */
  addPrivateChat(bot: BotRef, person?: Person): Chat;
  /** So many people who have pressed Start. */
  addPrivateChats(bot: BotRef, count: number): Chat[];
  /** A person whom no bot has met. */
  addStranger(person?: Person): Chat;
  /** A group, supergroup or channel in which the bot may write. */
  addGroup(bot: BotRef, group: NewGroup): Chat;
  setStanding(bot: BotRef, chat: ChatRef, standing: Standing): void;
  /** The person deletes the Telegram account. */
  deactivate(chat: ChatRef): void;
  /** The messages of a chat as the bot sees them now. */
  history(bot: BotRef, chat: ChatRef): Message[];
  /** All presses on buttons that bots have answered. */
  callbackAnswers(): CallbackAnswer[];
  /** Posts the updates of all webhooks to this origin, whatever their address: stands for a proxy that ends TLS. */
  routeWebhooks(origin: string): void;
  /** 429 on matching calls for this many seconds. */
  flood(retryAfter: number, match?: CallMatch): void;
  /** Plays a fault on the next matching call, or on so many. */
  fault(fault: Fault, match?: CallMatch & { times?: number }): void;
  clearFaults(): void;
}

interface NewGroup {
  type: "group" | "supergroup" | "channel";
  title: string;
  username?: string;
  is_forum?: boolean;
}

export function createVerbs(emulation: Emulation): Verbs {
  const { world, faults, pacing, history, callbacks, routeWebhooks } = emulation;
  const chatOf = ({ id }: ChatRef) => {
    const chat = world.chatOf(String(id));
    if (chat === undefined) throw new Error(`there is no chat ${id}`);
    return chat;
  };
  const addOpen = (bot: BotRef, chat: Parameters<typeof world.addChat>[0]) => {
    const record = world.addChat(chat);
    world.setStanding(bot, record, "open");
    return record;
  };
  const person = (given: Person = {}) => ({ first_name: "Sarah", ...given, type: "private" as const });
  return {
    ...createPeople(emulation),
    ...createUploads(emulation),
    ...createGroups(emulation),
    ...createLoad(emulation),
    addBot: (options) => world.addBot(options),
    revokeToken: ({ token }) => world.removeBot(token),
    addPrivateChat: (bot, given) => addOpen(bot, person(given)),
    addPrivateChats: (bot, count) => Array.from({ length: count }, () => addOpen(bot, person())),
    addStranger: (given) => world.addChat(person(given)),
    addGroup: (bot, group) => addOpen(bot, group),
    setStanding: (bot, chat, standing) => world.setStanding(bot, chatOf(chat), standing),
    deactivate: (chat) => void world.deactivated.add(chatOf(chat).id),
    history: (bot, chat) => history.all(bot, chat),
    callbackAnswers: () => [...callbacks.answers],
    routeWebhooks,
    flood: (retryAfter, match) => pacing.flood(retryAfter, match),
    fault: (fault, match) => faults.add(fault, match),
    clearFaults: () => faults.clear(),
  };
}
