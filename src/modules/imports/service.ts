import type { Clock } from "#src/core/clock.ts";
import { csvRecord, guardFormula } from "#src/core/csv.ts";
import { AppError, notFound } from "#src/core/errors.ts";
import { newId } from "#src/core/ids.ts";
import type { Page } from "#src/core/page.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import { IMPORT_TASK, SAMPLES_MAX } from "./kind.ts";
import type { ImportAsk, ImportFormat, ImportParams, ImportTarget, Place, Sample } from "./model.ts";
import { receive } from "./receive.ts";
import { readHeader } from "./records.ts";
import type { ImportStore } from "./store.ts";
import { KEPT_MS, sweepNow } from "./sweep.ts";
import { UNDO_TASK } from "./undo.ts";

const scopes = { read: "read:contacts", write: "write:contacts" } as const;
const START: Place = { seq: 0, at: 0, line: 1 };

interface Needs {
  store: ImportStore;
  target: ImportTarget;
  clock: Clock;
  enqueue: Enqueue;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
  /** The database's `write`. */
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

/** A file that was taken in whole, and that nothing has been made of yet. */
export interface Upload {
  env_id: number;
  /** Of its bytes: equal files have equal ones. */
  digest: string;
  params: ImportParams;
}

/** Who asks, and under which name it is noted. */
interface Actor {
  env_id: number;
  actor: string;
}

export type ImportService = ReturnType<typeof createImportService>;

export function createImportService({ store, target, clock, enqueue, createTask, audit, write }: Needs) {
  /** What the beginning of the file tells. @throws AppError `validation_error`, `bad_request` */
  async function readFirst(env_id: number, { format, mapping }: ImportAsk, text: string) {
    if (format === "ndjson") {
      await target.checkMapping(env_id, mapping);
      return { begin: START, dialect: null, columns: [] };
    }
    const { header, dialect, begin } = readHeader(text, true);
    return { begin, dialect, columns: await target.columns(env_id, header, mapping) };
  }

  async function drop(env_id: number, import_id: string): Promise<void> {
    await write(async (tx) => {
      await store.set(tx, env_id, import_id, { touched_at: 0 });
      enqueue(tx, sweepNow(import_id, clock.now()));
    });
  }

  return {
    /**
     * Takes a file in, in whatever time it needs, and looks at its columns. All of it is durable then.
     * @throws AppError `validation_error` for a column that is nothing or an empty file, `bad_request` for what is not UTF-8 or
     * broke off; then nothing of it stays
     */
    async receive(env_id: number, body: AsyncIterable<Uint8Array>, ask: ImportAsk): Promise<Upload> {
      const import_id = newId("imp", clock.now());
      let first: Awaited<ReturnType<typeof readFirst>> | undefined;
      try {
        const { chunks, rows, digest } = await receive(body, ask.format, {
          async first(text) {
            first = await readFirst(env_id, ask, text);
            const row = {
              env_id,
              id: import_id,
              job_id: null,
              dry_run: Number(ask.dry_run),
              undo_job_id: null,
              touched_at: clock.now(),
              ended_at: null,
            };
            await write((tx) => store.insert(tx, row));
          },
          keep: (seq, data) => write((tx) => store.addChunk(tx, { env_id, import_id, seq, data }, clock.now())),
        });
        return { env_id, digest, params: { ...ask, ...first!, import_id, chunks, rows } };
      } catch (error) {
        // Where that fails too, the hourly sweep finds it: what went wrong first is what to tell.
        if (first !== undefined) await drop(env_id, import_id).catch(() => undefined);
        throw error;
      }
    },

    /** Begins to import what was received. @returns the long job */
    async start(tx: Tx, { env_id, actor }: Actor, { params }: Upload): Promise<Task> {
      const task = await createTask(tx, env_id, { kind: IMPORT_TASK, scopes, params, total: params.rows });
      await store.set(tx, env_id, params.import_id, { job_id: task.id });
      const { mode, dry_run, format, rows } = params;
      audit(tx, env_id, { actor, operation: "imports.create", subject: task.id, before: null, after: { mode, dry_run, format, rows } });
      return task;
    },

    /** Has an upload removed of which nothing was made. */
    drop: ({ env_id, params }: Upload): Promise<void> => drop(env_id, params.import_id),

    /**
     * Begins to take an import back: whom it made and nobody has changed since is removed, and what it changed is as it was,
     * wherever it still is as the import left it. Within 30 days, once.
     * @returns the long job
     * @throws AppError `not_found`, `conflict` for one that runs, was a dry run, is undone, or ended too long ago
     */
    async undo(tx: Tx, { env_id, actor }: Actor, job_id: string): Promise<Task> {
      const row = await store.lock(tx, env_id, job_id);
      if (row === undefined) throw notFound("import");
      if (row.ended_at === null)
        throw new AppError("conflict", "The import has not ended: wait for it, or cancel it and undo what it has done.");
      if (row.dry_run === 1) throw new AppError("conflict", "It was a dry run: there is nothing to undo.");
      if (row.undo_job_id !== null) throw new AppError("conflict", `The import is undone already, by the job ${row.undo_job_id}.`);
      if (row.ended_at < clock.now() - KEPT_MS) throw new AppError("conflict", "The import ended more than 30 days ago.");
      const total = await store.weigh(tx, env_id, row.id);
      const task = await createTask(tx, env_id, { kind: UNDO_TASK, scopes, params: { import_id: row.id, total }, total });
      await store.set(tx, env_id, row.id, { undo_job_id: task.id });
      audit(tx, env_id, { actor, operation: "imports.undo", subject: job_id, before: null, after: { job_id: task.id } });
      return task;
    },

    /**
     * The rows that an import has refused, up to 10,000 of them, in the order of their lines.
     * @throws AppError `not_found`, also 30 days after its end
     */
    async report(env_id: number, job_id: string, format: ImportFormat): Promise<string> {
      const row = await store.find(env_id, job_id);
      if (row === undefined) throw notFound("import");
      const failures = (await store.failures(env_id, row.id)).map(({ line, code, field, message }) => ({ line, code, field, message }));
      if (format === "ndjson") return failures.map((failure) => `${JSON.stringify(failure)}\n`).join("");
      const cells = failures.map(({ line, code, field, message }) => [
        String(line),
        code,
        guardFormula(field ?? ""),
        guardFormula(message),
      ]);
      return [["line", "code", "field", "message"], ...cells].map(csvRecord).join("");
    },

    /** What a dry run would have changed: its first differences. @throws AppError `not_found`, also 30 days after its end */
    async sample(env_id: number, job_id: string): Promise<Page<Sample>> {
      const row = await store.find(env_id, job_id);
      if (row === undefined) throw notFound("import");
      const shown = row.dry_run === 1 ? await store.changesBefore(env_id, row.id, Number.MAX_SAFE_INTEGER, SAMPLES_MAX) : [];
      const items = shown.toReversed().map(({ data, contact_id }) => ({ ...(JSON.parse(data!) as Sample), contact_id }));
      return { items, total: items.length, limit: SAMPLES_MAX, offset: 0, has_more: false, next_cursor: null };
    },
  };
}
