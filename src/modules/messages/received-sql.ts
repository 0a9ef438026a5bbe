import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { ChatRow, MessageRow } from "#db/schema.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { sendingColumns } from "./columns.ts";

const columns = [...sendingColumns, "sender", "chat_id", "edited_at"] as const satisfies readonly (keyof MessageRow)[];
/** In the words of the indexes of received messages. */
const isReceived = sql<boolean>`direction = 'in'`;
/** Of a thread's messages so many are looked through for one by the channel's id. */
const LOOKED_THROUGH_MAX = 5_000;

/** What names a received message where it comes from. */
export type Origin = Pick<MessageRow, "env_id" | "account_id" | "chat_id" | "remote_id">;
type Assigned = Pick<MessageRow, "env_id" | "id" | "contact_id" | "thread_id" | "reply_to">;
type Revised = Pick<MessageRow, "env_id" | "id" | "text" | "content" | "edited_at" | "updated_at">;
type ChatPlace = Pick<ChatRow, "env_id" | "account_id" | "chat_id">;

const chatColumns = [
  ...(["env_id", "account_id", "chat_id", "type", "username", "first_name", "last_name", "title", "blocked_at", "updated_at"] as const),
] satisfies readonly (keyof ChatRow)[];

/** What is written of received messages, and of what people do to messages of either side. */
export function createReceivedStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const insert = db.prepare<MessageRow, { id: string }>((q, v) =>
    q
      .insertInto("messages")
      .values(Object.fromEntries(columns.map((name) => [name, v(name)])) as unknown as MessageRow)
      .onConflict((conflict) => conflict.columns(["env_id", "account_id", "chat_id", "remote_id"]).where(isReceived).doNothing())
      .returning("id"),
  );
  const received = db.prepare<Origin, MessageRow>((q, v) =>
    q
      .selectFrom("messages")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("account_id", "=", v("account_id"))
      .where("chat_id", "=", v("chat_id"))
      .where("remote_id", "=", v("remote_id"))
      .where(isReceived),
  );
  const origins = isSqlite ? "json_each" : "json_array_elements";
  const ofOrigin = (at: number) => (isSqlite ? sql`json_extract(o.value, ${sql.lit(`$[${at}]`)})` : sql`(o.value ->> ${sql.lit(at)})`);
  // A cross join, since SQLite keeps to the order of one: from the origins to the index.
  const several = db.prepare<{ env_id: number; account_id: number | null; origins: string }, MessageRow>((q, v) =>
    q
      .selectFrom(sql<{ value: string }>`${sql.raw(origins)}(${isSqlite ? v("origins") : sql`${v("origins")}::text::json`})`.as("o"))
      .crossJoin("messages as m")
      .selectAll("m")
      .where("m.env_id", "=", v("env_id"))
      .where("m.account_id", "=", v("account_id"))
      .where("m.chat_id", "=", ofOrigin(0) as never)
      .where("m.remote_id", "=", ofOrigin(1) as never)
      .where(sql<boolean>`m.direction = 'in'`),
  );
  const assign = db.prepare<Assigned>((q, v) =>
    q
      .updateTable("messages")
      .set({ contact_id: v("contact_id"), thread_id: v("thread_id"), reply_to: v("reply_to") })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );
  const revise = db.prepare<Revised>((q, v) =>
    q
      .updateTable("messages")
      .set({ text: v("text"), content: v("content"), edited_at: v("edited_at"), updated_at: v("updated_at") })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );
  const inThread = db.prepare<{ env_id: number; thread_id: string; most: number; remote_id: string }, { id: string }>((q, v) =>
    q
      .selectFrom(
        q
          .selectFrom("messages")
          .select(["id", "remote_id"])
          .where("env_id", "=", v("env_id"))
          .where("thread_id", "=", v("thread_id"))
          .orderBy("id", "desc")
          .limit(v("most"))
          .as("newest"),
      )
      .select("id")
      .where("remote_id", "=", v("remote_id"))
      .orderBy("id", "desc")
      .limit(1),
  );
  const sentIn = db.prepare<{ env_id: number; thread_id: string; before: string; most: number }, MessageRow>((q, v) =>
    q
      .selectFrom("messages")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("thread_id", "=", v("thread_id"))
      .where("id", "<", v("before"))
      .where("direction", "=", sql.lit("out"))
      .orderBy("id", "desc")
      .limit(v("most")),
  );
  const keepChat = db.prepare<ChatRow>((q, v) =>
    q
      .insertInto("chats")
      .values(Object.fromEntries(chatColumns.map((name) => [name, v(name)])) as unknown as ChatRow)
      .onConflict((conflict) =>
        conflict
          .columns(["env_id", "account_id", "chat_id"])
          .doUpdateSet((set) => Object.fromEntries(chatColumns.slice(3).map((name) => [name, set.ref(`excluded.${name}`)]))),
      ),
  );

  const block = db.prepare<ChatPlace & { blocked_at: number; updated_at: number }>((q, v) =>
    q
      .updateTable("chats")
      .set({ blocked_at: v("blocked_at"), updated_at: v("updated_at") })
      .where("env_id", "=", v("env_id"))
      .where("account_id", "=", v("account_id"))
      .where("chat_id", "=", v("chat_id")),
  );

  return {
    /** Keeps a received message unless it is there. On PostgreSQL it waits for whoever is keeping the same. @returns whether it is new */
    insertReceived: async (tx: Tx, row: MessageRow): Promise<boolean> => (await insert.one(tx, row)) !== undefined,
    /** The message that was received from there. */
    received: (tx: Tx, { env_id, account_id, chat_id, remote_id }: Origin): Maybe<MessageRow | undefined> =>
      received.one(tx, { env_id, account_id, chat_id, remote_id }),
    /** Those that were received from there. @param from chats and the channel's ids of messages */
    severalReceived: (tx: Tx, env_id: number, account_id: number, from: readonly (readonly [string, string])[]): Maybe<MessageRow[]> =>
      several.all(tx, { env_id, account_id, origins: JSON.stringify(from) }),
    /** Says whose a received message is, to what it belongs and what it answers. */
    assign: (tx: Tx, { env_id, id, contact_id, thread_id, reply_to }: MessageRow): void =>
      assign.later(tx, { env_id, id, contact_id, thread_id, reply_to }),
    /** Writes what a message says by now. */
    revise: (tx: Tx, { env_id, id, text, content, edited_at, updated_at }: MessageRow): void =>
      revise.later(tx, { env_id, id, text, content, edited_at, updated_at }),
    /** The newest message of a thread with this id of the channel's, as far as it is among the last thousands. */
    inThread: (tx: Tx, env_id: number, thread_id: string, remote_id: string): Maybe<{ id: string } | undefined> =>
      inThread.one(tx, { env_id, thread_id, remote_id, most: LOOKED_THROUGH_MAX }),
    /** What was sent in a thread, newest first. @param before the last one of the page before */
    sentIn: (tx: Tx, env_id: number, thread_id: string, before: string, most: number): Maybe<MessageRow[]> =>
      sentIn.all(tx, { env_id, thread_id, before, most }),
    /** Keeps what is known of a chat by now. */
    keepChat: (tx: Tx, row: ChatRow): void => keepChat.later(tx, row),
    /** A chat, if it is known, can't be written to. */
    blockChat: (tx: Tx, place: ChatPlace, at: number): void => block.later(tx, { ...place, blocked_at: at, updated_at: at }),
    /** A chat is under another id from now on, unless it is known under that. */
    async moveChat(tx: Tx, { env_id, account_id, chat_id }: ChatPlace, to: string, updated_at: number): Promise<void> {
      const q = db.in(tx);
      const there = q
        .selectFrom("chats")
        .select("chat_id")
        .where("env_id", "=", env_id)
        .where("account_id", "=", account_id)
        .where("chat_id", "=", to);
      await q
        .updateTable("chats")
        .set({ chat_id: to, type: "supergroup", updated_at })
        .where("env_id", "=", env_id)
        .where("account_id", "=", account_id)
        .where("chat_id", "=", chat_id)
        .where((where) => where.not(where.exists(there)))
        .execute();
    },
  };
}
