import type { Database } from "#db/database.ts";
import { fromValidation } from "#plugins/errors/problem.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import { readValue } from "#src/modules/contacts/field-values.ts";
import type { Channel } from "#src/modules/messages/channel.ts";
import { contentFaults } from "#src/modules/messages/content-form.ts";
import { createEnrollmentStore } from "#src/modules/sequences/enrollments-sql.ts";
import type { SequenceStatus } from "#src/modules/sequences/model.ts";
import { createReferences, type Places } from "#src/modules/sequences/references.ts";
import { createSequenceService, type Enrollments, type SequenceService } from "#src/modules/sequences/service.ts";
import { createSequenceStore } from "#src/modules/sequences/store.ts";
import type { TemplateService } from "#src/modules/templates/service.ts";
import { createEnrolling } from "./enrolling.ts";
import type { createFiling } from "./filing.ts";
import { createPool } from "./pool.ts";

type EnrollingNeeds = Parameters<typeof createEnrolling>[0];

interface Needs extends Omit<EnrollingNeeds, "accounts"> {
  db: Database;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: Parameters<typeof createPool>[0]["accounts"];
  reach: Parameters<typeof createPool>[0]["reach"];
  files: Pick<ReturnType<typeof createFiling>["service"], "reserve" | "release">;
  templates: TemplateService;
  fields: Places["fields"];
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** A sequence can send a file at any time: 9999-12-31, in ms. */
const ALWAYS = 253_402_214_400_000;
/** How long files of an archived one stay: messages with them may be scheduled. */
const AFTERWARDS_MS = 366 * 86_400_000;

/** Sequences: what they are, what they look up of all else, and who is in them. */
export function createSequencing({ channels, accounts, reach, files, templates, fields, audit, ...needs }: Needs) {
  const { db, clock, segments, appendEvent } = needs;
  const { following, loop, ...enrolling } = createEnrolling({ ...needs, accounts: createPool({ accounts, reach }) });
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
    releaseFile: (tx, env_id, id) => files.release(tx, env_id, id, clock.now() + AFTERWARDS_MS),
    sequenceStatus: async (tx, env_id, id) => (await store.status(tx, env_id, id))?.status as SequenceStatus | undefined,
  });
  const kept = createEnrollmentStore(db, clock);
  const enrollments: Enrollments = {
    ...kept,
    async resumed(tx, ...which) {
      await kept.resumed(tx, ...which);
      tx.afterCommit(loop.wake);
    },
    async archived(tx, ...which) {
      await kept.archived(tx, ...which);
      tx.afterCommit(loop.wake);
    },
  };
  const forms = { refusal: fromValidation, content: contentFaults };
  const service = createSequenceService({ ...forms, store, clock, references, enrollments, appendEvent, audit });
  const activate: SequenceService["activate"] = async (tx, author, ...which) => {
    const sequence = await service.activate(tx, author, ...which);
    await following.begin(tx, author.env_id);
    return sequence;
  };
  return {
    ...enrolling,
    loop,
    following,
    service: { ...service, activate },
    /** Others may have written anything. */
    rescan() {
      loop.wake();
      following.rescan();
    },
  };
}
