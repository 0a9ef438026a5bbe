import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Messages to many: what was asked for, how far it is, and who it is for. */
export async function broadcasts({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;
  await schema
    .createTable("broadcasts")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("audience", "text", (c) => c.notNull())
    .addColumn("plan", "text", (c) => c.notNull())
    .addColumn("metadata", "text", (c) => c.notNull())
    .addColumn("parent_id", "text")
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("broadcasts_pk", ["env_id", "id"])
    .execute();

  await schema
    .createTable("broadcast_states")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("broadcast_id", "text", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("reason", "text")
    .addColumn("due_at", "bigint")
    .addColumn("slot_at", "bigint", (c) => c.notNull())
    .addColumn("job_id", "text")
    .addColumn("is_noted", "integer", (c) => c.notNull())
    .addColumn("sample_ends_at", "bigint")
    .addColumn("winner", "text")
    .addColumn("total", "integer", (c) => c.notNull())
    .addColumn("queued", "integer", (c) => c.notNull())
    .addColumn("sent", "integer", (c) => c.notNull())
    .addColumn("failed", "integer", (c) => c.notNull())
    .addColumn("skipped", "integer", (c) => c.notNull())
    .addColumn("canceled", "integer", (c) => c.notNull())
    .addColumn("replied", "integer", (c) => c.notNull())
    .addColumn("stop_percent", "integer")
    .addColumn("stop_after", "integer")
    .addColumn("starts_at", "bigint")
    .addColumn("started_at", "bigint")
    .addColumn("ended_at", "bigint")
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("broadcast_states_pk", ["env_id", "broadcast_id"])
    .modifyEnd(clustered)
    .execute();
  // One of all environments, as that of the jobs. Broadcasts fall due, not their recipients: so one row pauses all of them.
  await schema
    .createIndex("broadcasts_due")
    .on("broadcast_states")
    .columns(["due_at", "env_id", "broadcast_id"])
    .where(sql.ref("due_at"), "is not", null)
    .execute();

  await schema
    .createTable("broadcast_recipients")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("broadcast_id", "text", (c) => c.notNull())
    .addColumn("contact_id", "text", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("variant", "text", (c) => c.notNull())
    .addColumn("due_at", "bigint")
    .addColumn("account_id", "bigint")
    .addColumn("message_id", "text")
    .addColumn("reason", "text")
    .addColumn("replied_at", "bigint")
    .addPrimaryKeyConstraint("broadcast_recipients_pk", ["env_id", "broadcast_id", "contact_id"])
    .modifyEnd(clustered)
    .execute();
  await schema
    .createIndex("broadcast_recipients_status")
    .on("broadcast_recipients")
    .columns(["env_id", "broadcast_id", "status", "due_at", "contact_id"])
    .execute();
}
