import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Sequences, who is in them, what their messages come from, and what they have come to by day. */
export async function sequences(db: Kysely<unknown>, engine: Engine): Promise<void> {
  await addSequences(db, engine);
  await addEnrollments(db, engine);
  await db.schema.alterTable("messages").addColumn("origin", "text").execute();
}

const clusteredOn = (engine: Engine) => (engine === "sqlite" ? sql`without rowid` : sql``);

async function addSequences({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  await schema
    .createTable("sequences")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("metadata", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("sequences_pk", ["env_id", "id"])
    .execute();
  await schema
    .createIndex("sequences_name")
    .on("sequences")
    .columns(["env_id", "name"])
    .unique()
    .where(sql.ref("status"), "<>", sql.lit("archived"))
    .execute();
  await schema
    .createTable("sequence_versions")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("sequence_id", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("definition", "text", (c) => c.notNull())
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("sequence_versions_pk", ["env_id", "sequence_id", "version"])
    .modifyEnd(clusteredOn(engine))
    .execute();
}

async function addEnrollments({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  await schema
    .createTable("enrollments")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("sequence_id", "text", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull())
    .addColumn("contact_id", "text", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("step", "text")
    .addColumn("due_at", "bigint")
    .addColumn("why", "text", (c) => c.notNull())
    .addColumn("waits_for", "text")
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("reason", "text")
    .addColumn("entered_at", "bigint", (c) => c.notNull())
    .addColumn("ended_at", "bigint")
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("enrollments_pk", ["env_id", "id"])
    .execute();
  // One of all environments, as that of the jobs: the engine asks what is due, and of nothing else.
  await schema
    .createIndex("enrollments_due")
    .on("enrollments")
    .columns(["due_at", "env_id", "id"])
    .where(sql.ref("due_at"), "is not", null)
    .execute();
  await schema.createIndex("enrollments_sequence").on("enrollments").columns(["env_id", "sequence_id", "id"]).execute();
  await schema.createIndex("enrollments_contact").on("enrollments").columns(["env_id", "contact_id", "sequence_id", "id"]).execute();
  await schema
    .createIndex("enrollments_open")
    .on("enrollments")
    .columns(["env_id", "contact_id", "sequence_id"])
    .unique()
    .where(sql<boolean>`status in ('active', 'paused')`)
    .execute();

  await schema
    .createTable("sequence_places")
    .addColumn("env_id", "integer", (c) => c.notNull().primaryKey())
    .addColumn("tx_id", "bigint", (c) => c.notNull())
    .addColumn("seq", "bigint", (c) => c.notNull())
    .execute();
  await schema
    .createTable("automation_counts")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("subject_id", "text", (c) => c.notNull())
    .addColumn("day", "text", (c) => c.notNull())
    .addColumn("step", "text", (c) => c.notNull())
    .addColumn("what", "text", (c) => c.notNull())
    .addColumn("n", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("automation_counts_pk", ["env_id", "subject_id", "day", "step", "what"])
    .modifyEnd(clusteredOn(engine))
    .execute();
}
