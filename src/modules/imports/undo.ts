import type { Clock } from "#src/core/clock.ts";
import type { RunningTask, Step, TaskKind } from "#src/modules/tasks/model.ts";
import type { ImportTarget } from "./model.ts";
import type { ImportStore } from "./store.ts";

export const UNDO_TASK = "contacts.import_undo";

/** Of a step: contacts that are removed, or restored. */
const REMOVED_MAX = 25;
const RESTORED_MAX = 10;

interface UndoParams {
  import_id: string;
  /** Contacts that the import has made or changed. */
  total: number;
}

interface UndoState {
  /** Changes from this one on are taken back; null before the first. */
  before: number | null;
  /** The highest number that is left of the range before it; null where none was begun. */
  last: number | null;
  removed: number;
  restored: number;
  kept: number;
}

type Changes = Awaited<ReturnType<ImportStore["changesBefore"]>>;
type Task = RunningTask<UndoParams, UndoState>;

interface Needs {
  store: ImportStore;
  target: ImportTarget;
  clock: Clock;
}

/** Takes an import back, the last of its changes first, as far as nobody has changed anything since. */
export function undoKind({ store, target }: Needs): TaskKind<UndoParams, UndoState, Changes> {
  return {
    kind: UNDO_TASK,
    begin: () => ({ before: null, last: null, removed: 0, restored: 0, kept: 0 }),
    prepare: ({ env_id, params, state }) =>
      store.changesBefore(env_id, params.import_id, state.before ?? Number.MAX_SAFE_INTEGER, RESTORED_MAX),

    async apply(tx, task, changes): Promise<Step<UndoState>> {
      const { env_id, params, state } = task;
      const [first] = changes;
      if (first === undefined) return stepOf(task, state, true);
      if (first.first_number !== null) {
        const last = state.last ?? first.last_number!;
        const from = Math.max(first.first_number, last - REMOVED_MAX + 1);
        const rewritten = await store.rewritten(tx, env_id, params.import_id, from, last);
        const { removed, kept } = await target.remove(tx, env_id, from, last, first.written_at, rewritten);
        const rest = from > first.first_number ? { last: from - 1 } : { last: null, before: first.seq };
        return stepOf(task, { ...state, ...rest, removed: state.removed + removed, kept: state.kept + kept }, false);
      }
      let [restored, kept, before] = [state.restored, state.kept, first.seq + 1];
      for (const { seq, first_number, contact_id, data } of changes) {
        if (first_number !== null) break;
        before = seq;
        // Whom the same import had made goes with the others that it made.
        if (data === null) continue;
        if (await target.restore(tx, env_id, contact_id!, JSON.parse(data) as object)) restored++;
        else kept++;
      }
      return stepOf(task, { ...state, before, restored, kept }, false);
    },

    result: ({ removed, restored, kept }) => ({ removed, restored, kept }),
    async ended(tx, { env_id, params }, status) {
      // What was not taken back can be later.
      if (status !== "done") await store.set(tx, env_id, params.import_id, { undo_job_id: null });
    },
  };
}

function stepOf({ params }: Task, state: UndoState, isDone: boolean): Step<UndoState> {
  const done = state.removed + state.restored + state.kept;
  return { kind: isDone ? "done" : "more", state, progress: { done, total: isDone ? done : Math.max(params.total, done) } };
}
