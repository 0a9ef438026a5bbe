import type { Maybe, Tx } from "#src/core/tx.ts";
import type { ThreadBrief, ThreadNews, ThreadPlace } from "#src/modules/threads/model.ts";

/** The verbs that messages use of threads. */
export interface Threads {
  /** Messages were received, in this order. @returns each one's thread */
  heard(tx: Tx, env_id: number, news: readonly ThreadNews[]): Promise<ThreadBrief[]>;
  /** Messages were sent, in this order. @returns each one's thread */
  wrote(tx: Tx, env_id: number, news: readonly ThreadNews[]): Promise<ThreadBrief[]>;
  byIds(tx: Tx, env_id: number, ids: readonly string[]): Promise<ReadonlyMap<string, ThreadBrief & { chat_id: string }>>;
  /** The threads of a chat, or the one of a topic, those with the newest messages first. */
  ofChat(tx: Tx, env_id: number, place: ThreadPlace): Promise<ThreadBrief[]>;
  entitle(tx: Tx, env_id: number, topic: Omit<ThreadNews, "message_id" | "at" | "username" | "contact_id">): Promise<void>;
  move(tx: Tx, env_id: number, account_id: number, from: string, to: string): Maybe<void>;
}
