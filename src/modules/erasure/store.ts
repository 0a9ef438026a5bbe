import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { rowsOfContact } from "#db/of-contact.ts";
import type { MessageRow } from "#db/schema.ts";
import type { ContactRow } from "#db/schema-people.ts";
import { lowestId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";

/** A row whose text is emptied. */
export interface Kept {
  id: string;
  data: string;
}

/** Milliseconds, both inclusive. */
export interface Span {
  from: number;
  to: number;
}

/** https://www.sqlite.org/lang_expr.html#the_like_glob_regexp_match_and_extract_operators */
const holds = (text: string) => sql<boolean>`body like ${`%${text.replace(/[\\%_]/g, "\\$&")}%`} escape '\\'`;

export function createErasureStore(db: Database) {
  const of = rowsOfContact(db);
  const emptyMessage = db.prepare<Pick<MessageRow, "env_id" | "id" | "updated_at" | "status" | "recipient">>((q, v) =>
    q
      .updateTable("messages")
      .set({
        recipient: v("recipient"),
        ...{ contact_id: null, text: "", metadata: "{}", attempts: "[]", reply_to: null, remote_id: null, sender: null, chat_id: null },
        ...{ error_message: null, error_link: null, last_error: null, content: null },
      })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id"))
      .where("status", "=", v("status"))
      .where("updated_at", "=", v("updated_at")),
  );
  const emptyEvent = db.prepare<Kept & { env_id: number }>((q, v) =>
    q
      .updateTable("events")
      .set({ data: v("data") })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );
  const deleted = (env_id: number, before: number) =>
    db.read
      .selectFrom("contacts")
      .where("env_id", "=", env_id)
      .where("deleted_at", "is not", null)
      .where("deleted_at", "<=", before)
      .orderBy("deleted_at")
      .limit(1);

  return {
    /** By id or number, also one that is deleted. On PostgreSQL it waits for whoever changes it. */
    lock: (tx: Tx, env_id: number, ref: string): Promise<ContactRow | undefined> =>
      db
        .in(tx)
        .selectFrom("contacts")
        .selectAll()
        .where("env_id", "=", env_id)
        .$if(ref.startsWith("ct_"), (q) => q.where("id", "=", ref))
        .$if(!ref.startsWith("ct_"), (q) => q.where("number", "=", Number(ref)))
        .$if(db.engine === "postgres", (q) => q.forUpdate())
        .executeTakeFirst(),
    contact: (env_id: number, id: string): Promise<ContactRow | undefined> =>
      db.read.selectFrom("contacts").selectAll().where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst(),
    /** The one that was deleted first. */
    firstDeleted: (env_id: number, before: number): Promise<{ id: string } | undefined> =>
      deleted(env_id, before).select("id").executeTakeFirst(),
    /** Environments, of all that there are, with a contact that was deleted before this time: housekeeping's door. */
    async environmentsDue(before: number): Promise<number[]> {
      const environments = await db.read.selectFrom("environments").select("id").orderBy("id").execute();
      const due = [];
      for (const { id } of environments) if ((await this.firstDeleted(id, before)) !== undefined) due.push(id);
      return due;
    },
    /** Whether a long job of this kind that is about no single contact has not ended. */
    async isUnderWay(env_id: number, kind: string): Promise<boolean> {
      const some = db.read
        .selectFrom("tasks")
        .select("id")
        .where("env_id", "=", env_id)
        .where("status", "in", ["queued", "running"])
        .where("kind", "=", kind)
        .where("params", "like", '{"contact_id":null,%');
      return (await db.slowly(some.limit(1))).length > 0;
    },
    /** Whether a living contact has this identity by now. */
    async isTaken(env_id: number, name: "telegram_id" | "username" | "phone", value: string | number): Promise<boolean> {
      const found = await db.read
        .selectFrom("contacts")
        .select("id")
        .where("env_id", "=", env_id)
        .where(name, "=", value)
        .where("deleted_at", "is", null)
        .executeTakeFirst();
      return found !== undefined;
    },
    messagesOf: (env_id: number, contact_id: string, most: number): Promise<MessageRow[]> =>
      of.messages(env_id, contact_id).selectAll().orderBy("id").limit(most).execute(),
    /** Those to an address that belong to no contact. */
    messagesTo: (env_id: number, recipient: string, most: number): Promise<MessageRow[]> =>
      of.messagesTo(env_id, recipient).selectAll().orderBy("id").limit(most).execute(),
    /** Events of these subjects that were written in this time: their ids carry theirs. */
    eventsWithin: (env_id: number, subjects: readonly string[], { from, to }: Span): Promise<Kept[]> =>
      db.slowly(
        db.read
          .selectFrom("events")
          .select(["id", "data"])
          .where("env_id", "=", env_id)
          .where("id", ">=", lowestId("evt", from))
          .where("id", "<", lowestId("evt", to + 1))
          .where("subject", "in", subjects),
      ),
    eventsOf: (env_id: number, contact_id: string, after: string, most: number): Promise<Kept[]> =>
      of.events(env_id, contact_id).select(["id", "data"]).where("id", ">", after).orderBy("id").limit(most).execute(),
    /** Events of what a person did to messages, whosever they are; without groups those are found by the messages. */
    deedsOf: (env_id: number, telegram_id: number, after: string, most: number): Promise<Kept[]> =>
      db.slowly(
        db.read
          .selectFrom("events")
          .select(["id", "data"])
          .where("env_id", "=", env_id)
          .where("id", ">", after)
          .where("type", "in", ["message.reacted", "message.button_pressed"])
          .where("data", "like", `%"by":{"telegram_id":${telegram_id},%`)
          .where(({ exists, selectFrom }) =>
            exists(selectFrom("threads").select("id").where("env_id", "=", env_id).where("type", "!=", "private")),
          )
          .orderBy("id")
          .limit(most),
      ),
    auditOf: (env_id: number, contact_id: string, after: string, most: number): Promise<{ id: string }[]> =>
      of.audit(env_id, contact_id).select("id").where("id", ">", after).orderBy("id").limit(most).execute(),
    /** Kept answers of an operation in the order of their keys, and which of them hold one of these texts. */
    answers: (env_id: number, operation: string, after: string, texts: readonly string[], most: number) =>
      db.slowly(
        db.read
          .selectFrom("idempotency")
          .select(["key", sql<string | null>`case when ${sql.join(texts.map(holds), sql` or `)} then body end`.as("body")])
          .where("env_id", "=", env_id)
          .where("operation", "=", operation)
          .where("key", ">", after)
          .orderBy("key")
          .limit(most),
      ),

    /** Unless the message has changed since it was read. @returns whether it was emptied */
    async emptyMessage(tx: Tx, { env_id, id, status, updated_at }: MessageRow, recipient: string): Promise<boolean> {
      return (await emptyMessage.run(tx, { env_id, id, status, updated_at, recipient })) > 0;
    },
    async emptyEvent(tx: Tx, env_id: number, { id, data }: Kept): Promise<void> {
      await emptyEvent.run(tx, { env_id, id, data });
    },
    async emptyAudit(tx: Tx, env_id: number, ids: readonly string[]): Promise<void> {
      const nothing = (column: "before" | "after") => sql<string | null>`case when ${sql.ref(column)} is null then null else '{}' end`;
      await db
        .in(tx)
        .updateTable("audit")
        .set({ before: nothing("before"), after: nothing("after") })
        .where("env_id", "=", env_id)
        .where("id", "in", listOf(db.engine, JSON.stringify(ids)))
        .execute();
    },
    async emptyAnswer(tx: Tx, env_id: number, operation: string, key: string, body: string): Promise<void> {
      await db
        .in(tx)
        .updateTable("idempotency")
        .set({ body })
        .where("env_id", "=", env_id)
        .where("operation", "=", operation)
        .where("key", "=", key)
        .execute();
    },
    /** What accounts have learnt of the person by meeting them. */
    async forgetChats(tx: Tx, env_id: number, chat_ids: readonly string[], usernames: readonly string[]): Promise<void> {
      const kysely = db.in(tx);
      await kysely
        .deleteFrom("chats")
        .where("env_id", "=", env_id)
        .where("account_id", "in", kysely.selectFrom("accounts").select("id").where("env_id", "=", env_id))
        .where((where) =>
          where.or([
            where("chat_id", "in", listOf(db.engine, JSON.stringify(chat_ids))),
            where("username", "in", listOf(db.engine, JSON.stringify(usernames))),
          ]),
        )
        .execute();
    },
    /** Private conversations with the person, and what colleagues have noted there: those of these ids that are nobody else's. */
    async forgetThreads(tx: Tx, env_id: number, contact_id: string, ids: readonly string[]): Promise<void> {
      if (ids.length === 0) return;
      const kysely = db.in(tx);
      const emptied = await kysely
        .updateTable("threads")
        .set(({ ref }) => ({ chat_id: ref("id"), title: null, username: null, contact_id: null, unread: 0 }))
        .where("env_id", "=", env_id)
        .where("id", "in", listOf(db.engine, JSON.stringify(ids)))
        .where("type", "=", "private")
        .where((where) => where.or([where("contact_id", "=", contact_id), where("contact_id", "is", null)]))
        .returning("id")
        .execute();
      const emptiedIds = JSON.stringify(emptied.map(({ id }) => id));
      await kysely
        .deleteFrom("thread_notes")
        .where("env_id", "=", env_id)
        .where("thread_id", "in", listOf(db.engine, emptiedIds))
        .execute();
    },
    /** Private conversations that are nobody's are the person's whose messages are in them: what is left to do is found by that. */
    async claimThreads(tx: Tx, env_id: number, contact_id: string, ids: readonly string[]): Promise<void> {
      if (ids.length === 0) return;
      await db
        .in(tx)
        .updateTable("threads")
        .set({ contact_id })
        .where("env_id", "=", env_id)
        .where("id", "in", listOf(db.engine, JSON.stringify(ids)))
        .where("type", "=", "private")
        .where("contact_id", "is", null)
        .execute();
    },
    /** Conversations of a contact, and those in chats of theirs that are nobody's. */
    async threadsOf(env_id: number, contact_id: string, chat_ids: readonly string[]): Promise<string[]> {
      const all = of.threads(env_id, contact_id).select("id").union(of.threadsIn(env_id, chat_ids).select("id"));
      return (await all.execute()).map(({ id }) => id);
    },
    /** Which sequences the contact was in; what they came to is counted elsewhere. */
    async forgetEnrollments(tx: Tx, env_id: number, contact_id: string): Promise<void> {
      await db.in(tx).deleteFrom("enrollments").where("env_id", "=", env_id).where("contact_id", "=", contact_id).execute();
    },
    /** Links of broadcasts: where one leads can tell of whom it was for. */
    async forgetLinks(tx: Tx, env_id: number, contact_id: string): Promise<void> {
      await db.in(tx).deleteFrom("tracked_links").where("env_id", "=", env_id).where("contact_id", "=", contact_id).execute();
    },
    async remove(tx: Tx, env_id: number, id: string): Promise<void> {
      await db
        .in(tx)
        .deleteFrom("contacts")
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .where("deleted_at", "is not", null)
        .execute();
    },
  };
}

export type { ContactRow, MessageRow };
export type ErasureStore = ReturnType<typeof createErasureStore>;
