import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import { createEnding } from "#src/modules/tasks/ending.ts";
import { createTaskRunner, taskJob } from "#src/modules/tasks/job.ts";
import type { TaskKind } from "#src/modules/tasks/model.ts";
import { createTaskService } from "#src/modules/tasks/service.ts";
import type { TaskStore } from "#src/modules/tasks/store.ts";

interface Needs
  extends Pick<Parameters<typeof createEnding>[0], "appendEvent">, Pick<Parameters<typeof createTaskService>[0], "enqueue" | "withdraw"> {
  db: Database;
  store: TaskStore;
  clock: Clock;
  log: Log;
  kinds: readonly TaskKind[];
}

/** The long jobs: what begins and ends them, and what takes their steps. */
export function createTasking({ db, store, clock, log, kinds: list, appendEvent, enqueue, withdraw }: Needs) {
  const kinds = new Map(list.map((kind) => [kind.kind, kind]));
  const end = createEnding({ store, clock, kinds, appendEvent });
  const running = taskJob({ store, clock, log, kinds, end, write: db.write, calm: db.calm });
  return {
    running,
    runTask: createTaskRunner({ running, clock, write: db.write }),
    tasks: createTaskService({ store, clock, kinds, end, enqueue, withdraw }),
  };
}
