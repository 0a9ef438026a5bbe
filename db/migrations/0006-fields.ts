import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Custom fields, and an index of the values that contacts have in them. */
export async function fields(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  await schema
    .createTable("fields")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("object", "text", (c) => c.notNull())
    .addColumn("key", "text", (c) => c.notNull())
    .addColumn("label", "text", (c) => c.notNull())
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("options", "text")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("fields_pk", ["env_id", "id"])
    .modifyEnd(engine === "sqlite" ? sql`without rowid` : sql``)
    .execute();
  await schema.createIndex("fields_key").on("fields").columns(["env_id", "object", "key"]).unique().execute();

  // A value is a text or a number, so neither can be part of a primary key.
  await schema
    .createTable("contact_values")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("field_id", "text", (c) => c.notNull())
    .addColumn("txt", "text")
    .addColumn("num", sql`double precision`)
    .addColumn("contact_row", "bigint", (c) => c.notNull())
    .execute();
  for (const value of ["txt", "num"])
    await schema
      .createIndex(`contact_values_${value}`)
      .on("contact_values")
      .columns(["env_id", "field_id", value, "contact_row"])
      .where(sql.ref(value), "is not", null)
      .execute();
}
