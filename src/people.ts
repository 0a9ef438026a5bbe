import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import { auditedContacts } from "#src/modules/contacts/audited.ts";
import { createContactExport } from "#src/modules/contacts/export.ts";
import { indexedOf, readValue } from "#src/modules/contacts/field-values.ts";
import { createContactMerging } from "#src/modules/contacts/merging.ts";
import { createContactService } from "#src/modules/contacts/service.ts";
import { createContactStore } from "#src/modules/contacts/store.ts";
import { createDuplicateService } from "#src/modules/duplicates/service.ts";
import { createDuplicateStore } from "#src/modules/duplicates/store.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import { forgetJob } from "#src/modules/fields/job.ts";
import { createFieldService } from "#src/modules/fields/service.ts";
import { createFieldStore } from "#src/modules/fields/store.ts";
import { moveJob } from "#src/modules/merges/job.ts";
import { createMergeService } from "#src/modules/merges/service.ts";
import { createMergeStore } from "#src/modules/merges/store.ts";
import { scoringJobs } from "#src/modules/scoring/job.ts";
import { createScorer } from "#src/modules/scoring/scorer.ts";
import { createScoringService } from "#src/modules/scoring/service.ts";
import { createScoringStore } from "#src/modules/scoring/store.ts";
import { fieldConditions } from "#src/modules/segments/tree.ts";
import { createFieldUse } from "#src/modules/sequences/field-use.ts";
import { createSequenceStore } from "#src/modules/sequences/store.ts";
import { createTagService } from "#src/modules/tags/service.ts";
import { createTagStore } from "#src/modules/tags/store.ts";
import { createSegmenting } from "./segmenting.ts";

interface Needs {
  db: Database;
  clock: Clock;
  enqueue: Enqueue;
  /** Whether no request has written for a while. */
  isQuiet(): boolean;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Contacts and all that is made of them: fields, tags, scores, segments, merges. */
export function createPeople({ db, clock, enqueue, isQuiet, appendEvent, audit }: Needs) {
  const store = createContactStore(db);
  const fieldStore = createFieldStore(db);
  const checkUnnamed = createFieldUse({ store: createSequenceStore(db), conditionsOf: fieldConditions });
  const fields = createFieldService({
    ...{ store: fieldStore, clock, enqueue, checkUnnamed },
    async checkUnused(tx, env_id, field, options) {
      await segments.checkUnused(tx, env_id, field, options);
      await checkUnnamed(tx, env_id, field.key, options);
    },
  });
  const fieldSource = { definitions: fields.definitions, addValue: fieldStore.addValue, removeValue: fieldStore.removeValue };
  const mergeStore = createMergeStore(db);
  const scoringStore = createScoringStore(db);
  const fieldValues = { definitions: fields.definitions, read: readValue, indexed: indexedOf };
  const scorer = createScorer({ store: scoringStore, clock, fields: fieldValues, appendEvent, merged: mergeStore.rowsInto });
  const segmentSource = { condition: (env_id: number, id: string) => segments.condition(env_id, id) };
  const contacts = createContactService({
    ...{
      store,
      clock,
      appendEvent,
      fields: fieldSource,
      scoring: scorer,
      segments: segmentSource,
      survivorOf: (...args) => mergeStore.survivorOf(...args),
    },
  });
  const segments = createSegmenting({ db, clock, contacts: store, fields: fieldSource, audit });
  const merging = createContactMerging({ store, clock, fields: fieldSource });
  return {
    contacts,
    /** As requests use them: what they change is audited. */
    requested: auditedContacts(contacts, audit),
    store,
    fields,
    fieldSource,
    mergeStore,
    scorer,
    segments,
    exportContacts: createContactExport({ store, fields: fieldSource, segments: segmentSource, isQuiet }),
    scoring: createScoringService({ store: scoringStore, clock, fields: fieldValues, enqueue, audit }),
    tags: createTagService({ store: createTagStore(db) }),
    merges: createMergeService({ store: mergeStore, clock, contacts: merging, enqueue, appendEvent, audit }),
    duplicates: createDuplicateService({ store: createDuplicateStore(db), present: contacts.present }),
    jobs: [
      forgetJob({ forget: fieldStore.forgetValues, write: db.write }),
      ...scoringJobs({ forgetRule: scoringStore.forgetRule, removeFaded: scoringStore.removeFaded, write: db.write, clock }),
      moveJob({ store: mergeStore, write: db.write }),
    ],
  };
}
