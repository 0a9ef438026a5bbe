import type { Database } from "#db/database.ts";
import { fromValidation } from "#plugins/errors/problem.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import { readValue } from "#src/modules/contacts/field-values.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { Channel } from "#src/modules/messages/channel.ts";
import { contentFaults } from "#src/modules/messages/content-form.ts";
import type { SegmentService } from "#src/modules/segments/service.ts";
import { createEnrollmentStore } from "#src/modules/sequences/enrollments-sql.ts";
import type { SequenceStatus } from "#src/modules/sequences/model.ts";
import { createReferences, type Places } from "#src/modules/sequences/references.ts";
import { createSequenceService } from "#src/modules/sequences/service.ts";
import { createSequenceStore } from "#src/modules/sequences/store.ts";
import type { TemplateService } from "#src/modules/templates/service.ts";
import type { createAccounts } from "./accounts.ts";
import type { createFiling } from "./filing.ts";

interface Needs {
  db: Database;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: Pick<ReturnType<typeof createAccounts>["service"], "row">;
  files: Pick<ReturnType<typeof createFiling>["service"], "reserve">;
  templates: TemplateService;
  segments: SegmentService;
  fields: Places["fields"];
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** A sequence can send a file at any time: 9999-12-31, in ms. */
const ALWAYS = 253_402_214_400_000;

/** Sequences: what they are, and what they look up of all else. */
export function createSequencing({ db, clock, channels, accounts, files, templates, segments, fields, appendEvent, audit }: Needs) {
  const store = createSequenceStore(db);
  const references = createReferences({
    templateLacks: templates.lacking,
    hasSegment: segments.has,
    checkFilter: segments.checkFilter,
    fields,
    readValue,
    async account(tx, env_id, id) {
      const row = await accounts.row(tx, env_id, id);
      if (row === undefined || row.deleted_at !== null) return undefined;
      const lacksButtons = channels.get(row.kind)?.lacksButtons === true;
      return { kind: row.kind, isUsable: row.status === "connected", lacksButtons };
    },
    keepFile: async (tx, env_id, id) => (await files.reserve(tx, env_id, id, ALWAYS)) !== undefined,
    sequenceStatus: async (tx, env_id, id) => (await store.status(tx, env_id, id))?.status as SequenceStatus | undefined,
  });
  const enrollments = createEnrollmentStore(db, clock);
  const forms = { refusal: fromValidation, content: contentFaults };
  return { service: createSequenceService({ ...forms, store, clock, references, enrollments, appendEvent, audit }) };
}
