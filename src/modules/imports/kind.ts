import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import { findBadText, isNestedDeeper } from "#src/core/json.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { RunningTask, Step, TaskKind } from "#src/modules/tasks/model.ts";
import type { ImportParams, ImportState, ImportTarget, ReadRows, Written } from "./model.ts";
import { createRecordReader, type FileRecord, type Reading } from "./records.ts";
import type { ImportStore } from "./store.ts";

export const IMPORT_TASK = "contacts.import";

/** How long a step may hold the process up, where a transaction does that: while requests write, and while none does. */
const STEP_MS = 1;
const QUIET_STEP_MS = 20;
/** Between two steps, while requests write. */
const PAUSE_MS = 6;
const ROWS_MIN = 5;
const ROWS_MAX = 1_000;
/** A row takes so long before it is known: the first step is a short one. */
const ROW_MS_FIRST = 0.1;
/** Of a step where no transaction holds anybody up. */
const ROWS_BESIDE = 250;
/** Rows that are read before others get their turn: about a millisecond. */
const ROWS_A_TURN = 25;
/** Of those that are refused; the others are counted. */
const FAILURES_KEPT_MAX = 10_000;
const MESSAGE_LENGTH_MAX = 500;
export const SAMPLES_MAX = 20;
const NESTING_MAX = 100;
/** Files that this process remembers its place in. */
const SESSIONS_MAX = 16;

/** What a process keeps of an import between two of its steps; another begins its own. */
interface Session {
  read: ReturnType<typeof createRecordReader>;
  target: Awaited<ReturnType<ImportTarget["reader"]>>;
  /** What one row takes. */
  row_ms: number;
}

interface Batch extends ReadRows {
  lines: number[];
  reading: Reading;
  /** The file can't be read any further. */
  broken: AppError | null;
}

type Task = RunningTask<ImportParams, ImportState>;

interface Needs {
  store: ImportStore;
  target: ImportTarget;
  clock: Clock;
  /** Whether no request has written for a while. */
  isQuiet(): boolean;
  /** Has what is left of the file removed. */
  sweepSoon(tx: Tx, id: string): void;
}

/** Reads a file record by record and writes what it says, some rows a step. */
export function importKind({ store, target, clock, isQuiet, sweepSoon }: Needs): TaskKind<ImportParams, ImportState, Batch> {
  const sessions = new Map<string, Session>();

  async function textOf(env_id: number, import_id: string, seq: number): Promise<string> {
    const data = await store.chunk(env_id, import_id, seq);
    if (data === undefined) throw new Error(`part ${seq} of the file ${import_id} is missing`);
    return (await Bun.zstdDecompress(data)).toString("utf8");
  }

  /** The fields that there are are looked at anew in each step. */
  async function sessionOf({ env_id, id, params }: Task): Promise<Session> {
    const { import_id, columns, mapping } = params;
    const reader = await target.reader(env_id, columns, mapping);
    const kept = sessions.get(id);
    const source = { ...params, textOf: (seq: number) => textOf(env_id, import_id, seq) };
    const session: Session = {
      row_ms: ROW_MS_FIRST,
      read: kept?.read ?? createRecordReader(source),
      ...kept,
      target: reader,
    };
    sessions.delete(id);
    sessions.set(id, session);
    const [oldest] = sessions.keys();
    if (sessions.size > SESSIONS_MAX) sessions.delete(oldest!);
    return session;
  }

  async function readAll(records: readonly FileRecord[], { read }: Session["target"], signal: AbortSignal): Promise<unknown[]> {
    const entries: unknown[] = [];
    for (const [at, record] of records.entries()) {
      if (at > 0 && at % ROWS_A_TURN === 0) await turn();
      if (signal.aborted) return entries;
      entries.push(readOne(record, read));
    }
    return entries;
  }

  function note(tx: Tx, task: Task, { lines }: Batch, { outcomes, made, changes, samples }: Written): void {
    const { env_id, params, state } = task;
    const at = { env_id, import_id: params.import_id };
    let kept = state.failed;
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.kind !== "failed" || kept++ >= FAILURES_KEPT_MAX) continue;
      const { code, message, details } = outcome.error;
      store.addFailure(tx, {
        ...at,
        line: lines[index]!,
        code,
        field: details?.[0]?.field ?? null,
        message: message.slice(0, MESSAGE_LENGTH_MAX),
      });
    }
    const nothing = { first_number: null, last_number: null, contact_id: null, data: null };
    let seq = state.changes;
    if (made !== null)
      store.addChange(tx, { ...at, ...nothing, seq: seq++, first_number: made.first, last_number: made.last, written_at: made.at });
    for (const { contact_id, written_at, changed } of changes)
      store.addChange(tx, {
        ...at,
        ...nothing,
        seq: seq++,
        contact_id,
        written_at,
        data: changed === null ? null : JSON.stringify(changed),
      });
    for (const { index, contact_id, ...sample } of samples)
      store.addChange(tx, {
        ...at,
        ...nothing,
        seq: seq++,
        contact_id,
        written_at: 0,
        data: JSON.stringify({ line: lines[index]!, ...sample }),
      });
  }

  return {
    kind: IMPORT_TASK,
    begin: ({ begin }) => ({
      place: begin,
      ...{ created: 0, updated: 0, unchanged: 0, skipped: 0, failed: 0, changes: 0, own_from: null, report: null, sample: null },
    }),

    async prepare(task, signal) {
      const session = await sessionOf(task);
      const nothing = { entries: [], known: session.target.known, lines: [] };
      try {
        const reading = await session.read(task.state.place, rowsOf(session));
        const entries = await readAll(reading.records, session.target, signal);
        // Each step has its commit, and fills the log that is begun anew while all writes wait: so most of the time is the requests'.
        if (store.holdsUp && !isQuiet()) await pause(PAUSE_MS);
        // What requests have queued meanwhile is written before the step is: none of them waits for both.
        await turn();
        await turn();
        return { ...nothing, entries, lines: reading.records.map(({ line }) => line), reading, broken: null };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "bad_request") throw error;
        return { ...nothing, reading: { records: [], next: task.state.place, done: true }, broken: error };
      }
    },

    async apply(tx, task, batch): Promise<Step<ImportState>> {
      const { env_id, id, params, state } = task;
      const begun = performance.now();
      const { import_id, mode, dry_run } = params;
      const isOwn = (tx: Tx, number: number): Maybe<boolean> =>
        state.own_from !== null && number >= state.own_from && store.hasMade(tx, env_id, import_id, number);
      const samples = dry_run ? SAMPLES_MAX - state.changes : 0;
      const written = await target.write(tx, env_id, batch, { mode, dry: dry_run, samples, isOwn });
      note(tx, task, batch, written);
      const { next, done } = batch.reading;
      if (next.seq > state.place.seq || done) store.dropChunks(tx, env_id, import_id, done ? params.chunks : next.seq);
      const after = count(task, batch, written);
      measure(id, batch.entries.length, performance.now() - begun);
      const rows = after.created + after.updated + after.skipped + after.failed;
      const step = { state: after, progress: { done: rows, total: done ? rows : Math.max(params.rows, rows) } };
      if (batch.broken !== null) return { ...step, kind: "failed", error: { code: batch.broken.code, message: batch.broken.message } };
      return { ...step, kind: done ? "done" : "more" };
    },

    result: ({ created, updated, unchanged, skipped, failed, report, sample }) => ({
      ...{ created, updated, unchanged, skipped, failed },
      ...(report === null ? {} : { report }),
      ...(sample === null ? {} : { sample }),
    }),

    async ended(tx, { env_id, id, params }, status) {
      await store.set(tx, env_id, params.import_id, { ended_at: clock.now() });
      if (status !== "done") sweepSoon(tx, params.import_id);
      sessions.delete(id);
    },
  };

  function measure(id: string, rows: number, ms: number): void {
    const session = sessions.get(id);
    if (session !== undefined && rows >= ROWS_MIN) session.row_ms += (ms / rows - session.row_ms) / 4;
  }

  function rowsOf({ row_ms }: Session): number {
    if (!store.holdsUp) return ROWS_BESIDE;
    return Math.max(ROWS_MIN, Math.min(ROWS_MAX, Math.floor((isQuiet() ? QUIET_STEP_MS : STEP_MS) / row_ms)));
  }
}

function count({ id, params, state }: Task, { reading }: Batch, { outcomes, made, changes, samples }: Written): ImportState {
  const many = (kind: string) => outcomes.filter((outcome) => outcome.kind === kind).length;
  const [failed, unchanged] = [state.failed + many("failed"), many("unchanged")];
  return {
    place: reading.next,
    created: state.created + many("created"),
    updated: state.updated + many("updated") + unchanged,
    unchanged: state.unchanged + unchanged,
    skipped: state.skipped + many("skipped"),
    failed,
    changes: state.changes + changes.length + samples.length + (made === null ? 0 : 1),
    own_from: state.own_from ?? made?.first ?? null,
    report: failed > 0 ? `/v1/imports/${id}/report` : null,
    sample: params.dry_run ? `/v1/imports/${id}/sample` : null,
  };
}

/** @returns an entry, or why the record can't be taken */
function readOne({ cells, text, fault }: FileRecord, read: Session["target"]["read"]): unknown {
  if (fault !== undefined) return new AppError("bad_request", fault);
  if (cells !== undefined) return read({ cells });
  let object: unknown;
  try {
    object = JSON.parse(text!);
  } catch {
    return new AppError("bad_request", "The line is not well-formed JSON.");
  }
  if (typeof object !== "object" || object === null || Array.isArray(object))
    return new AppError("bad_request", "The line is no JSON object.");
  if (text!.length > 2 * NESTING_MAX && isNestedDeeper(text!, NESTING_MAX))
    return new AppError("bad_request", `The line nests more than ${NESTING_MAX} levels deep.`);
  if (text!.includes("\\u") && findBadText(object) !== undefined)
    return new AppError("validation_error", "A text holds a NUL or half of a surrogate pair.");
  return read({ object: object as Record<string, unknown> });
}
