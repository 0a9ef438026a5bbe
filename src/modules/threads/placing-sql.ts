import { type RawBuilder, sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import type { ThreadRow } from "#db/schema-inbox.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

/** A thread as messages place themselves in it. */
export type PlacedRow = Omit<ThreadRow, "archived_at" | "created_at" | "updated_at">;
export type BriefRow = Pick<ThreadRow, "id" | "account_id" | "chat_id" | "topic_id" | "title">;
type Place = Pick<ThreadRow, "env_id" | "account_id" | "chat_id" | "topic_id">;

const columns = [
  ...(["id", "channel", "account_id", "chat_id", "topic_id", "type", "title", "username", "contact_id"] as const),
  ...(["unread", "last_message_id", "last_message_at"] as const),
] satisfies readonly (keyof PlacedRow)[];
const numbers: ReadonlySet<string> = new Set<keyof PlacedRow>(["account_id", "unread", "last_message_at"]);
const briefly = ["id", "account_id", "chat_id", "topic_id", "title"] as const satisfies readonly (keyof BriefRow)[];

const own = (name: keyof ThreadRow) => sql.ref<never>(`threads.${name}`);
const told = (name: keyof ThreadRow) => sql.ref<never>(`excluded.${name}`);
const eitherOf = (one: RawBuilder<never>, other: RawBuilder<never>) => sql<never>`coalesce(${one}, ${other})`;
/** Of two messages the later is the last. */
const later = (name: "last_message_id" | "last_message_at") =>
  sql<never>`case when excluded.last_message_at >= threads.last_message_at then ${told(name)} else ${own(name)} end`;
const lastMessage = {
  last_message_id: later("last_message_id"),
  last_message_at: later("last_message_at"),
  updated_at: told("updated_at"),
};

/** What a message that was received changes. */
const heard = {
  ...lastMessage,
  type: told("type"),
  // A message of a topic tells how the topic was called when it began.
  title: sql<never>`case when threads.topic_id = '' then ${eitherOf(told("title"), own("title"))} else ${eitherOf(own("title"), told("title"))} end`,
  username: told("username"),
  contact_id: eitherOf(told("contact_id"), own("contact_id")),
  unread: sql<never>`threads.unread + excluded.unread`,
  archived_at: sql<never>`null`,
};
/** What a message that was sent changes. */
const wrote = {
  ...lastMessage,
  title: eitherOf(own("title"), told("title")),
  username: eitherOf(own("username"), told("username")),
  contact_id: eitherOf(own("contact_id"), told("contact_id")),
};

/** How messages find their threads, and make them: the hot part of their SQL. */
export function createPlacingStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  type One = PlacedRow & Pick<ThreadRow, "created_at" | "updated_at">;
  type Many = { env_id: number; created_at: number; updated_at: number; rows: string };

  /** SQLite takes them one by one as fast; PostgreSQL all of them at once. */
  function upsert(changes: typeof heard | typeof wrote) {
    const one = db.prepare<One, BriefRow>((q, v) =>
      q
        .insertInto("threads")
        .values(Object.fromEntries(["env_id", ...columns, "created_at", "updated_at"].map((name) => [name, v(name as keyof One)])) as never)
        .onConflict((conflict) => conflict.columns(["env_id", "account_id", "chat_id", "topic_id"]).doUpdateSet(changes))
        .returning(briefly),
    );
    const many = db.prepare<Many, BriefRow>((q, v) =>
      q
        .insertInto("threads")
        .columns(["env_id", "created_at", "updated_at", ...columns])
        .expression(
          sql`select ${v("env_id")}::integer, ${v("created_at")}::bigint, ${v("updated_at")}::bigint, ${sql.join(columns.map((name) => sql`${sql.ref(`t.${name}`)}`))} from json_to_recordset(${v("rows")}::text::json) as t(${sql.join(columns.map((name) => sql`${sql.ref(name)} ${sql.raw(numbers.has(name) ? "bigint" : "text")}`))})`,
        )
        .onConflict((conflict) => conflict.columns(["env_id", "account_id", "chat_id", "topic_id"]).doUpdateSet(changes))
        .returning(briefly),
    );
    return (tx: Tx, env_id: number, rows: readonly PlacedRow[], now: number): Maybe<BriefRow[]> =>
      isSqlite
        ? rows.map((row) => one.one(tx, { ...row, created_at: now, updated_at: now }) as BriefRow)
        : many.all(tx, { env_id, created_at: now, updated_at: now, rows: JSON.stringify(rows) });
  }

  const byIds = db.prepare<{ env_id: number; ids: string }, BriefRow>((q, v) =>
    q
      .selectFrom("threads")
      .select(briefly)
      .where("env_id", "=", v("env_id"))
      .where("id", "in", listOf(db.engine, v("ids"))),
  );
  const ofChat = db.prepare<Omit<Place, "topic_id"> & { most: number }, BriefRow>((q, v) =>
    q
      .selectFrom("threads")
      .select(briefly)
      .where("env_id", "=", v("env_id"))
      .where("account_id", "=", v("account_id"))
      .where("chat_id", "=", v("chat_id"))
      .orderBy("last_message_at", "desc")
      .limit(v("most")),
  );
  const entitle = db.prepare<One>((q, v) =>
    q
      .insertInto("threads")
      .values(Object.fromEntries(["env_id", ...columns, "created_at", "updated_at"].map((name) => [name, v(name as keyof One)])) as never)
      .onConflict((conflict) =>
        conflict
          .columns(["env_id", "account_id", "chat_id", "topic_id"])
          .doUpdateSet({ title: told("title"), updated_at: told("updated_at") }),
      ),
  );

  return {
    /** Makes threads or tells them of what was received. No two rows are of one place. @returns in any order */
    heard: upsert(heard),
    /** The same for what was sent. */
    wrote: upsert(wrote),
    byIds: (tx: Tx | null, env_id: number, ids: readonly string[]): Maybe<BriefRow[]> =>
      byIds.all(tx, { env_id, ids: JSON.stringify(ids) }),
    /** The threads of a chat, those with the newest messages first. */
    ofChat: (tx: Tx, place: Omit<Place, "topic_id">, most: number): Maybe<BriefRow[]> => ofChat.all(tx, { ...place, most }),
    /** Gives a thread its title, also one in which nothing was written yet. */
    entitle: (tx: Tx, row: PlacedRow, now: number): void => entitle.later(tx, { ...row, created_at: now, updated_at: now }),
    /** Gives the threads of a chat its new id, but for those of which there is one there already. */
    async move(tx: Tx, { env_id, account_id, chat_id }: Omit<Place, "topic_id">, to: string, updated_at: number): Promise<void> {
      const q = db.in(tx);
      const there = q
        .selectFrom("threads")
        .select("topic_id")
        .where("env_id", "=", env_id)
        .where("account_id", "=", account_id)
        .where("chat_id", "=", to);
      await q
        .updateTable("threads")
        .set({ chat_id: to, type: "supergroup", updated_at })
        .where("env_id", "=", env_id)
        .where("account_id", "=", account_id)
        .where("chat_id", "=", chat_id)
        .where("topic_id", "not in", there)
        .execute();
    },
  };
}

export type PlacingStore = ReturnType<typeof createPlacingStore>;
