import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { ContactService } from "./service.ts";

type RecordEntry = (tx: Tx, env_id: number, entry: NewAuditEntry) => void;

/** Contacts as single requests change them: who did it is written down. Batches have the event log. */
export function auditedContacts(contacts: ContactService, record: RecordEntry): ContactService {
  return {
    ...contacts,
    /** As the service's own, and audited. */
    async upsert(tx, writer, input) {
      const done = await contacts.upsert(tx, writer, input);
      const { contact, before } = done;
      const entry = { actor: writer.actor, operation: "contacts.upsert", subject: contact.id, after: contact };
      record(tx, writer.env_id, { ...entry, before: before() });
      return done;
    },
    /** As the service's own, and audited. */
    async patch(tx, writer, ref, input, check) {
      let before: object = {};
      const after = await contacts.patch(tx, writer, ref, input, (current) => {
        before = current;
        check(current);
      });
      record(tx, writer.env_id, { actor: writer.actor, operation: "contacts.patch", subject: after.id, before, after });
      return after;
    },
    /** As the service's own, and audited. */
    async remove(tx, writer, ref, check) {
      let before = { id: ref };
      await contacts.remove(tx, writer, ref, (current) => {
        before = current as typeof before;
        check(current);
      });
      record(tx, writer.env_id, { actor: writer.actor, operation: "contacts.delete", subject: before.id, before, after: null });
    },
  };
}
