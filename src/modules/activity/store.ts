import type { Database } from "#db/database.ts";
import { rowsOfContact } from "#db/of-contact.ts";
import type { AuditRow, EventRow, MessageRow } from "#db/schema.ts";
import type { BroadcastRecipientRow, BroadcastRow } from "#db/schema-broadcasts.ts";
import type { ThreadNoteRow, ThreadRow } from "#db/schema-inbox.ts";
import type { ContactRow, SuppressionRow } from "#db/schema-people.ts";
import type { EnrollmentRow } from "#db/schema-sequences.ts";

/** The part of a contact in a broadcast. */
export type ReceivedRow = BroadcastRecipientRow &
  Pick<BroadcastRow, "id" | "name"> & { [Name in "sent_at" | "error_code"]: MessageRow[Name] | null };

/** What is kept of one person. Pages are keyed by id. */
export function createActivityStore(db: Database) {
  const of = rowsOfContact(db);
  return {
    /** By id or number, also one that is deleted and not erased yet. */
    contact(env_id: number, ref: string): Promise<ContactRow | undefined> {
      const all = db.read.selectFrom("contacts").selectAll().where("env_id", "=", env_id);
      return (ref.startsWith("ct_") ? all.where("id", "=", ref) : all.where("number", "=", Number(ref))).executeTakeFirst();
    },
    /** Newest first, those before this id. */
    messagesBefore: (env_id: number, contact_id: string, before: string, most: number): Promise<MessageRow[]> =>
      of.messages(env_id, contact_id).selectAll().where("id", "<", before).orderBy("id", "desc").limit(most).execute(),
    /** Newest first, those before this id. */
    eventsBefore: (env_id: number, contact_id: string, before: string, most: number): Promise<EventRow[]> =>
      of.events(env_id, contact_id).selectAll().where("id", "<", before).orderBy("id", "desc").limit(most).execute(),
    messagesAfter: (env_id: number, contact_id: string, after: string, most: number): Promise<MessageRow[]> =>
      of.messages(env_id, contact_id).selectAll().where("id", ">", after).orderBy("id").limit(most).execute(),
    /** Those to an address that belong to no contact. */
    messagesTo: (env_id: number, recipient: string, after: string, most: number): Promise<MessageRow[]> =>
      of.messagesTo(env_id, recipient).selectAll().where("id", ">", after).orderBy("id").limit(most).execute(),
    threadsAfter: (env_id: number, contact_id: string, after: string, most: number): Promise<ThreadRow[]> =>
      of.threads(env_id, contact_id).selectAll().where("id", ">", after).orderBy("id").limit(most).execute(),
    /** Private conversations in a chat that belong to no contact. */
    threadsIn: (env_id: number, chat_id: string, after: string, most: number): Promise<ThreadRow[]> =>
      of.threadsIn(env_id, [chat_id]).selectAll().where("id", ">", after).orderBy("id").limit(most).execute(),
    notesAfter: (env_id: number, thread_id: string, after: string, most: number): Promise<ThreadNoteRow[]> =>
      db.read
        .selectFrom("thread_notes")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("thread_id", "=", thread_id)
        .where("id", ">", after)
        .orderBy("id")
        .limit(most)
        .execute(),
    eventsAfter: (env_id: number, contact_id: string, after: string, most: number): Promise<EventRow[]> =>
      of.events(env_id, contact_id).selectAll().where("id", ">", after).orderBy("id").limit(most).execute(),
    enrollmentsAfter: (env_id: number, contact_id: string, after: string, most: number): Promise<EnrollmentRow[]> =>
      of.enrollments(env_id, contact_id).selectAll().where("id", ">", after).orderBy("id").limit(most).execute(),
    /** Looks into each broadcast of the environment, for which there is no index by contact. */
    receivedAfter: (env_id: number, contact_id: string, after: string, most: number): Promise<ReceivedRow[]> =>
      db.slowly(
        db.read
          .selectFrom("broadcasts as b")
          .innerJoin("broadcast_recipients as r", (join) => join.onRef("r.env_id", "=", "b.env_id").onRef("r.broadcast_id", "=", "b.id"))
          .leftJoin("messages as m", (join) => join.onRef("m.env_id", "=", "r.env_id").onRef("m.id", "=", "r.message_id"))
          .selectAll("r")
          .select(["b.id", "b.name", "m.sent_at", "m.error_code"])
          .where("b.env_id", "=", env_id)
          .where("b.id", ">", after)
          .where("r.contact_id", "=", contact_id)
          .orderBy("b.id")
          .limit(most),
      ),
    auditAfter: (env_id: number, contact_id: string, after: string, most: number): Promise<AuditRow[]> =>
      of.audit(env_id, contact_id).selectAll().where("id", ">", after).orderBy("id").limit(most).execute(),
    suppressionsOf: (env_id: number, recipient: string): Promise<SuppressionRow[]> =>
      db.read.selectFrom("suppressions").selectAll().where("env_id", "=", env_id).where("recipient", "=", recipient).execute(),
  };
}

export type { AuditRow, ContactRow, EnrollmentRow, EventRow, MessageRow, SuppressionRow, ThreadNoteRow, ThreadRow };
export type ActivityStore = ReturnType<typeof createActivityStore>;
