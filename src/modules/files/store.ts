import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import type { FileRow } from "#db/schema-inbox.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

const columns = [
  ...([
    "env_id",
    "id",
    "account_id",
    "remote",
    "remote_key",
    "type",
    "name",
    "mime",
    "size",
    "stored_at",
    "used_at",
    "created_at",
  ] as const),
] satisfies readonly (keyof FileRow)[];

type Key = Pick<FileRow, "env_id" | "id">;

export function createFileStore(db: Database) {
  const keep = db.prepare<FileRow, { id: string }>((q, v) =>
    q
      .insertInto("files")
      .values(Object.fromEntries(columns.map((name) => [name, v(name)])) as unknown as FileRow)
      .onConflict((conflict) =>
        conflict
          .columns(["env_id", "account_id", "remote_key"])
          .where(sql<boolean>`remote_key is not null`)
          .doUpdateSet((set) => ({ remote: set.ref("excluded.remote"), used_at: set.ref("excluded.used_at") })),
      )
      .returning("id"),
  );
  const get = db.prepare<Key, FileRow>((q, v) =>
    q.selectFrom("files").selectAll().where("env_id", "=", v("env_id")).where("id", "=", v("id")),
  );
  const update = (tx: Tx, { env_id, id }: Key, change: Partial<FileRow>) =>
    db.in(tx).updateTable("files").set(change).where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst();
  const inEnvironment = (env_id: number) => db.read.selectFrom("files").where("env_id", "=", env_id);

  return {
    /** Keeps a received file, or the newest way to one that is there. @returns the one that is there now */
    keep: (tx: Tx, row: FileRow): Maybe<{ id: string } | undefined> => keep.one(tx, row),
    async insert(tx: Tx, row: FileRow): Promise<void> {
      await db.in(tx).insertInto("files").values(row).execute();
    },
    /** @param tx null reads the last committed snapshot */
    get: (tx: Tx | null, env_id: number, id: string): Maybe<FileRow | undefined> => get.one(tx, { env_id, id }),
    lock: (tx: Tx, env_id: number, id: string): Maybe<FileRow | undefined> =>
      db.engine === "sqlite"
        ? get.one(tx, { env_id, id })
        : db.in(tx).selectFrom("files").selectAll().where("env_id", "=", env_id).where("id", "=", id).forUpdate().executeTakeFirst(),
    async set(tx: Tx, key: Key, change: Partial<FileRow>): Promise<void> {
      await update(tx, key, change);
    },
    async remove(tx: Tx, { env_id, id }: Key): Promise<void> {
      await db.in(tx).deleteFrom("files").where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    page: (env_id: number, before: string | null, offset: number, most: number) =>
      newestFirst(inEnvironment(env_id), { before, offset, most }),
    count: (env_id: number) => countRows(db, inEnvironment(env_id), false),

    /** Bytes of received files that are here, over all environments. */
    async cachedBytes(): Promise<number> {
      const query = db.read
        .selectFrom("files")
        .select(({ fn }) => fn.sum<number | string | null>("size").as("bytes"))
        .where("stored_at", "is not", null)
        .where("account_id", "is not", null);
      const [row] = await db.slowly(query);
      return Number(row?.bytes ?? 0);
    },
    /** Of those the ones that nobody has read for longest. */
    leastUsed: (most: number) =>
      db.slowly(
        db.read
          .selectFrom("files")
          .selectAll()
          .where("stored_at", "is not", null)
          .where("account_id", "is not", null)
          .orderBy("used_at")
          .limit(most),
      ),
    /** Uploads that nobody has used since a time (ms). */
    unusedSince: (before: number, most: number) =>
      db.slowly(
        db.read
          .selectFrom("files")
          .selectAll()
          .where("stored_at", "is not", null)
          .where("account_id", "is", null)
          .where("used_at", "<", before)
          .limit(most),
      ),
  };
}

export type { FileRow };
export type FileStore = ReturnType<typeof createFileStore>;
