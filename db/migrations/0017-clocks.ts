import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** How far the times of test environments are ahead, and what tells when something of one environment falls due. */
export async function clocks({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  await schema
    .createTable("clocks")
    .addColumn("env_id", "integer", (c) => c.notNull().primaryKey())
    .addColumn("offset_ms", "bigint", (c) => c.notNull())
    .addColumn("job_id", "text")
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .$call((table) => (engine === "sqlite" ? table.modifyEnd(sql`without rowid`) : table))
    .execute();
  await schema.createIndex("jobs_env_due").on("jobs").columns(["env_id", "run_at"]).where(sql.ref("lane"), "is", null).execute();
}
