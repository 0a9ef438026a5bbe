import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Who changed what, and work that takes long. */
export async function auditAndTasks({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;

  await schema
    .createTable("audit")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("operation", "text", (c) => c.notNull())
    .addColumn("subject", "text", (c) => c.notNull())
    .addColumn("before", "text")
    .addColumn("after", "text")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("audit_pk", ["env_id", "id"])
    .modifyEnd(clustered)
    .execute();
  for (const column of ["actor", "operation", "subject"])
    await schema.createIndex(`audit_${column}`).on("audit").columns(["env_id", column, "id"]).execute();

  await schema
    .createTable("tasks")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("read_scope", "text", (c) => c.notNull())
    .addColumn("write_scope", "text", (c) => c.notNull())
    .addColumn("params", "text", (c) => c.notNull())
    .addColumn("state", "text")
    .addColumn("steps", "bigint", (c) => c.notNull())
    .addColumn("failures", "integer", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("done", "bigint", (c) => c.notNull())
    .addColumn("total", "bigint")
    .addColumn("result", "text")
    .addColumn("error_code", "text")
    .addColumn("error_message", "text")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("finished_at", "bigint")
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("tasks_pk", ["env_id", "id"])
    .modifyEnd(clustered)
    .execute();
  for (const column of ["kind", "status"])
    await schema.createIndex(`tasks_${column}`).on("tasks").columns(["env_id", column, "id"]).execute();
}
