import type { Clock } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { Channel } from "./channel.ts";
import { createHappenings } from "./happenings.ts";
import {
  chatRow,
  contentOf,
  type HearingAccount,
  incomingRow,
  isPerson,
  isPrivate,
  type KeepFile,
  newsOf,
  type Told,
  WRITER,
} from "./incoming.ts";
import type { Message, Person } from "./model.ts";
import { presentInThread, presentMessage } from "./present.ts";
import { readReply } from "./replies.ts";
import { notesOf, type Scoring } from "./scoring.ts";
import type { MessageRow, MessageStore } from "./store.ts";
import type { Threads } from "./threads.ts";

export interface ReceiverNeeds {
  store: MessageStore;
  clock: Clock;
  channels: ReadonlyMap<string, Pick<Channel, "name" | "family">>;
  threads: Threads;
  /** Whose messages they are. @param people with when each wrote, in ms @returns the contacts' ids, by the people's */
  seen(
    tx: Tx,
    writer: { env_id: number; actor: string },
    people: readonly { person: Person; at: number }[],
  ): Promise<ReadonlyMap<number, string>>;
  keepFile: KeepFile;
  scoring: Scoring;
  /** Contacts have written by themselves, not in a group. */
  answered(tx: Tx, env_id: number, contact_ids: readonly string[]): Promise<void>;
  suppressions: {
    optOut(tx: Tx, env_id: number, family: string, recipient: string): Promise<void>;
    /** Lifts what `optOut` has made. */
    optIn(tx: Tx, env_id: number, family: string, recipient: string): Promise<void>;
  };
  /** Whether a person's own STOP counts. */
  hearsReplies(tx: Tx, env_id: number): Maybe<boolean>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

/** What came of a message that was received: told again, it is the one from before. */
export interface Landed {
  message: Message;
  created: boolean;
}

interface Arrival {
  told: Told;
  row: MessageRow;
  created: boolean;
}

const originOf = (chat_id: string, remote_id: string) => `${chat_id} ${remote_id}`;

/** Takes what happens in the chats of an account. */
export function createReceiver(needs: ReceiverNeeds) {
  const { store, clock, channels, threads, seen, keepFile, scoring, suppressions, hearsReplies, appendEvent } = needs;
  const happenings = createHappenings(needs);

  /** Finds out which of them are here already, and keeps those that are not. */
  async function land(tx: Tx, account: HearingAccount, told: readonly Told[], now: number): Promise<Arrival[]> {
    const channel = channels.get(account.kind)!.name;
    const asked = told.flatMap(({ chat, remote_id, reply_to }) =>
      [remote_id, reply_to].flatMap((id) => (id === null ? [] : [[chat.id, id] as const])),
    );
    const kept = await store.severalReceived(tx, account.env_id, account.id, asked);
    const known = new Map(kept.map((row) => [originOf(row.chat_id!, row.remote_id!), row]));
    const arrivals: Arrival[] = [];
    for (const one of told) {
      const origin = originOf(one.chat.id, one.remote_id);
      let row = known.get(origin);
      let created = false;
      while (row === undefined) {
        const fresh = incomingRow(account, channel, one, await contentOf(tx, account, one, keepFile), now);
        created = await store.insertReceived(tx, fresh);
        // One that is erased between the two has left its place.
        row = created ? fresh : await store.received(tx, fresh);
      }
      known.set(origin, row);
      arrivals.push({ told: one, row, created });
    }
    for (const { told: one, row, created } of arrivals) {
      if (!created || one.reply_to === null) continue;
      row.reply_to = known.get(originOf(one.chat.id, one.reply_to))?.id ?? row.reply_to;
    }
    return arrivals;
  }

  /** Each person once, with the last that is told of them. */
  async function meet(tx: Tx, { env_id }: HearingAccount, arrivals: readonly Arrival[], now: number): Promise<ReadonlyMap<number, string>> {
    const people = new Map<number, { person: Person; at: number }>();
    for (const { told } of arrivals) {
      if (!isPerson(told.sender)) continue;
      const { telegram_id } = told.sender;
      const at = Math.min(told.at, now);
      people.set(telegram_id, { person: told.sender, at: Math.max(at, people.get(telegram_id)?.at ?? 0) });
    }
    return seen(tx, { env_id, actor: WRITER }, [...people.values()]);
  }

  /** A private chat tells whose `@username` it is, so that an opt-out of the id is one of the name. */
  function keepChats(tx: Tx, account: HearingAccount, arrivals: readonly Arrival[], now: number): void {
    const chats = new Map(arrivals.map(({ told }) => [told.chat.id, told.chat]));
    for (const chat of chats.values()) store.keepChat(tx, chatRow(account, chat, now, null));
  }

  async function heed(tx: Tx, { env_id, kind }: HearingAccount, { told }: Arrival): Promise<void> {
    if (!isPrivate(told) || told.chat.id !== String(told.sender?.telegram_id)) return;
    const reply = readReply(told.text);
    if (reply === null || !(await hearsReplies(tx, env_id))) return;
    const { family } = channels.get(kind)!;
    if (reply === "stop") await suppressions.optOut(tx, env_id, family, told.chat.id);
    else await suppressions.optIn(tx, env_id, family, told.chat.id);
  }

  /** What was sent in the thread can be answered too. */
  async function answered(tx: Tx, { env_id, reply_to }: MessageRow, thread_id: string): Promise<string | null> {
    if (reply_to === null || reply_to.startsWith("msg_")) return reply_to;
    return (await store.inThread(tx, env_id, thread_id, reply_to))?.id ?? reply_to;
  }

  /** Keeps messages that were received, each once. */
  async function receive(tx: Tx, account: HearingAccount, told: readonly Told[]): Promise<Landed[]> {
    const { env_id } = account;
    const now = clock.now(env_id);
    const arrivals = await land(tx, account, told, now);
    const fresh = arrivals.filter(({ created }) => created);
    if (fresh.length > 0) {
      const contacts = await meet(tx, account, fresh, now);
      for (const { told: one, row } of fresh) row.contact_id = contacts.get(one.sender?.telegram_id ?? 0) ?? null;
      keepChats(tx, account, fresh, now);
      const placed = await threads.heard(
        tx,
        env_id,
        fresh.map(({ told: one, row }) => newsOf(one, row, now)),
      );
      for (const [at, arrival] of fresh.entries()) {
        const { row } = arrival;
        const thread = placed[at]!;
        row.thread_id = thread.id;
        row.reply_to = await answered(tx, row, thread.id);
        store.assign(tx, row);
        appendEvent(tx, env_id, { type: "message.received", subject: row.id, actor: WRITER, data: presentInThread(row, thread) });
        await heed(tx, account, arrival);
      }
      const writers = fresh.filter(({ told: one }) => isPrivate(one)).flatMap(({ row }) => row.contact_id ?? []);
      await needs.answered(tx, env_id, [...new Set(writers)]);
      const notes = fresh.flatMap(({ row }) => notesOf(row, ["message.received"]));
      await scoring.noted(tx, { env_id, actor: WRITER }, notes);
    }
    return arrivals.map(({ row, created }) => ({ message: presentMessage(row), created }));
  }

  /** An edit of a message that is not here is the message. */
  async function edit(tx: Tx, account: HearingAccount, told: Told): Promise<Landed> {
    const [kept] = await store.severalReceived(tx, account.env_id, account.id, [[told.chat.id, told.remote_id]]);
    if (kept === undefined) return (await receive(tx, account, [told]))[0]!;
    return { message: await happenings.edited(tx, account, told, kept), created: false };
  }

  /**
   * Takes what has happened in the chats of an account, in its order: a message lands once, however often it is told.
   * @returns what came of each message that was received or changed, and null of everything else
   */
  return async function happened(tx: Tx, account: HearingAccount, items: readonly Inbound[]): Promise<(Landed | null)[]> {
    const landed: (Landed | null)[] = [];
    for (let at = 0; at < items.length;) {
      const item = items[at]!;
      if (item.kind !== "received") {
        landed.push(item.kind === "edited" ? await edit(tx, account, item) : await happenings.note(tx, account, item));
        at++;
        continue;
      }
      const run: Told[] = [];
      for (let next = items[at]; next?.kind === "received"; next = items[++at]) run.push(next);
      landed.push(...(await receive(tx, account, run)));
    }
    return landed;
  };
}
