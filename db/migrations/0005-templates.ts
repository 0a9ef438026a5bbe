import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Templates of messages, and every body that they have had. */
export async function templates(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;
  const table = (name: string) => schema.createTable(name).modifyEnd(clustered);

  await table("templates")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("category", "text")
    .addColumn("body", "text", (c) => c.notNull())
    .addColumn("variables", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("templates_pk", ["env_id", "id"])
    .execute();
  await schema.createIndex("templates_name").on("templates").columns(["env_id", "name"]).unique().execute();

  await table("template_versions")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("template_id", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("body", "text", (c) => c.notNull())
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("template_versions_pk", ["env_id", "template_id", "version"])
    .execute();
}
