import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Saved filters, by which contacts are narrowed. */
export async function segments(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  await schema
    .createTable("segments")
    .modifyEnd(engine === "sqlite" ? sql`without rowid` : sql``)
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("object", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("description", "text")
    .addColumn("filter", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("segments_pk", ["env_id", "id"])
    .execute();
  await schema.createIndex("segments_name").on("segments").columns(["env_id", "object", "name"]).unique().execute();
}
