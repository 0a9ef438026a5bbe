import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Message } from "./model.ts";
import { presentMessage } from "./present.ts";
import type { MessageStore } from "./store.ts";

/** Reads the messages of a thread. */
export function createConversation({ store }: { store: Pick<MessageStore, "pageOfThread" | "countOfThread"> }) {
  /** Newest first, those that are queued included. @throws AppError `validation_error` for a bad cursor */
  return async function messagesOf(
    env_id: number,
    thread_id: string,
    { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery,
  ): Promise<Page<Message>> {
    const list = `messages of ${thread_id}`;
    const before = cursor === undefined ? null : decodeCursor(list, env_id, cursor);
    const [rows, count] = await Promise.all([
      store.pageOfThread(env_id, thread_id, before, offset, limit + 1),
      store.countOfThread(env_id, thread_id),
    ]);
    return toPage(rows, { list, env_id, limit, offset }, count, presentMessage, (row) => row.id);
  };
}
