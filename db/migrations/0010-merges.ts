import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Which contact was merged into which, what it takes to undo that, and which messages moved. */
export async function merges(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;
  await schema
    .createTable("merges")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("survivor_id", "text", (c) => c.notNull())
    .addColumn("merged_id", "text", (c) => c.notNull())
    .addColumn("merged_number", "bigint", (c) => c.notNull())
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("snapshots", "text")
    .addColumn("moving", "integer", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("undone_at", "bigint")
    .addPrimaryKeyConstraint("merges_pk", ["env_id", "id"])
    .modifyEnd(clustered)
    .execute();
  await schema.createIndex("merges_survivor").on("merges").columns(["env_id", "survivor_id", "id"]).execute();
  await schema.createIndex("merges_merged").on("merges").columns(["env_id", "merged_id", "id"]).execute();
  // A contact is merged once at a time, and its id and its number stand for the survivor meanwhile.
  for (const name of ["merged_id", "merged_number"])
    await schema
      .createIndex(`merges_${name}`)
      .on("merges")
      .columns(["env_id", name])
      .unique()
      .where(sql.ref("undone_at"), "is", null)
      .execute();

  await schema
    .createTable("merge_messages")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("merge_id", "text", (c) => c.notNull())
    .addColumn("message_id", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("merge_messages_pk", ["env_id", "merge_id", "message_id"])
    .modifyEnd(clustered)
    .execute();
}
