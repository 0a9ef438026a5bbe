import type { Scope } from "#src/core/principal.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import type { Terminal } from "./command.ts";
import type { Data } from "./open-data.ts";

/** Between two looks at how far it is, which are also the lines of progress. */
const LOOK_EVERY_MS = 200;
/** When nothing has moved for so long, no `serve` is at work, and the command does the next steps itself. */
const STILL_MS = 1_000;
const STEPPED = "stepped";
const BAR_LENGTH = 30;
const clear = "\r\x1b[K";

interface Told {
  /** What lets it be read. */
  scope: Scope;
  /** What it is, at the beginning of a sentence. */
  what: string;
  /** What there is so and so much of. */
  unit: string;
}

/** Waits for a long job, and does its steps where nobody else does. @returns the job once it has ended */
export async function followTask(terminal: Terminal, { services }: Data, env_id: number, id: string, told: Told): Promise<Task> {
  const asker = { env_id, scopes: new Set([told.scope]) };
  const words = `${told.what} goes on as job ${id} wherever posthouse serve runs. GET /v1/jobs/${id} shows it, POST /v1/jobs/${id}/cancel ends it.\n`;
  const unheed = terminal.onBreak?.(() => terminal.err(`${terminal.isTerminal ? clear : ""}${words}`));
  const { signal } = new AbortController();
  try {
    let [seen, movedAt] = ["", performance.now()];
    for (;;) {
      const task = await services.tasks.get(asker, id);
      if (task.finished_at !== null) return task;
      if (terminal.isTerminal) terminal.err(clear + barOf(task, told.unit));
      const now = `${task.status} ${task.progress.done}`;
      // As long as nobody else is seen at work, the next steps are ours too.
      if (now !== seen && seen !== STEPPED) movedAt = performance.now();
      seen = now;
      if (performance.now() - movedAt < STILL_MS) await Bun.sleep(LOOK_EVERY_MS);
      else if (await services.runTask(env_id, id, signal)) seen = STEPPED;
    }
  } finally {
    unheed?.();
    if (terminal.isTerminal) terminal.err(clear);
  }
}

function barOf({ progress: { done, total } }: Task, unit: string): string {
  if (total === null || total === 0) return `${done} ${unit}`;
  const part = Math.min(1, done / total);
  const full = Math.round(part * BAR_LENGTH);
  return `[${"#".repeat(full)}${"-".repeat(BAR_LENGTH - full)}] ${Math.floor(part * 100)} %, ${done} of ${total} ${unit}`;
}
