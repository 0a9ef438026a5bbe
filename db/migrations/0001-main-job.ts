import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Workspaces, keys, accounts, messages and the job loop under them. */
export async function mainJob(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;
  const table = (name: string) => schema.createTable(name).modifyEnd(clustered);

  await table("counters")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("value", "bigint", (c) => c.notNull())
    .execute();

  await table("workspaces")
    .addColumn("id", "integer", (c) => c.primaryKey())
    .addColumn("public_id", "text", (c) => c.notNull().unique())
    .addColumn("name", "text", (c) => c.notNull().unique())
    .addColumn("plan", "text")
    .addColumn("currency", "text", (c) => c.notNull())
    .addColumn("on_unknown", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .execute();

  await table("environments")
    .addColumn("id", "integer", (c) => c.primaryKey())
    .addColumn("public_id", "text", (c) => c.notNull().unique())
    .addColumn("workspace_id", "integer", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("mode", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addUniqueConstraint("environments_name", ["workspace_id", "name"])
    .execute();

  await table("keys")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("hash", "text", (c) => c.notNull())
    .addColumn("hint", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("scopes", "text", (c) => c.notNull())
    .addColumn("account_ids", "text")
    .addColumn("source_addresses", "text")
    .addColumn("rate_limit", "bigint")
    .addColumn("require_idempotency", "integer", (c) => c.notNull())
    .addColumn("expires_at", "bigint")
    .addColumn("revoked_at", "bigint")
    .addColumn("last_used_at", "bigint")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("keys_pk", ["env_id", "id"])
    .execute();
  await schema.createIndex("keys_hash").on("keys").column("hash").unique().execute();

  await table("accounts")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "bigint", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("username", "text")
    .addColumn("telegram_id", "bigint")
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("status_reason", "text")
    .addColumn("token", "text")
    .addColumn("paused", "integer", (c) => c.notNull())
    .addColumn("timezone", "text", (c) => c.notNull())
    .addColumn("daily_cap", "bigint")
    .addColumn("deleted_at", "bigint")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("accounts_pk", ["env_id", "id"])
    .execute();
  await schema
    .createIndex("accounts_telegram")
    .on("accounts")
    .columns(["env_id", "kind", "telegram_id"])
    .unique()
    .where(sql.ref("deleted_at"), "is", null)
    .execute();

  await table("account_days")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("account_id", "bigint", (c) => c.notNull())
    .addColumn("day", "text", (c) => c.notNull())
    .addColumn("taken", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("account_days_pk", ["env_id", "account_id", "day"])
    .execute();

  await table("chats")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("account_id", "bigint", (c) => c.notNull())
    .addColumn("chat_id", "text", (c) => c.notNull())
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("username", "text")
    .addColumn("first_name", "text")
    .addColumn("last_name", "text")
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("chats_pk", ["env_id", "account_id", "chat_id"])
    .execute();
  await schema.createIndex("chats_username").on("chats").columns(["env_id", "account_id", "username"]).execute();

  await table("messages")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("channel", "text", (c) => c.notNull())
    .addColumn("account_id", "bigint")
    .addColumn("direction", "text", (c) => c.notNull())
    .addColumn("recipient", "text", (c) => c.notNull())
    .addColumn("contact_id", "text")
    .addColumn("thread_id", "text")
    .addColumn("text", "text", (c) => c.notNull())
    .addColumn("status", "text", (c) => c.notNull())
    .addColumn("eta", "bigint")
    .addColumn("schedule_at", "bigint")
    .addColumn("expires_at", "bigint")
    .addColumn("silent", "integer", (c) => c.notNull())
    .addColumn("reply_to", "text")
    .addColumn("metadata", "text", (c) => c.notNull())
    .addColumn("error_code", "text")
    .addColumn("error_message", "text")
    .addColumn("error_link", "text")
    .addColumn("last_error", "text")
    .addColumn("attempts", "text", (c) => c.notNull())
    .addColumn("remote_id", "text")
    .addColumn("cap_day", "text")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("sent_at", "bigint")
    .addColumn("delivered_at", "bigint")
    .addColumn("read_at", "bigint")
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("messages_pk", ["env_id", "id"])
    .execute();
  await schema.createIndex("messages_status").on("messages").columns(["env_id", "status", "id"]).execute();
  await schema.createIndex("messages_account").on("messages").columns(["env_id", "account_id", "id"]).execute();
  await schema.createIndex("messages_recipient").on("messages").columns(["env_id", "recipient", "id"]).execute();

  await schema
    .createTable("jobs")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("lane", "text")
    .addColumn("chat", "text")
    .addColumn("run_at", "bigint", (c) => c.notNull())
    .addColumn("running", "integer", (c) => c.notNull())
    .addColumn("attempts", "integer", (c) => c.notNull())
    .addColumn("payload", "text", (c) => c.notNull())
    .addColumn("eta", "bigint")
    .addColumn("lease_until", "bigint")
    .addPrimaryKeyConstraint("jobs_pk", ["env_id", "id"])
    .execute();
  await schema
    .createIndex("jobs_lane")
    .on("jobs")
    .columns(["env_id", "lane", "run_at", "id"])
    .where(sql.ref("lane"), "is not", null)
    .execute();
  await schema.createIndex("jobs_due").on("jobs").column("run_at").where(sql.ref("lane"), "is", null).execute();

  await table("lanes")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("lane", "text", (c) => c.notNull())
    .addColumn("paused", "integer", (c) => c.notNull())
    .addColumn("held_until", "bigint")
    .addColumn("hold_reason", "text")
    .addColumn("owner", "text")
    .addColumn("lease_until", "bigint")
    .addColumn("fence", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("lanes_pk", ["env_id", "lane"])
    .execute();

  const events = schema.createTable("events").addColumn("env_id", "integer", (c) => c.notNull());
  const ordered =
    engine === "sqlite"
      ? events.addColumn("tx_id", "bigint", (c) => c.notNull().defaultTo(0)).addColumn("seq", "integer", (c) => c.primaryKey())
      : events
          .addColumn("tx_id", "bigint", (c) => c.notNull().defaultTo(sql`pg_current_xact_id()::text::bigint`))
          .addColumn("seq", "bigserial", (c) => c.notNull());
  await ordered
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("subject", "text", (c) => c.notNull())
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("data", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addUniqueConstraint("events_order", ["env_id", "tx_id", "seq"])
    .execute();
  await schema.createIndex("events_id").on("events").columns(["env_id", "id"]).unique().execute();

  await schema
    .createTable("idempotency")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("operation", "text", (c) => c.notNull())
    .addColumn("key", "text", (c) => c.notNull())
    .addColumn("fingerprint", "text", (c) => c.notNull())
    .addColumn("status", "integer")
    .addColumn("body", "text")
    .addColumn("sealed", "integer", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("expires_at", "bigint")
    .addPrimaryKeyConstraint("idempotency_pk", ["env_id", "operation", "key"])
    .execute();
  await schema
    .createIndex("idempotency_expiry")
    .on("idempotency")
    .column("expires_at")
    .where(sql.ref("expires_at"), "is not", null)
    .execute();

  if (engine === "sqlite") await tellPlanner(db);
}

/**
 * Says how selective the indexes of messages are once there are many. Without it SQLite takes the clustered key for a narrow
 * one, and a look for a few messages by status walks all of the environment. https://www.sqlite.org/fileformat2.html#stat1tab
 */
async function tellPlanner(db: Kysely<unknown>): Promise<void> {
  await sql`analyze`.execute(db);
  const rows = {
    messages: "1000000 100000 1",
    messages_status: "1000000 100000 5000 1",
    messages_account: "1000000 100000 5000 1",
    messages_recipient: "1000000 100000 20 1",
  };
  for (const [index, stat] of Object.entries(rows))
    await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('messages', ${index}, ${stat})`.execute(db);
  await sql`analyze sqlite_schema`.execute(db);
}
