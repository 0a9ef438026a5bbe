import { join } from "node:path";
import { spawnBotApi } from "#test/support/bot-api/remote.ts";
import type { Caller } from "#test/support/client.ts";
import { spawnDataCenter } from "#test/support/data-center/remote.ts";
import { connectBot } from "./api.ts";
import { connectUser } from "./live-user.ts";
import type { Env } from "./posthouse.ts";

/** Telegram with accounts and people, to whom broadcasts go. */
export interface TelegramSide extends AsyncDisposable {
  env: Env;
  /** Whether a message that may have been sent is sent again with the same number, so that nobody has to go without. */
  repeats: boolean;
  /** Makes accounts, people and contacts. @returns what broadcasts to ask for, so that each person is in one */
  prepare(caller: Caller, people: number): Promise<{ audience: object; account_ids: number[] }[]>;
  /** How many messages each person has got. */
  arrivals(): Promise<number[]>;
}

const ACCOUNTS = 10;
const AT_ONCE = 250;
/** Telegram takes its time, so that there is something on the wire. */
const BOT_ANSWER_MS = 60;
const USER_ANSWER_MS = 15;

/** Ten bots, each with a broadcast to its people: a bot reaches nobody else. */
export async function botSide(): Promise<TelegramSide> {
  const api = await spawnBotApi();
  await api.fault({ kind: "slow", ms: BOT_ANSWER_MS }, { method: "sendMessage", times: Number.MAX_SAFE_INTEGER });
  return {
    env: { TELEGRAM_API_ROOT: api.url },
    repeats: false,
    async prepare(caller, people) {
      const asks = [];
      for (let at = 0; at < ACCOUNTS; at++) {
        const bot = await api.addBot();
        const account_ids = [await connectBot(caller, bot)];
        const chats = await api.addPrivateChats(bot, Math.floor((people + at) / ACCOUNTS));
        const tag = `bot_${at}`;
        await inGroups(chats, ({ id }) => makePerson(caller, { telegram_id: id, tags: [tag] }));
        asks.push({ audience: { tag }, account_ids });
      }
      return asks;
    },
    async arrivals() {
      return [...Map.groupBy(await api.sent(), ({ chat_id }) => chat_id).values()].map((some) => some.length);
    },
    [Symbol.asyncDispose]: () => api.stop(),
  };
}

/** Ten user accounts, and one broadcast over all of them to people who have names. */
export async function userSide(folder: string): Promise<TelegramSide> {
  const dc = await spawnDataCenter({ dcIds: [2] });
  const people: Awaited<ReturnType<typeof dc.addUser>>[] = [];

  return {
    env: {
      TELEGRAM_API_ID: "12345",
      TELEGRAM_API_HASH: "0123456789abcdef0123456789abcdef",
      TELEGRAM_DC_FILE: await dc.dcFile(join(folder, "dc.json")),
    },
    repeats: true,
    async prepare(caller, count) {
      const account_ids: number[] = [];
      for (let at = 0; at < ACCOUNTS; at++)
        account_ids.push(await connectUser(caller, dc, `User ${at}`, `+4915200${String(at).padStart(6, "0")}`));
      const names = Array.from({ length: count }, (_, at) => `person_${at}_of_many`);
      await inGroups(names, async (username) => {
        people.push(await dc.addUser({ firstName: username, username }));
        await makePerson(caller, { username, tags: ["everybody"] });
      });
      await dc.delay("messages.sendMessage", USER_ANSWER_MS, Number.MAX_SAFE_INTEGER);
      return [{ audience: { tag: "everybody" }, account_ids }];
    },
    async arrivals() {
      const times: number[] = [];
      await inGroups(people, async (person) => void times.push((await dc.history(person)).length));
      return times;
    },
    [Symbol.asyncDispose]: () => dc.stop(),
  };
}

async function makePerson(caller: Caller, person: object): Promise<void> {
  const { status, text } = await caller.post("/v1/contacts", person);
  if (status !== 201) throw new Error(`${status}: ${text}`);
}

async function inGroups<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += AT_ONCE) await Promise.all(all.slice(at, at + AT_ONCE).map(work));
}
