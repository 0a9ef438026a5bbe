import { type Clock, toTime } from "#src/core/clock.ts";
import type { DueSource, Move } from "#src/core/due-source.ts";
import type { Tx } from "#src/core/tx.ts";
import type { RunningTask, Step, TaskKind } from "#src/modules/tasks/model.ts";
import { ADVANCE_TASK, type Deliveries, type MoveParams, type MoveState } from "./model.ts";
import type { ClockStore } from "./store.ts";

/** For so long one step waits for everything that is due to come to rest; then it is taken up anew. */
const PATIENCE_MS = 2_000;
/** Most things rest after some turns of the event loop; past so many looks there is a pause before each, doubled each time. */
const LOOKS_AT_ONCE = 64;
const LOOK_MS = 1;
const LOOK_MS_MAX = 32;

type Task = RunningTask<MoveParams, MoveState>;

/** What has happened since the last step; null while something is under way. */
type Happened = Pick<MoveState, "place" | "events" | "deliveries"> | null;

interface Needs {
  store: ClockStore;
  clock: Clock;
  sources: readonly DueSource[];
  /** Tells the other programs on this database to look for work. */
  ring(): void;
  /** The environment is ahead by so much from now on, here and in all other copies. */
  arrive(tx: Tx, env_id: number, offset_ms: number): void;
}

/** Moves an environment's clock from one thing that falls due to the next, and lets each come to rest before it goes on. */
export function advanceKind({ store, clock, sources, ring, arrive }: Needs): TaskKind<MoveParams, MoveState, Happened> {
  const toMove = ({ env_id, id }: Task): Move => ({ env_id, now: clock.now(), job_id: id });

  async function areQuiet(task: Task): Promise<boolean> {
    for (const source of sources) if (!(await source.isQuiet(toMove(task)))) return false;
    return true;
  }

  /** Looked at one after another, an enrollment may become a message between the two looks: so twice, while nothing has happened. */
  async function isQuiet(task: Task): Promise<boolean> {
    const before = await store.newest(null, task.env_id);
    if (!(await areQuiet(task)) || !(await areQuiet(task))) return false;
    const after = await store.newest(null, task.env_id);
    return before.tx_id === after.tx_id && before.seq === after.seq;
  }

  async function rests(task: Task, signal: AbortSignal): Promise<boolean> {
    const until = clock.now() + PATIENCE_MS;
    for (let looks = 1, ms = LOOK_MS; !(await isQuiet(task)); looks++) {
      if (signal.aborted) return false;
      if (clock.now() >= until) {
        // Should another copy have missed that something is due by now.
        ring();
        return false;
      }
      if (looks <= LOOKS_AT_ONCE) await new Promise<void>((resolve) => setImmediate(resolve));
      else {
        await new Promise<void>((resolve) => clock.at(clock.now() + ms, resolve));
        ms = Math.min(ms * 2, LOOK_MS_MAX);
      }
    }
    return true;
  }

  async function countOn({ env_id, params, state }: Task): Promise<NonNullable<Happened>> {
    const place = await store.newest(null, env_id);
    const events = { ...state.events };
    for (const { type, count } of await store.events(env_id, state.place, place)) events[type] = (events[type] ?? 0) + count;
    return { place, events, deliveries: minus(await store.deliveries(null, env_id, params.from), params.deliveries) };
  }

  /** To the next thing that falls due, or to the end. @returns by how much (ms) */
  async function moveOn(tx: Tx, task: Task, offset_ms: number): Promise<number> {
    const move = toMove(task);
    let at = task.params.to - offset_ms;
    for (const source of sources) at = Math.min(at, (await source.nextAt(tx, move)) ?? at);
    const by_ms = Math.max(0, at - move.now);
    if (by_ms === 0) return 0;
    await store.set(tx, move.env_id, { offset_ms: offset_ms + by_ms, updated_at: move.now });
    for (const source of sources) await source.shift(tx, move, by_ms);
    arrive(tx, move.env_id, offset_ms + by_ms);
    return by_ms;
  }

  return {
    kind: ADVANCE_TASK,
    begin: ({ from, place }) => ({
      from,
      at: from,
      steps: 0,
      place,
      events: {},
      deliveries: { attempts: 0, delivered: 0, dead_letters: 0 },
    }),
    prepare: async (task, signal) => ((await rests(task, signal)) ? countOn(task) : null),
    async apply(tx, task, happened): Promise<Step<MoveState>> {
      const { env_id, params, state } = task;
      const row = await store.hold(tx, env_id);
      if (happened === null || row === undefined) return { kind: "more", state, progress: progressOf(params, state.at) };
      const at = clock.now() + row.offset_ms;
      if (at >= params.to) return { kind: "done", state: { ...state, ...happened, at: params.to }, progress: progressOf(params, at) };
      const by_ms = await moveOn(tx, task, row.offset_ms);
      const after = { ...state, ...happened, at: at + by_ms, steps: state.steps + (by_ms > 0 ? 1 : 0) };
      return { kind: "more", state: after, progress: progressOf(params, after.at) };
    },
    result: resultOf,
  };
}

/** In seconds. */
function progressOf({ from, to }: MoveParams, at: number) {
  const total = Math.ceil((to - from) / 1_000);
  return { done: Math.min(total, Math.floor((at - from) / 1_000)), total };
}

function resultOf({ from, at, steps, events, deliveries }: MoveState): object {
  const { "message.sent": sent = 0, "message.failed": failed = 0 } = events;
  return { from: toTime(from), to: toTime(at), steps, sent, failed, deliveries, events };
}

function minus(a: Deliveries, b: Deliveries): Deliveries {
  return { attempts: a.attempts - b.attempts, delivered: a.delivered - b.delivered, dead_letters: a.dead_letters - b.dead_letters };
}
