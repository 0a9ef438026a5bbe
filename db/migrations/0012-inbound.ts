import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** Received messages: who wrote, in which chat, each once; and whether a reply can opt out. */
export async function inbound(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  await schema.alterTable("messages").addColumn("sender", "text").execute();
  await schema.alterTable("messages").addColumn("chat_id", "text").execute();
  await schema
    .alterTable("environments")
    .addColumn("opt_out_replies", "integer", (c) => c.notNull().defaultTo(0))
    .execute();
  const received = sql<boolean>`direction = 'in'`;
  await schema
    .createIndex("messages_origin")
    .on("messages")
    .columns(["env_id", "account_id", "chat_id", "remote_id"])
    .unique()
    .where(received)
    .execute();
  await schema.createIndex("messages_in").on("messages").columns(["env_id", "id"]).where(received).execute();
  if (engine !== "sqlite") return;
  // As for the other indexes of messages: see the first migration. Lists of the received take the second, and none the first, which
  // is in no order of theirs: so an account has many of it.
  const rows = { messages_origin: "100000 50000 20000 20 1", messages_in: "100000 10000 1" };
  for (const [index, stat] of Object.entries(rows))
    await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('messages', ${index}, ${stat})`.execute(db);
  await sql`analyze sqlite_schema`.execute(db);
}
