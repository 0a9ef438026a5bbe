import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Who must not be written to. */
export async function suppressions(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  await schema
    .createTable("suppressions")
    .modifyEnd(engine === "sqlite" ? sql`without rowid` : sql``)
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("channel", "text", (c) => c.notNull())
    .addColumn("recipient", "text", (c) => c.notNull())
    .addColumn("reason", "text", (c) => c.notNull())
    .addColumn("note", "text")
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("suppressions_pk", ["env_id", "id"])
    .execute();
  const index = (name: string, columns: string[]) => schema.createIndex(name).on("suppressions").columns(columns);
  // The recipient comes first: a send asks for one, under whatever channel.
  await index("suppressions_recipient", ["env_id", "recipient", "channel"]).unique().execute();
  await index("suppressions_channel", ["env_id", "channel", "id"]).execute();
  await index("suppressions_reason", ["env_id", "reason", "id"]).execute();
  if (engine === "sqlite") await tellPlanner(db);
}

/** As for messages: without it SQLite takes the clustered key for a narrow one, and a send's look walks all of the environment. */
async function tellPlanner(db: Kysely<unknown>): Promise<void> {
  const rows = {
    suppressions: "100000 10000 1",
    suppressions_recipient: "100000 10000 1 1",
    suppressions_channel: "100000 10000 3000 1",
    suppressions_reason: "100000 10000 2000 1",
  };
  for (const [index, stat] of Object.entries(rows))
    await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('suppressions', ${index}, ${stat})`.execute(db);
  await sql`analyze sqlite_schema`.execute(db);
}
