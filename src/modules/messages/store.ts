import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import type { ChatRow, MessageRow } from "#db/schema.ts";
import { lowestId } from "#src/core/ids.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { sendingColumns as columns } from "./columns.ts";
import type { Direction, MessageStatus } from "./model.ts";
import { type Origin, readOrigin } from "./origin.ts";
import { createReceivedStore } from "./received-sql.ts";

/** What a run can change of a message. */
type Progress = Pick<
  MessageRow,
  | "text"
  | "status"
  | "error_code"
  | "error_message"
  | "error_link"
  | "last_error"
  | "attempts"
  | "remote_id"
  | "thread_id"
  | "cap_day"
  | "sent_at"
  | "delivered_at"
  | "read_at"
  | "updated_at"
>;

/** A list's filter, in the store's terms. */
export interface Narrowed {
  status?: MessageStatus;
  direction?: Direction;
  account_id?: number;
  recipients?: string[];
  created_after?: number;
  created_before?: number;
}

export function createMessageStore(db: Database) {
  const insert = db.prepare<MessageRow>((q, v) =>
    q.insertInto("messages").values(Object.fromEntries(columns.map((name) => [name, v(name)])) as unknown as MessageRow),
  );
  const get = db.prepare<{ env_id: number; id: string }, MessageRow>((q, v) =>
    q.selectFrom("messages").selectAll().where("env_id", "=", v("env_id")).where("id", "=", v("id")),
  );
  const markSending = db.prepare<{ env_id: number; ids: string; updated_at: number }, MessageRow>((q, v) =>
    q
      .updateTable("messages")
      .set({ status: "sending", updated_at: v("updated_at") })
      .where("env_id", "=", v("env_id"))
      .where("id", "in", listOf(db.engine, v("ids")))
      .where("status", "=", "queued")
      .returningAll(),
  );
  const queued = db.prepare<{ env_id: number; ids: string }, MessageRow>((q, v) =>
    q
      .selectFrom("messages")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("id", "in", listOf(db.engine, v("ids")))
      .where("status", "=", "queued"),
  );
  const record = db.prepare<Progress & { env_id: number; id: string; from: string }>((q, v) =>
    q
      .updateTable("messages")
      .set({
        text: v("text"),
        status: v("status"),
        error_code: v("error_code"),
        error_message: v("error_message"),
        error_link: v("error_link"),
        last_error: v("last_error"),
        attempts: v("attempts"),
        remote_id: v("remote_id"),
        thread_id: v("thread_id"),
        cap_day: v("cap_day"),
        sent_at: v("sent_at"),
        delivered_at: v("delivered_at"),
        read_at: v("read_at"),
        updated_at: v("updated_at"),
      })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id"))
      .where("status", "=", v("from")),
  );
  const chatsOf = db.prepare<{ env_id: number; account_id: number; usernames: string; chat_ids: string }, ChatRow>((q, v) =>
    q
      .selectFrom("chats")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("account_id", "=", v("account_id"))
      .where((where) =>
        where.or([where("username", "in", listOf(db.engine, v("usernames"))), where("chat_id", "in", listOf(db.engine, v("chat_ids")))]),
      ),
  );

  const met = db.prepare<{ env_id: number; account_id: number; recipient: string; username: string }, { blocked_at: number | null }>(
    (q, v) =>
      q
        .selectFrom("chats")
        .select("blocked_at")
        .where("env_id", "=", v("env_id"))
        .where("account_id", "=", v("account_id"))
        .where((where) => where.or([where("chat_id", "=", v("recipient")), where("username", "=", v("username"))]))
        .limit(1),
  );
  const wrote = db.prepare<{ env_id: number; account_id: number; recipient: string; but: string }, { one: number }>((q, v) =>
    q
      .selectFrom("messages")
      .select(sql.lit(1).as("one"))
      .where("env_id", "=", v("env_id"))
      .where("recipient", "=", v("recipient"))
      .where("account_id", "=", v("account_id"))
      .where("id", "!=", v("but"))
      .where("status", "not in", [sql.lit("failed"), sql.lit("canceled")])
      .where("cap_day", "is not", null)
      .limit(1),
  );
  const refused = db.prepare<{ env_id: number; account_id: number; recipient: string; since: number }, { one: number }>((q, v) =>
    q
      .selectFrom("messages")
      .select(sql.lit(1).as("one"))
      .where("env_id", "=", v("env_id"))
      .where("recipient", "=", v("recipient"))
      .where("account_id", "=", v("account_id"))
      .where("error_code", "=", sql.lit("recipient_blocked"))
      .where("updated_at", ">", v("since"))
      .limit(1),
  );
  const made = db.prepare<{ env_id: number; contact_id: string; from: string; most: number }, { created_at: number }>((q, v) =>
    q
      .selectFrom("messages")
      .select("created_at")
      .where("env_id", "=", v("env_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("id", ">=", v("from"))
      .where("origin", "is not", null)
      .where("status", "not in", [sql.lit("failed"), sql.lit("canceled")])
      .orderBy("id", "desc")
      .limit(v("most") as never),
  );
  const originsTo = db.prepare<{ env_id: number; contact_id: string; from: string }, { origin: string }>((q, v) =>
    q
      .selectFrom("messages")
      .select("origin")
      .where("env_id", "=", v("env_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("id", ">=", v("from"))
      .where("origin", "is not", null)
      .where("sent_at", "is not", null)
      .orderBy("id", "desc")
      .limit(sql.lit(50) as never),
  );
  const anyChat = db.prepare<{ env_id: number }, { chat_id: string }>((q, v) =>
    q.selectFrom("chats").select("chat_id").where("env_id", "=", v("env_id")).limit(1),
  );

  const narrow = (env_id: number, by: Narrowed) =>
    db.read
      .selectFrom("messages")
      .where("env_id", "=", env_id)
      .$if(by.status !== undefined, (q) => q.where("status", "=", by.status!))
      .$if(by.direction !== undefined, (q) => q.where("direction", "=", sql.lit(by.direction!)))
      .$if(by.account_id !== undefined, (q) => q.where("account_id", "=", by.account_id!))
      .$if(by.recipients !== undefined, (q) => q.where("recipient", "in", by.recipients!))
      // Ids carry their time: a range of times is a range of the primary key.
      .$if(by.created_after !== undefined, (q) => q.where("id", ">=", lowestId("msg", by.created_after!)))
      .$if(by.created_before !== undefined, (q) => q.where("id", "<", lowestId("msg", by.created_before!)));

  const ofThread = (env_id: number, thread_id: string) =>
    db.read.selectFrom("messages").where("env_id", "=", env_id).where("thread_id", "=", thread_id);

  return {
    insert: (tx: Tx, row: MessageRow): void => insert.later(tx, row),
    get: (tx: Tx | null, env_id: number, id: string): Maybe<MessageRow | undefined> => get.one(tx, { env_id, id }),
    lock: (tx: Tx, env_id: number, id: string): Maybe<MessageRow | undefined> =>
      db.engine === "sqlite"
        ? get.one(tx, { env_id, id })
        : db.in(tx).selectFrom("messages").selectAll().where("env_id", "=", env_id).where("id", "=", id).forUpdate().executeTakeFirst(),
    /** Marks queued messages as on the wire. @returns those that were queued still */
    markSending: (tx: Tx, env_id: number, ids: string[], updated_at: number): Maybe<MessageRow[]> =>
      markSending.all(tx, { env_id, ids: JSON.stringify(ids), updated_at }),
    /** Those of them that are queued still, left as they are. */
    queued: (tx: Tx, env_id: number, ids: string[]): Maybe<MessageRow[]> => queued.all(tx, { env_id, ids: JSON.stringify(ids) }),
    /** Writes what a message has become, unless it has left the state `from` meanwhile. @returns whether it was written */
    record(tx: Tx, row: MessageRow, from: MessageStatus): Maybe<boolean> {
      const changed = record.run(tx, {
        from,
        env_id: row.env_id,
        id: row.id,
        text: row.text,
        status: row.status,
        error_code: row.error_code,
        error_message: row.error_message,
        error_link: row.error_link,
        last_error: row.last_error,
        attempts: row.attempts,
        remote_id: row.remote_id,
        thread_id: row.thread_id,
        cap_day: row.cap_day,
        sent_at: row.sent_at,
        delivered_at: row.delivered_at,
        read_at: row.read_at,
        updated_at: row.updated_at,
      });
      return typeof changed === "number" ? changed > 0 : changed.then((rows) => rows > 0);
    },
    /** What was on the wire when the program broke off; few. */
    sending: (tx: Tx, env_id: number) =>
      db.in(tx).selectFrom("messages").selectAll().where("env_id", "=", env_id).where("status", "=", "sending").execute(),
    /** Whether an environment knows any chat. */
    hasChats(tx: Tx, env_id: number): Maybe<boolean> {
      const found = anyChat.one(tx, { env_id });
      return found instanceof Promise ? found.then((chat) => chat !== undefined) : found !== undefined;
    },
    /** Chats that an account has had, by `@username` or by chat id. */
    chatsOf: (tx: Tx, env_id: number, account_id: number, recipients: string[]): Maybe<ChatRow[]> =>
      chatsOf.all(tx, {
        env_id,
        account_id,
        usernames: JSON.stringify(recipients.filter((name) => name.startsWith("@")).map((name) => name.slice(1))),
        chat_ids: JSON.stringify(recipients.filter((name) => !name.startsWith("@"))),
      }),
    /** Whether an account has had this chat, or has other messages to it that count. @param but the message that asks */
    async hasMet(tx: Tx, env_id: number, account_id: number, recipient: string, but = ""): Promise<boolean> {
      const chat = await met.one(tx, { env_id, account_id, recipient, username: nameOf(recipient) });
      return chat !== undefined || (await wrote.one(tx, { env_id, account_id, recipient, but })) !== undefined;
    },
    /** Whether a chat has turned out since then (ms) to have blocked the account, and nothing was heard from there afterwards. */
    async isBlocked(tx: Tx, env_id: number, account_id: number, recipient: string, since: number): Promise<boolean> {
      const chat = await met.one(tx, { env_id, account_id, recipient, username: nameOf(recipient) });
      if (chat !== undefined) return chat.blocked_at !== null && chat.blocked_at > since;
      return (await refused.one(tx, { env_id, account_id, recipient, since })) !== undefined;
    },
    /** When a contact's newest messages were made that something made by itself, the oldest of them first (ms). @param since by their ids */
    async madeSince(tx: Tx, env_id: number, contact_id: string, since: number, most: number): Promise<number[]> {
      const rows = await made.all(tx, { env_id, contact_id, from: lowestId("msg", since), most });
      return rows.map(({ created_at }) => created_at).toReversed();
    },
    /** What has made the messages that were sent to a contact, the newest first. */
    async originsTo(tx: Tx, env_id: number, contact_id: string, since: number): Promise<Origin[]> {
      const rows = await originsTo.all(tx, { env_id, contact_id, from: lowestId("msg", since) });
      return rows.map(({ origin }) => readOrigin(origin)!);
    },
    ...createReceivedStore(db),
    pageOfThread: (env_id: number, thread_id: string, before: string | null, offset: number, most: number) =>
      newestFirst(ofThread(env_id, thread_id), { before, offset, most }),
    countOfThread: (env_id: number, thread_id: string) => countRows(db, ofThread(env_id, thread_id), true),
    page: (env_id: number, by: Narrowed, before: string | null, offset: number, most: number) =>
      newestFirst(narrow(env_id, by), { before, offset, most }),
    /** Exact for all of an environment's messages; under a filter up to TOTAL_MAX. */
    count: (env_id: number, by: Narrowed) => countRows(db, narrow(env_id, by), Object.keys(by).length > 0),
  };
}

const nameOf = (recipient: string) => recipient.replace(/^@/, "");

export type { ChatRow, MessageRow };
export type MessageStore = ReturnType<typeof createMessageStore>;
