import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { countRows } from "#db/paging.ts";
import type { MessageRow } from "#db/schema.ts";
import type { ThreadNoteRow, ThreadRow } from "#db/schema-inbox.ts";
import type { Tx } from "#src/core/tx.ts";

/** A list's filter, in the store's terms. */
export interface Narrowed {
  /** Those that a key is bound to. */
  account_ids?: readonly number[];
  account_id?: number;
  contact_id?: string;
  unread?: boolean;
  archived: boolean;
  type?: string;
}

/** Where a page goes on. */
export interface Place {
  last_message_at: number;
  id: string;
}

export type LastMessageRow = Pick<MessageRow, "id" | "direction" | "text" | "status" | "created_at" | "sent_at">;

export function createThreadStore(db: Database) {
  const all = (env_id: number) => db.read.selectFrom("threads").where("env_id", "=", env_id);
  const narrow = (env_id: number, by: Narrowed) =>
    all(env_id)
      .$if(by.account_ids !== undefined, (q) => q.where("account_id", "in", by.account_ids!))
      .$if(by.account_id !== undefined, (q) => q.where("account_id", "=", by.account_id!))
      .$if(by.contact_id !== undefined, (q) => q.where("contact_id", "=", by.contact_id!))
      .$if(by.unread !== undefined, (q) => q.where("unread", by.unread! ? ">" : "=", 0))
      .$if(by.type !== undefined, (q) => q.where("type", "=", by.type!))
      .where("archived_at", by.archived ? "is not" : "is", null);
  const notesOf = (env_id: number, thread_id: string) =>
    db.read.selectFrom("thread_notes").where("env_id", "=", env_id).where("thread_id", "=", thread_id);

  return {
    /** Newest activity first. */
    page: (env_id: number, by: Narrowed, after: Place | null, offset: number, most: number): Promise<ThreadRow[]> =>
      db.slowly(
        narrow(env_id, by)
          .selectAll()
          .$if(after !== null, (q) =>
            q.where(({ eb, refTuple, tuple }) => eb(refTuple("last_message_at", "id"), "<", tuple(after!.last_message_at, after!.id))),
          )
          .orderBy("last_message_at", "desc")
          .orderBy("id", "desc")
          .offset(offset)
          .limit(most),
      ),
    count: (env_id: number, by: Narrowed) => countRows(db, narrow(env_id, by), true),
    get: (env_id: number, id: string): Promise<ThreadRow | undefined> => all(env_id).selectAll().where("id", "=", id).executeTakeFirst(),
    /** On PostgreSQL it waits for whoever changes it. */
    lock: (tx: Tx, env_id: number, id: string): Promise<ThreadRow | undefined> =>
      db
        .in(tx)
        .selectFrom("threads")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(db.engine === "postgres", (q) => q.forUpdate())
        .executeTakeFirst(),
    async update(tx: Tx, { env_id, id, unread, archived_at, updated_at }: ThreadRow): Promise<void> {
      await db
        .in(tx)
        .updateTable("threads")
        .set({ unread, archived_at, updated_at })
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .execute();
    },
    /** Messages by their ids, as lists of threads show them. @param tx null reads the last committed snapshot */
    lastMessages: (tx: Tx | null, env_id: number, ids: readonly string[]): Promise<LastMessageRow[]> =>
      (tx === null ? db.read : db.in(tx))
        .selectFrom("messages")
        .select(["id", "direction", "text", "status", "created_at", "sent_at"])
        .where("env_id", "=", env_id)
        .where("id", "in", listOf(db.engine, JSON.stringify(ids)))
        .execute(),
    async addNote(tx: Tx, row: ThreadNoteRow): Promise<void> {
      await db.in(tx).insertInto("thread_notes").values(row).execute();
    },
    notes: (env_id: number, thread_id: string, before: string | null, offset: number, most: number): Promise<ThreadNoteRow[]> =>
      notesOf(env_id, thread_id)
        .selectAll()
        .$if(before !== null, (q) => q.where("id", "<", before!))
        .orderBy("id", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
    countNotes: (env_id: number, thread_id: string) => countRows(db, notesOf(env_id, thread_id), true),
    /** @returns whether it was there */
    async removeNote(tx: Tx, env_id: number, thread_id: string, id: string): Promise<boolean> {
      const { numDeletedRows } = await db
        .in(tx)
        .deleteFrom("thread_notes")
        .where("env_id", "=", env_id)
        .where("thread_id", "=", thread_id)
        .where("id", "=", id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

export type { ThreadNoteRow, ThreadRow };
export type ThreadStore = ReturnType<typeof createThreadStore>;
