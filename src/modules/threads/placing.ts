import type { Clock } from "#src/core/clock.ts";
import { newId } from "#src/core/ids.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { ThreadBrief, ThreadNews, ThreadPlace } from "./model.ts";
import type { BriefRow, PlacedRow, PlacingStore } from "./placing-sql.ts";

/** Of a forum's topics, those that are looked at when it is not told which one is meant. */
const THREADS_OF_CHAT_MAX = 50;

const keyOf = ({ account_id, chat_id, topic_id }: ThreadPlace) => `${account_id} ${chat_id} ${topic_id ?? ""}`;

/** Finds the threads of messages as they come and go, and makes them. */
export function createPlacing({ store, clock }: { store: PlacingStore; clock: Clock }) {
  /** Several messages of one thread are one change of it. @returns the changes, and of each message which one it is part of */
  function merge(env_id: number, news: readonly ThreadNews[], unread: 0 | 1, now: number): { rows: PlacedRow[]; parts: number[] } {
    const rows: PlacedRow[] = [];
    const known = new Map<string, number>();
    const parts = news.map((one) => {
      const key = keyOf(one);
      const part = known.get(key);
      if (part !== undefined) {
        add(rows[part]!, one, unread);
        return part;
      }
      known.set(key, rows.length);
      const { channel, account_id, chat_id, type, title, username, contact_id, message_id, at } = one;
      const last = { unread, last_message_id: message_id, last_message_at: at };
      const id = newId("th", now, env_id);
      return (
        rows.push({ env_id, id, channel, account_id, chat_id, topic_id: one.topic_id ?? "", type, title, username, contact_id, ...last }) -
        1
      );
    });
    return { rows, parts };
  }

  async function place(tx: Tx, env_id: number, news: readonly ThreadNews[], verb: "heard" | "wrote"): Promise<ThreadBrief[]> {
    const now = clock.now(env_id);
    const { rows, parts } = merge(env_id, news, verb === "heard" ? 1 : 0, now);
    const briefs = (await store[verb](tx, env_id, rows, now)).map(presentBrief);
    return parts.map((part) => briefs[part]!);
  }

  return {
    /** Messages were received, in this order: each is unread. @returns each one's thread */
    heard: (tx: Tx, env_id: number, news: readonly ThreadNews[]) => place(tx, env_id, news, "heard"),
    /** Messages were sent, in this order. @returns each one's thread */
    wrote: (tx: Tx, env_id: number, news: readonly ThreadNews[]) => place(tx, env_id, news, "wrote"),
    /** Threads by their ids; those that are gone are left out. */
    async byIds(tx: Tx, env_id: number, ids: readonly string[]): Promise<ReadonlyMap<string, ThreadBrief & { chat_id: string }>> {
      const rows = await store.byIds(tx, env_id, ids);
      return new Map(rows.map((row) => [row.id, { ...presentBrief(row), chat_id: row.chat_id }]));
    },
    /** The threads of a chat, or the one of a topic, those with the newest messages first. */
    async ofChat(tx: Tx, env_id: number, { account_id, chat_id, topic_id }: ThreadPlace): Promise<ThreadBrief[]> {
      const rows = await store.ofChat(tx, { env_id, account_id, chat_id }, THREADS_OF_CHAT_MAX);
      return rows.filter((row) => topic_id === null || row.topic_id === topic_id).map(presentBrief);
    },
    /** A topic has this title now; its thread begins with that if need be. */
    entitle(
      tx: Tx,
      env_id: number,
      { topic_id, ...topic }: Omit<ThreadNews, "message_id" | "at" | "username" | "contact_id">,
    ): Promise<void> {
      const now = clock.now(env_id);
      const empty = { username: null, contact_id: null, unread: 0, last_message_id: "", last_message_at: now };
      return store.entitle(tx, { ...topic, ...empty, env_id, id: newId("th", now, env_id), topic_id: topic_id ?? "" }, now);
    },
    /** A chat is under another id from now on. */
    move: (tx: Tx, env_id: number, account_id: number, from: string, to: string): Maybe<void> =>
      store.move(tx, { env_id, account_id, chat_id: from }, to, clock.now(env_id)),
  };
}

function add(row: PlacedRow, { message_id, at, title, username, contact_id }: ThreadNews, unread: number): void {
  if (at >= row.last_message_at) Object.assign(row, { last_message_id: message_id, last_message_at: at });
  row.title = title ?? row.title;
  row.username = username;
  row.contact_id = contact_id ?? row.contact_id;
  row.unread += unread;
}

function presentBrief({ id, topic_id, title }: BriefRow): ThreadBrief {
  return { id, topic_id: topic_id === "" ? null : topic_id, title };
}
