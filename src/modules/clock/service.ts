import { toTime } from "#src/core/clock.ts";
import { durationMs, parseDuration } from "#src/core/duration.ts";
import type { DueSource } from "#src/core/due-source.ts";
import { AppError, invalidField } from "#src/core/errors.ts";
import type { MovedClock } from "#src/core/moved-clock.ts";
import type { Principal } from "#src/core/principal.ts";
import { readTime } from "#src/core/time-field.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import { ADVANCE_OPERATION, ADVANCE_TASK, type AdvanceClock, type MoveParams, type TestClock } from "./model.ts";
import type { ClockStore } from "./store.ts";

/** One move goes so far at most. */
const MOVE_MS_MAX = 400 * 86_400_000;

/** A move takes the scopes of the sends that it sets going. */
const scopes = { read: "read:messages", write: "write:messages" } as const;

interface Needs {
  store: ClockStore;
  clock: MovedClock;
  sources: readonly DueSource[];
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  /** Whether a long job has not ended. @param tx null reads the last committed snapshot */
  isRunning(tx: Tx | null, env_id: number, job_id: string): Maybe<boolean>;
  /** Tells the other programs on this database to look for work. */
  ring(): void;
}

type Asker = Pick<Principal, "env_id" | "mode">;

export type ClockService = ReturnType<typeof createClockService>;

/** The time of test environments: it can be moved ahead, and everything that falls due on the way happens. */
export function createClockService({ store, clock, sources, createTask, isRunning, ring }: Needs) {
  /** Follows what is on disk: only ever ahead, and whoever waits for a time in this process is told. */
  function follow(env_id: number, offset_ms: number): void {
    const by_ms = offset_ms - clock.offset(env_id);
    if (by_ms <= 0) return;
    clock.move(env_id, offset_ms);
    for (const source of sources) source.moved(env_id, by_ms);
  }

  async function running(tx: Tx | null, env_id: number, job_id: string | null): Promise<string | null> {
    return job_id !== null && (await isRunning(tx, env_id, job_id)) ? job_id : null;
  }

  function catchUp(tx: Tx, env_id: number): Maybe<void> {
    const take = (row: { offset_ms: number } | undefined) => void (row !== undefined && follow(env_id, row.offset_ms));
    const row = store.offset(tx, env_id);
    return row instanceof Promise ? row.then(take) : take(row);
  }

  return {
    /** @throws AppError `forbidden` for a live environment, whose time nobody moves */
    async get({ env_id, mode }: Asker): Promise<TestClock> {
      checkTest(mode);
      const row = await store.find(env_id);
      const offset_ms = row?.offset_ms ?? 0;
      return { now: toTime(clock.now() + offset_ms), offset_ms, moving: await running(null, env_id, row?.job_id ?? null) };
    },

    /**
     * Begins to move the environment's clock.
     * @returns the job that does it
     * @throws AppError `forbidden` for a live environment, `validation_error`, `conflict` while it is being moved
     */
    async advance(tx: Tx, { env_id, mode }: Asker, ask: AdvanceClock): Promise<Task> {
      checkTest(mode);
      const row = await store.take(tx, env_id, clock.now());
      const from = clock.now() + row.offset_ms;
      const to = readTarget(ask, from);
      const other = await running(tx, env_id, row.job_id);
      if (other !== null) throw new AppError("conflict", `The clock is being moved already, by ${other}: wait for it, or cancel it.`);
      const params: MoveParams = {
        ...{ from, to, place: await store.newest(tx, env_id), deliveries: await store.deliveries(tx, env_id, from) },
      };
      const task = await createTask(tx, env_id, { kind: ADVANCE_TASK, scopes, params, total: Math.ceil((to - from) / 1_000) });
      await store.set(tx, env_id, { job_id: task.id });
      return task;
    },

    /** A step of a move is about to be committed: time here follows at once after it, that of other copies when they hear of it. */
    arrive(tx: Tx, env_id: number, offset_ms: number): void {
      tx.afterCommit(() => {
        follow(env_id, offset_ms);
        ring();
      });
    },

    /**
     * Makes sure that a write goes by the time that is on disk, and that nobody moves it meanwhile: what it plans would else be due
     * too late, by a move that it has not heard of.
     */
    heed(tx: Tx, { env_id, mode }: Asker, operation: string): Maybe<void> {
      // A request to move it takes the row for itself: two that share it would wait for each other.
      if (mode === "test" && operation !== ADVANCE_OPERATION) return catchUp(tx, env_id);
    },

    /** As `heed`, for whoever works in any environment by its time. */
    catchUp,

    /** Reads how far all environments are: at the start, and when another copy may have moved one. */
    async reload(): Promise<void> {
      for (const { env_id, offset_ms } of await store.all()) follow(env_id, offset_ms);
    },
  };
}

function checkTest(mode: Principal["mode"]): void {
  if (mode !== "test") throw new AppError("forbidden", "The time of a live environment is real: only a test environment's can be moved.");
}

/** @param now the environment's (ms) @returns the time to move to (ms) @throws AppError `validation_error` */
function readTarget({ advance, to }: AdvanceClock, now: number): number {
  if ((advance === undefined) === (to === undefined))
    throw invalidField("advance", advance === undefined ? "required" : "not_allowed", "Give either advance, such as 3d, or to, a time.");
  const field = advance === undefined ? "to" : "advance";
  const target = advance === undefined ? readTime("to", to!) : now + durationMs(parseDuration(advance)!);
  if (target <= now)
    throw invalidField(field, "too_small", `The clock only goes ahead: it is ${toTime(now)} there, and ${to} is not later.`, to);
  if (target - now > MOVE_MS_MAX) throw invalidField(field, "too_large", "One move goes 400 days ahead at most.", advance ?? to);
  return target;
}
