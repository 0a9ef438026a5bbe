import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** What is found by its contact: messages, the contact's own events, and contacts whose time has come to be erased. */
export async function erasure(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  await schema
    .createIndex("messages_contact")
    .on("messages")
    .columns(["env_id", "contact_id", "id"])
    .where(sql.ref("contact_id"), "is not", null)
    .execute();
  // Not a range of texts: that would depend on the server's collation. Events of messages, nearly all there are, aren't in it.
  await sql`create index events_contact on events (env_id, subject, id) where substr(subject, 1, 3) = 'ct_'`.execute(db);
  await schema
    .createIndex("contacts_deleted")
    .on("contacts")
    .columns(["env_id", "deleted_at"])
    .where(sql.ref("deleted_at"), "is not", null)
    .execute();
  if (engine !== "sqlite") return;
  // As for the other indexes of messages: see the first migration.
  await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('messages', 'messages_contact', '1000000 100000 20 1')`.execute(db);
  await sql`analyze sqlite_schema`.execute(db);
}
