import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Threads, what messages hold beside their text, files, and how accounts are connected to Telegram. */
export async function inbox(db: Kysely<unknown>, engine: Engine): Promise<void> {
  await extend(db);
  await addThreads(db, engine);
  await addConnections(db, engine);
  await addFiles(db, engine);
  if (engine === "sqlite") await tellPlanner(db);
}

const clusteredOn = (engine: Engine) => (engine === "sqlite" ? sql`without rowid` : sql``);

async function extend({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable("messages").addColumn("content", "text").execute();
  await schema.alterTable("messages").addColumn("edited_at", "bigint").execute();
  await schema.alterTable("messages").addColumn("deleted_at", "bigint").execute();
  // The channel's id is in it, since a message of a thread is looked for by that too.
  await schema
    .createIndex("messages_thread")
    .on("messages")
    .columns(["env_id", "thread_id", "id", "remote_id"])
    .where(sql<boolean>`thread_id is not null`)
    .execute();

  await schema.alterTable("chats").addColumn("title", "text").execute();
  await schema.alterTable("chats").addColumn("blocked_at", "bigint").execute();

  await schema.alterTable("accounts").addColumn("phone", "text").execute();
  await schema.alterTable("accounts").addColumn("proxy", "text").execute();
  await schema.alterTable("accounts").addColumn("new_peer_daily_cap", "bigint").execute();
  await schema.alterTable("accounts").addColumn("gap_seconds", "text").execute();
  await schema.alterTable("accounts").addColumn("quiet_hours", "text").execute();
  await schema.alterTable("accounts").addColumn("restricted_until", "bigint").execute();
  await schema
    .alterTable("accounts")
    .addColumn("restrictions", "integer", (c) => c.notNull().defaultTo(0))
    .execute();
  await schema.alterTable("accounts").addColumn("login_blocked_until", "bigint").execute();
  await schema
    .alterTable("account_days")
    .addColumn("new_peers", "bigint", (c) => c.notNull().defaultTo(0))
    .execute();
}

async function addThreads({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const clustered = clusteredOn(engine);
  await schema
    .createTable("threads")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("channel", "text", (c) => c.notNull())
    .addColumn("account_id", "bigint", (c) => c.notNull())
    .addColumn("chat_id", "text", (c) => c.notNull())
    .addColumn("topic_id", "text", (c) => c.notNull())
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("title", "text")
    .addColumn("username", "text")
    .addColumn("contact_id", "text")
    .addColumn("unread", "bigint", (c) => c.notNull())
    .addColumn("last_message_id", "text", (c) => c.notNull())
    .addColumn("last_message_at", "bigint", (c) => c.notNull())
    .addColumn("archived_at", "bigint")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("threads_pk", ["env_id", "id"])
    .execute();
  await schema.createIndex("threads_place").on("threads").columns(["env_id", "account_id", "chat_id", "topic_id"]).unique().execute();
  await schema.createIndex("threads_recent").on("threads").columns(["env_id", "last_message_at", "id"]).execute();
  await schema
    .createIndex("threads_contact")
    .on("threads")
    .columns(["env_id", "contact_id", "last_message_at", "id"])
    .where(sql<boolean>`contact_id is not null`)
    .execute();

  await schema
    .createTable("thread_notes")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("thread_id", "text", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("text", "text", (c) => c.notNull())
    .addColumn("actor", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("thread_notes_pk", ["env_id", "thread_id", "id"])
    .modifyEnd(clustered)
    .execute();
}

async function addConnections({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  const clustered = clusteredOn(engine);
  await schema
    .createTable("connections")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("account_id", "bigint", (c) => c.notNull())
    .addColumn("session", "text")
    .addColumn("place", "text")
    .addColumn("proof_at", "bigint")
    .addColumn("error", "text")
    .addColumn("error_at", "bigint")
    .addPrimaryKeyConstraint("connections_pk", ["env_id", "account_id"])
    .modifyEnd(clustered)
    .execute();

  await schema
    .createTable("peers")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("account_id", "bigint", (c) => c.notNull())
    .addColumn("peer_id", "bigint", (c) => c.notNull())
    .addColumn("access_hash", "text", (c) => c.notNull())
    .addColumn("username", "text")
    .addColumn("phone", "text")
    .addColumn("full_object", "text", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("peers_pk", ["env_id", "account_id", "peer_id"])
    .modifyEnd(clustered)
    .execute();
  await schema.createIndex("peers_username").on("peers").columns(["env_id", "account_id", "username"]).execute();
  await schema.createIndex("peers_phone").on("peers").columns(["env_id", "account_id", "phone"]).execute();

  // By webhook updates come out of order: those of the last days are known one by one.
  await schema
    .createTable("updates")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("account_id", "bigint", (c) => c.notNull())
    .addColumn("update_id", "bigint", (c) => c.notNull())
    .addColumn("taken_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("updates_pk", ["env_id", "account_id", "update_id"])
    .modifyEnd(clustered)
    .execute();
  await schema.createIndex("updates_taken").on("updates").column("taken_at").execute();
}

async function addFiles({ schema }: Kysely<unknown>, engine: Engine): Promise<void> {
  await schema
    .createTable("files")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("account_id", "bigint")
    .addColumn("remote", "text")
    .addColumn("remote_key", "text")
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("name", "text")
    .addColumn("mime", "text")
    .addColumn("size", "bigint")
    .addColumn("stored_at", "bigint")
    .addColumn("used_at", "bigint", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("files_pk", ["env_id", "id"])
    .modifyEnd(clusteredOn(engine))
    .execute();
  await schema
    .createIndex("files_remote")
    .on("files")
    .columns(["env_id", "account_id", "remote_key"])
    .unique()
    .where(sql<boolean>`remote_key is not null`)
    .execute();
  // Over all environments: the disk that the bytes are on is one.
  await schema
    .createIndex("files_used")
    .on("files")
    .columns(["used_at"])
    .where(sql<boolean>`stored_at is not null`)
    .execute();
}

/** As for the other indexes of messages: see the first migration. */
async function tellPlanner(db: Kysely<unknown>): Promise<void> {
  await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('messages', 'messages_thread', '1000000 100000 20 1 1')`.execute(db);
  await sql`analyze sqlite_schema`.execute(db);
}
