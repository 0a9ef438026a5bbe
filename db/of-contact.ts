import { sql } from "kysely";
import type { Database } from "./database.ts";
import { listOf } from "./list.ts";

/** What the index of contacts' events asks for, in its own words. */
const ofContacts = sql<boolean>`substr(subject, 1, 3) = 'ct_'`;

/** What is kept of one person, by whom it is about: each an index's range in the order of ids. */
export function rowsOfContact({ read, engine }: Pick<Database, "read" | "engine">) {
  return {
    messages: (env_id: number, contact_id: string) =>
      read.selectFrom("messages").where("env_id", "=", env_id).where("contact_id", "=", contact_id),
    /** Those to an address that belong to no contact. */
    messagesTo: (env_id: number, recipient: string) =>
      read.selectFrom("messages").where("env_id", "=", env_id).where("recipient", "=", recipient).where("contact_id", "is", null),
    threads: (env_id: number, contact_id: string) =>
      read.selectFrom("threads").where("env_id", "=", env_id).where("contact_id", "=", contact_id),
    /** Private conversations in these chats that belong to no contact. */
    threadsIn: (env_id: number, chat_ids: readonly string[]) =>
      read
        .selectFrom("threads")
        .where("env_id", "=", env_id)
        .where("account_id", "in", read.selectFrom("accounts").select("id").where("env_id", "=", env_id))
        .where("chat_id", "in", listOf(engine, JSON.stringify(chat_ids)))
        .where("type", "=", "private")
        .where("contact_id", "is", null),
    events: (env_id: number, contact_id: string) =>
      read.selectFrom("events").where(ofContacts).where("env_id", "=", env_id).where("subject", "=", contact_id),
    enrollments: (env_id: number, contact_id: string) =>
      read.selectFrom("enrollments").where("env_id", "=", env_id).where("contact_id", "=", contact_id),
    audit: (env_id: number, contact_id: string) => read.selectFrom("audit").where("env_id", "=", env_id).where("subject", "=", contact_id),
  };
}
