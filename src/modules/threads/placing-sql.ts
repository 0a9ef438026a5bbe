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

type Changed = Pick<
  ThreadRow,
  "type" | "title" | "username" | "contact_id" | "unread" | "last_message_id" | "last_message_at" | "updated_at"
>;
type Changes = { [Name in keyof Changed]?: RawBuilder<never> };

const own = (name: keyof ThreadRow) => sql.ref<never>(`threads.${name}`);
const either = (one: RawBuilder<never>, other: RawBuilder<never>) => sql<never>`coalesce(${one}, ${other})`;

/** What a message changes that was received. @param told gives what is told of it */
const heard = (told: (name: keyof Changed) => RawBuilder<never>) => ({
  type: told("type"),
  // A message of a topic tells how the topic was called when it began.
  title: sql<never>`coalesce(case when threads.topic_id <> '' then threads.title end, ${told("title")}, threads.title)`,
  username: told("username"),
  contact_id: either(told("contact_id"), own("contact_id")),
  unread: sql<never>`threads.unread + ${told("unread")}`,
  archived_at: sql<never>`null`,
});
/** What a message changes that was sent. */
const wrote = (told: (name: keyof Changed) => RawBuilder<never>) => ({
  title: either(own("title"), told("title")),
  username: either(own("username"), told("username")),
  contact_id: either(own("contact_id"), told("contact_id")),
});
type Last = Pick<ThreadRow, "last_message_id" | "last_message_at">;
type ChangesOf = (told: (name: keyof Changed) => RawBuilder<never>) => Changes;

const keyOf = ({ account_id, chat_id, topic_id }: Omit<Place, "env_id">) => `${account_id} ${chat_id} ${topic_id}`;

/** How messages find their threads, and make them: the hot part of their SQL. */
export function createPlacingStore(db: Database) {
  type New = PlacedRow & Pick<ThreadRow, "created_at" | "updated_at">;
  type Many = { env_id: number; created_at: number; updated_at: number; rows: string };

  const insert = db.prepare<New>((q, v) =>
    q
      .insertInto("threads")
      .values(Object.fromEntries(["env_id", ...columns, "created_at", "updated_at"].map((name) => [name, v(name as keyof New)])) as never)
      .onConflict((conflict) => conflict.doNothing()),
  );
  const at = db.prepare<Place, BriefRow & Last>((q, v) =>
    q
      .selectFrom("threads")
      .select([...briefly, "last_message_id", "last_message_at"])
      .where("env_id", "=", v("env_id"))
      .where("account_id", "=", v("account_id"))
      .where("chat_id", "=", v("chat_id"))
      .where("topic_id", "=", v("topic_id")),
  );

  /** SQLite has one writer, and looks for each by itself: of what it would answer, an upsert costs twice as much. */
  function oneByOne(changes: ChangesOf) {
    const update = db.prepare<Changed & { env_id: number; id: string }>((q, v) =>
      q
        .updateTable("threads")
        .set(changes((name) => sql`${v(name)}`))
        .set({ last_message_id: v("last_message_id"), last_message_at: v("last_message_at"), updated_at: v("updated_at") })
        .where("env_id", "=", v("env_id"))
        .where("id", "=", v("id")),
    );
    return (tx: Tx, row: PlacedRow, now: number): BriefRow => {
      const { env_id, account_id, chat_id, topic_id } = row;
      const found = at.one(tx, { env_id, account_id, chat_id, topic_id }) as (BriefRow & Last) | undefined;
      if (found === undefined) {
        insert.later(tx, { ...row, created_at: now, updated_at: now });
        return row;
      }
      const { last_message_id, last_message_at } = found.last_message_at > row.last_message_at ? found : row;
      const { type, title, username, contact_id, unread } = row;
      update.later(tx, {
        ...{ type, title, username, contact_id, unread, last_message_id, last_message_at },
        env_id,
        id: found.id,
        updated_at: now,
      });
      return { ...found, title: changes === heard && topic_id === "" ? (title ?? found.title) : (found.title ?? title) };
    };
  }

  /** PostgreSQL takes all of them at once, and who writes the same at that time waits. */
  function together(changes: ChangesOf) {
    const told = (name: keyof Changed) => sql.ref<never>(`excluded.${name}`);
    /** Of two messages the later is the last. */
    const later = (name: "last_message_id" | "last_message_at") =>
      sql<never>`case when excluded.last_message_at >= threads.last_message_at then ${told(name)} else ${own(name)} end`;
    const last = { last_message_id: later("last_message_id"), last_message_at: later("last_message_at"), updated_at: told("updated_at") };
    const typed = (name: string) => sql`${sql.ref(name)} ${sql.raw(numbers.has(name) ? "bigint" : "text")}`;
    return db.prepare<Many, BriefRow>((q, v) =>
      q
        .insertInto("threads")
        .columns(["env_id", "created_at", "updated_at", ...columns])
        .expression(
          sql`select ${v("env_id")}::integer, ${v("created_at")}::bigint, ${v("updated_at")}::bigint, ${sql.join(columns.map((name) => sql.ref(`t.${name}`)))} from json_to_recordset(${v("rows")}::text::json) as t(${sql.join(columns.map(typed))})`,
        )
        .onConflict((conflict) =>
          conflict.columns(["env_id", "account_id", "chat_id", "topic_id"]).doUpdateSet({ ...changes(told), ...last }),
        )
        .returning(briefly),
    );
  }

  function upsert(changes: ChangesOf) {
    const [one, many] = [oneByOne(changes), together(changes)];
    return async (tx: Tx, env_id: number, rows: readonly PlacedRow[], now: number): Promise<BriefRow[]> => {
      if (db.engine === "sqlite") return rows.map((row) => one(tx, row, now));
      // In one order everywhere: transactions that lock each other's threads crosswise would be a deadlock.
      const sorted = rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      const kept = await many.all(tx, { env_id, created_at: now, updated_at: now, rows: JSON.stringify(sorted) });
      const byPlace = new Map(kept.map((row) => [keyOf(row), row]));
      return rows.map((row) => byPlace.get(keyOf(row))!);
    };
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
  const retitle = db.prepare<{ env_id: number; id: string; title: string | null; updated_at: number }>((q, v) =>
    q
      .updateTable("threads")
      .set({ title: v("title"), updated_at: v("updated_at") })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );

  return {
    /** Makes threads or tells them of what was received. No two rows are of one place. @returns them as they are there */
    heard: upsert(heard),
    /** The same for what was sent. */
    wrote: upsert(wrote),
    byIds: (tx: Tx | null, env_id: number, ids: readonly string[]): Maybe<BriefRow[]> =>
      byIds.all(tx, { env_id, ids: JSON.stringify(ids) }),
    /** The threads of a chat, those with the newest messages first. */
    ofChat: (tx: Tx, place: Omit<Place, "topic_id">, most: number): Maybe<BriefRow[]> => ofChat.all(tx, { ...place, most }),
    /** Gives a thread its title, also one in which nothing was written yet. */
    async entitle(tx: Tx, row: PlacedRow, now: number): Promise<void> {
      const { env_id, account_id, chat_id, topic_id, title } = row;
      const found = await at.one(tx, { env_id, account_id, chat_id, topic_id });
      if (found === undefined) insert.later(tx, { ...row, created_at: now, updated_at: now });
      else retitle.later(tx, { env_id, id: found.id, title, updated_at: now });
    },
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
