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
  /** Several messages of one thread are one change of it. */
  function merge(env_id: number, news: readonly ThreadNews[], isUnread: boolean, now: number): PlacedRow[] {
    const rows = new Map<string, PlacedRow>();
    for (const { message_id, at, topic_id, ...facts } of news) {
      const key = keyOf({ ...facts, topic_id });
      const before = rows.get(key);
      const last = { last_message_id: message_id, last_message_at: at };
      if (before === undefined)
        rows.set(key, { ...facts, ...last, env_id, id: newId("th", now), topic_id: topic_id ?? "", unread: isUnread ? 1 : 0 });
      else
        Object.assign(before, {
          ...(at >= before.last_message_at ? last : {}),
          title: facts.title ?? before.title,
          username: facts.username,
          contact_id: facts.contact_id ?? before.contact_id,
          unread: before.unread + (isUnread ? 1 : 0),
        });
    }
    // In one order everywhere: transactions that lock each other's threads crosswise would be a deadlock.
    return rows.size < 2 ? [...rows.values()] : [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }

  async function place(
    tx: Tx,
    env_id: number,
    news: readonly ThreadNews[],
    verb: "heard" | "wrote",
  ): Promise<(place: ThreadPlace) => ThreadBrief> {
    const now = clock.now();
    const kept = await store[verb](tx, env_id, merge(env_id, news, verb === "heard", now), now);
    const briefs = new Map(kept.map((row) => [keyOf(row), presentBrief(row)]));
    return (one) => briefs.get(keyOf(one))!;
  }

  return {
    /** Messages were received, in this order: each is unread. @returns gives each its thread */
    heard: (tx: Tx, env_id: number, news: readonly ThreadNews[]) => place(tx, env_id, news, "heard"),
    /** Messages were sent, in this order. @returns gives each its thread */
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
    entitle(tx: Tx, env_id: number, { topic_id, ...topic }: Omit<ThreadNews, "message_id" | "at" | "username" | "contact_id">): void {
      const now = clock.now();
      const empty = { username: null, contact_id: null, unread: 0, last_message_id: "", last_message_at: now };
      store.entitle(tx, { ...topic, ...empty, env_id, id: newId("th", now), topic_id: topic_id ?? "" }, now);
    },
    /** A chat is under another id from now on. */
    move: (tx: Tx, env_id: number, account_id: number, from: string, to: string): Maybe<void> =>
      store.move(tx, { env_id, account_id, chat_id: from }, to, clock.now()),
  };
}

function presentBrief({ id, topic_id, title }: BriefRow): ThreadBrief {
  return { id, topic_id: topic_id === "" ? null : topic_id, title };
}
