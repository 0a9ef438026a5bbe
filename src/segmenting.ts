import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import { indexedText, readIndexed } from "#src/modules/contacts/field-values.ts";
import type { FieldSource } from "#src/modules/contacts/fields.ts";
import { createMatching } from "#src/modules/contacts/matching.ts";
import type { ContactStore } from "#src/modules/contacts/store.ts";
import { createSegmentService } from "#src/modules/segments/service.ts";
import { createSegmentStore } from "#src/modules/segments/store.ts";

interface Needs {
  db: Database;
  clock: Clock;
  contacts: ContactStore;
  fields: FieldSource;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Segments: a part of the services that stands on contacts and their fields. */
export function createSegmenting({ db, clock, contacts, fields, audit }: Needs) {
  return createSegmentService({
    store: createSegmentStore(db),
    clock,
    fields: fields.definitions,
    fieldValues: { read: readIndexed, fold: indexedText },
    matching: createMatching({ store: contacts, fields }),
    audit,
  });
}
