import { type Clock, toTime } from "#src/core/clock.ts";
import { madeAt } from "#src/core/ids.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";
import { type FileFolder, nameOf } from "./model.ts";
import type { FileStore } from "./store.ts";

const SWEEP_JOB = "files.sweep";
/** Uploads that no message and nobody else has used for so long are removed. */
const UNUSED_MS_MAX = 30 * 24 * 3_600_000;
/** The row of what is younger may still be on its way. */
const ORPHAN_MS_MIN = 3_600_000;
/** A large file, or a slow one, comes in for hours. */
const PART_MS_MIN = 24 * 3_600_000;
const UNUSED_AT_A_TIME = 200;

interface Needs {
  store: FileStore;
  clock: Clock;
  folder: FileFolder;
  trim(): Promise<void>;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

/** Removes uploads that are not used any more, what is too much in the cache, and bytes that belong to no file. */
export function sweepFiles({ store, clock, folder, trim, write }: Needs): JobKind<null, null> {
  async function removeUnused(signal: AbortSignal): Promise<void> {
    for (;;) {
      const before = clock.now() - UNUSED_MS_MAX;
      const rows = await store.unusedSince(before, UNUSED_AT_A_TIME);
      for (const row of rows) {
        if (signal.aborted) return;
        const isUnused = await write(async (tx) => {
          const now = await store.lock(tx, row.env_id, row.id);
          if (now === undefined || now.used_at >= before) return false;
          await store.remove(tx, row);
          return true;
        });
        if (isUnused) await folder.remove(nameOf(row));
      }
      if (rows.length < UNUSED_AT_A_TIME) return;
    }
  }

  /** Never of what is not a name of ours: that is somebody else's. */
  const isOlder = (id: string, ms: number) => (madeAt(id) ?? Infinity) < clock.now() - ms;

  async function removeOrphans(signal: AbortSignal): Promise<void> {
    for (const part of await folder.parts()) if (isOlder(part, PART_MS_MIN)) await folder.removePart(part);
    for await (const name of folder.names()) {
      if (signal.aborted) return;
      const [env_id, id = ""] = name.split(".");
      if (!isOlder(id, ORPHAN_MS_MIN)) continue;
      const row = await store.get(null, Number(env_id), id);
      if (row === undefined || row.stored_at === null) await folder.remove(name);
    }
  }

  return {
    kind: SWEEP_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(() => ({ ready: null })),
    async run(_nothing, signal) {
      await removeUnused(signal);
      await trim();
      await removeOrphans(signal);
      return null;
    },
    end: (_tx, runs) => runs.map(() => ({ kind: "done" })),
  };
}

/** The job of one hour: the same on every copy, so that one of them does it. Belongs to no environment. */
export function sweepFilesAt(now: number): NewJob {
  return {
    ...{ env_id: 0, id: `${SWEEP_JOB}.${toTime(now).slice(0, 13)}`, kind: SWEEP_JOB },
    ...{ lane: null, chat: null, run_at: now, payload: "", eta: null },
  };
}
