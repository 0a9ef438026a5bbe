import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Files that are imported, while they are; what an import refused, and what it changed, so that it can be undone. */
export async function imports({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;

  await schema
    .createTable("imports")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("job_id", "text")
    .addColumn("dry_run", "integer", (c) => c.notNull())
    .addColumn("undo_job_id", "text")
    .addColumn("touched_at", "bigint", (c) => c.notNull())
    .addColumn("ended_at", "bigint")
    .addPrimaryKeyConstraint("imports_pk", ["env_id", "id"])
    .modifyEnd(clustered)
    .execute();
  await schema.createIndex("imports_job").on("imports").columns(["env_id", "job_id"]).unique().execute();

  // Wide rows, which would overflow the pages of a clustered tree.
  await schema
    .createTable("import_chunks")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("import_id", "text", (c) => c.notNull())
    .addColumn("seq", "integer", (c) => c.notNull())
    .addColumn("data", engine === "sqlite" ? "blob" : "bytea", (c) => c.notNull())
    .addPrimaryKeyConstraint("import_chunks_pk", ["env_id", "import_id", "seq"])
    .execute();

  await schema
    .createTable("import_failures")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("import_id", "text", (c) => c.notNull())
    .addColumn("line", "integer", (c) => c.notNull())
    .addColumn("code", "text", (c) => c.notNull())
    .addColumn("field", "text")
    .addColumn("message", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("import_failures_pk", ["env_id", "import_id", "line"])
    .modifyEnd(clustered)
    .execute();

  await schema
    .createTable("import_changes")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("import_id", "text", (c) => c.notNull())
    .addColumn("seq", "integer", (c) => c.notNull())
    .addColumn("first_number", "bigint")
    .addColumn("last_number", "bigint")
    .addColumn("contact_id", "text")
    .addColumn("written_at", "bigint", (c) => c.notNull())
    .addColumn("data", "text")
    .addPrimaryKeyConstraint("import_changes_pk", ["env_id", "import_id", "seq"])
    .execute();
  await schema
    .createIndex("import_changes_contact")
    .on("import_changes")
    .columns(["env_id", "contact_id", "import_id"])
    .where(sql.ref("contact_id"), "is not", null)
    .execute();
  await schema
    .createIndex("import_changes_numbers")
    .on("import_changes")
    .columns(["env_id", "import_id", "first_number"])
    .where(sql.ref("first_number"), "is not", null)
    .execute();
}
