import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import { listOf } from "#db/list.ts";
import type { ContactRow, MergeRow } from "#db/schema-people.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

export function createMergeStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const activeOf = db.prepare<{ env_id: number; merged_id: string }, MergeRow>((q, v) =>
    q
      .selectFrom("merges")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("merged_id", "=", v("merged_id"))
      .where("undone_at", "is", null),
  );
  const activeOfNumber = db.prepare<{ env_id: number; merged_number: number }, MergeRow>((q, v) =>
    q
      .selectFrom("merges")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("merged_number", "=", v("merged_number"))
      .where("undone_at", "is", null),
  );
  const rowsInto = db.prepare<{ env_id: number; ids: string }, { into: string; row: number }>((q, v) =>
    q
      .withRecursive("gone", (w) =>
        w
          .selectFrom("merges")
          .select(["env_id", "survivor_id as into", "merged_id as id"])
          .where("env_id", "=", v("env_id"))
          .where("survivor_id", "in", listOf(db.engine, v("ids")))
          .where("undone_at", "is", null)
          .union(
            w
              .selectFrom("gone")
              .innerJoin("merges as m", (join) => join.onRef("m.env_id", "=", "gone.env_id").onRef("m.survivor_id", "=", "gone.id"))
              .select(["m.env_id", "gone.into", "m.merged_id as id"])
              .where("m.undone_at", "is", null),
          ),
      )
      .selectFrom("gone")
      .innerJoin("contacts as c", (join) => join.onRef("c.env_id", "=", "gone.env_id").onRef("c.id", "=", "gone.id"))
      .select(["gone.into", "c.row"]),
  );
  const all = (env_id: number) => db.read.selectFrom("merges").where("env_id", "=", env_id);
  const involving = (env_id: number, contact_id: string | undefined) =>
    all(env_id).$if(contact_id !== undefined, (q) =>
      q.where((where) => where.or([where("survivor_id", "=", contact_id!), where("merged_id", "=", contact_id!)])),
    );
  const within = (tx: Tx, env_id: number) => db.in(tx).selectFrom("merges").selectAll().where("env_id", "=", env_id);

  return {
    /** The merge by which a contact is part of another now. @param ref its id or number */
    active: (tx: Tx | null, env_id: number, ref: string): Maybe<MergeRow | undefined> =>
      ref.startsWith("ct_") ? activeOf.one(tx, { env_id, merged_id: ref }) : activeOfNumber.one(tx, { env_id, merged_number: Number(ref) }),
    /** Whom a contact that was merged is part of by now. @param ref its id or number @returns null where it was not merged */
    async survivorOf(tx: Tx | null, env_id: number, ref: string): Promise<string | null> {
      const merge = await this.active(tx, env_id, ref);
      return merge === undefined ? null : ((await this.survivorOf(tx, env_id, merge.survivor_id)) ?? merge.survivor_id);
    },
    /** All whose merging has led to a contact, also by way of others. */
    async mergedInto(env_id: number, contact_id: string): Promise<string[]> {
      const { rows } = await sql<{ id: string }>`
        with recursive gone (id) as (
          select merged_id from merges where env_id = ${env_id} and survivor_id = ${contact_id} and undone_at is null
          union
          select m.merged_id from gone join merges as m on m.env_id = ${env_id} and m.survivor_id = gone.id and m.undone_at is null
        ) select id from gone order by id`.execute(db.read);
      return rows.map(({ id }) => id);
    },
    /** Of all whose merging has led to one of these contacts, the rows that are still there. */
    rowsInto: (tx: Tx | null, env_id: number, ids: readonly string[]): Maybe<{ into: string; row: number }[]> =>
      rowsInto.all(tx, { env_id, ids: JSON.stringify(ids) }),
    /** The merge of those into a contact that was made last. */
    lastInto: (tx: Tx | null, env_id: number, survivor_id: string): Promise<MergeRow | undefined> =>
      (tx === null ? all(env_id).selectAll() : within(tx, env_id))
        .where("survivor_id", "=", survivor_id)
        .where("undone_at", "is", null)
        .orderBy("id", "desc")
        .limit(1)
        .executeTakeFirst(),
    /** Merges of a contact whose messages have not arrived. */
    moving: (tx: Tx, env_id: number, contact_id: string): Promise<MergeRow[]> =>
      within(tx, env_id)
        .where((where) => where.or([where("survivor_id", "=", contact_id), where("merged_id", "=", contact_id)]))
        .where("moving", "=", 1)
        .orderBy("id")
        .execute(),
    get: (env_id: number, id: string): Promise<MergeRow | undefined> => all(env_id).selectAll().where("id", "=", id).executeTakeFirst(),
    read: (tx: Tx, env_id: number, id: string): Promise<MergeRow | undefined> => within(tx, env_id).where("id", "=", id).executeTakeFirst(),
    /** On PostgreSQL the row waits for whoever changes it. */
    lock: (tx: Tx, env_id: number, id: string): Promise<MergeRow | undefined> =>
      within(tx, env_id)
        .where("id", "=", id)
        .$if(!isSqlite, (q) => q.forUpdate())
        .executeTakeFirst(),
    async insert(tx: Tx, row: MergeRow): Promise<void> {
      await db.in(tx).insertInto("merges").values(row).execute();
    },
    async update(tx: Tx, { env_id, id, snapshots, moving, undone_at }: MergeRow): Promise<void> {
      await db
        .in(tx)
        .updateTable("merges")
        .set({ snapshots, moving, undone_at })
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .execute();
    },
    page: (env_id: number, contact_id: string | undefined, before: string | null, offset: number, most: number): Promise<MergeRow[]> =>
      newestFirst(involving(env_id, contact_id), { before, offset, most }),
    count: (env_id: number, contact_id: string | undefined) => countRows(db, involving(env_id, contact_id), contact_id !== undefined),

    /** Hands messages of who was merged to the survivor, and all threads, and writes down which. @returns how many messages */
    async moveOn(tx: Tx, { env_id, id, survivor_id, merged_id }: MergeRow, most: number): Promise<number> {
      const q = db.in(tx);
      const some = q
        .selectFrom("messages")
        .select("id")
        .where("env_id", "=", env_id)
        .where("contact_id", "=", merged_id)
        .orderBy("id")
        .limit(most);
      const moved = await q
        .updateTable("messages")
        .set({ contact_id: survivor_id })
        .where("env_id", "=", env_id)
        .where("id", "in", some)
        .where("contact_id", "=", merged_id)
        .returning("id")
        .execute();
      // Conversations go with what was written in them, and come back as they did.
      const threads = await q
        .updateTable("threads")
        .set({ contact_id: survivor_id })
        .where("env_id", "=", env_id)
        .where("contact_id", "=", merged_id)
        .returning("id")
        .execute();
      const rows = [...moved, ...threads].map((one) => ({ env_id, merge_id: id, message_id: one.id }));
      if (rows.length > 0) await q.insertInto("merge_messages").values(rows).execute();
      return moved.length;
    },
    /** Hands messages and threads that were moved back, but for those that are nobody's by now. @returns how many were looked at */
    async moveBack(tx: Tx, { env_id, id, survivor_id, merged_id }: MergeRow, most: number): Promise<number> {
      const ids = await this.takeMoved(tx, env_id, id, most);
      if (ids.length > 0)
        for (const table of ["messages", "threads"] as const)
          await db
            .in(tx)
            .updateTable(table)
            .set({ contact_id: merged_id })
            .where("env_id", "=", env_id)
            .where("id", "in", ids)
            .where("contact_id", "=", survivor_id)
            .execute();
      return ids.length;
    },
    /** Forgets which messages moved. @returns those that it forgot */
    async takeMoved(tx: Tx, env_id: number, merge_id: string, most: number): Promise<string[]> {
      const q = db.in(tx);
      const some = q
        .selectFrom("merge_messages")
        .select("message_id")
        .where("env_id", "=", env_id)
        .where("merge_id", "=", merge_id)
        .orderBy("message_id")
        .limit(most);
      const ids = (await some.execute()).map(({ message_id }) => message_id);
      if (ids.length > 0)
        await q
          .deleteFrom("merge_messages")
          .where("env_id", "=", env_id)
          .where("merge_id", "=", merge_id)
          .where("message_id", "in", ids)
          .execute();
      return ids;
    },
    /** Hands messages to an address that were nobody's to a contact. */
    async adopt(tx: Tx, env_id: number, contact_id: string, message_ids: readonly string[]): Promise<void> {
      if (message_ids.length === 0) return;
      await db
        .in(tx)
        .updateTable("messages")
        .set({ contact_id })
        .where("env_id", "=", env_id)
        .where("id", "in", message_ids)
        .where("contact_id", "is", null)
        .execute();
    },
    /** Removes every merge of a contact. */
    async forget(tx: Tx, env_id: number, contact_id: string): Promise<void> {
      await db
        .in(tx)
        .deleteFrom("merges")
        .where("env_id", "=", env_id)
        .where((where) => where.or([where("survivor_id", "=", contact_id), where("merged_id", "=", contact_id)]))
        .execute();
    },
    involving: (tx: Tx, env_id: number, contact_id: string): Promise<MergeRow[]> =>
      within(tx, env_id)
        .where((where) => where.or([where("survivor_id", "=", contact_id), where("merged_id", "=", contact_id)]))
        .execute(),
  };
}

export type { ContactRow, MergeRow };
export type MergeStore = ReturnType<typeof createMergeStore>;
