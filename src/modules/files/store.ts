import { sql } from "kysely";
import type { Database } from "#db/database.ts";
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
  return {
    /** Keeps a received file, or the newest way to one that is there. @returns the one that is there now */
    keep: (tx: Tx, row: FileRow): Maybe<{ id: string } | undefined> => keep.one(tx, row),
  };
}

export type FileStore = ReturnType<typeof createFileStore>;
