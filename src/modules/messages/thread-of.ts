import type { Maybe, Tx } from "#src/core/tx.ts";
import type { ThreadBrief } from "#src/modules/threads/model.ts";
import type { MessageRow } from "./store.ts";

/** The thread that a message is in, as events tell of it. */
export type ThreadsOf = (tx: Tx, row: Pick<MessageRow, "env_id" | "thread_id">) => Promise<ThreadBrief | null>;

interface Threads {
  byIds(tx: Tx, env_id: number, ids: string[]): Maybe<ReadonlyMap<string, ThreadBrief>>;
}

export function createThreadsOf({ byIds }: Threads): ThreadsOf {
  return async (tx, { env_id, thread_id }) => {
    if (thread_id === null) return null;
    const found = (await byIds(tx, env_id, [thread_id])).get(thread_id);
    return found === undefined ? null : { id: found.id, topic_id: found.topic_id, title: found.title };
  };
}
