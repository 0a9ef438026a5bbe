import type { Database } from "#db/database.ts";
import { fromValidation } from "#plugins/errors/problem.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import { createBulkStore } from "#src/modules/contacts/bulk-sql.ts";
import { createContactImport } from "#src/modules/contacts/import.ts";
import { importKind } from "#src/modules/imports/kind.ts";
import type { ImportTarget } from "#src/modules/imports/model.ts";
import { createImportService } from "#src/modules/imports/service.ts";
import { createImportStore } from "#src/modules/imports/store.ts";
import { sweepImports, sweepNow } from "#src/modules/imports/sweep.ts";
import { undoKind } from "#src/modules/imports/undo.ts";
import type { NewTask, Task, TaskKind } from "#src/modules/tasks/model.ts";

type ContactNeeds = Omit<Parameters<typeof createContactImport>[0], "bulk" | "clock" | "refusal">;

interface Needs extends ContactNeeds {
  db: Database;
  clock: Clock;
  addValue: Parameters<typeof createBulkStore>[1];
  /** Whether no request has written for a while. */
  isQuiet(): boolean;
  enqueue: Enqueue;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** All of imports: a part of the services that only they use. */
export function createImporting({ db, clock, store: contacts, fields, scoring, addValue, isQuiet, enqueue, createTask, audit }: Needs) {
  const store = createImportStore(db);
  const bulk = createBulkStore(db, addValue);
  const target = createContactImport({ store: contacts, bulk, clock, fields, scoring, refusal: fromValidation }) as ImportTarget;
  const sweepSoon = (tx: Tx, id: string) => enqueue(tx, sweepNow(id, clock.now()));
  return {
    kinds: [importKind({ store, target, clock, isQuiet, sweepSoon }) as TaskKind, undoKind({ store, target, clock }) as TaskKind],
    sweepJob: sweepImports({ store, clock, write: db.write }),
    forgetContact: store.forgetContact,
    service: createImportService({ store, target, clock, enqueue, createTask, audit, write: db.write }),
  };
}
