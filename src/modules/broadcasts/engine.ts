import type { Clock } from "#src/core/clock.ts";
import { addDuration } from "#src/core/duration.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { aheadOf, type Course } from "./course.ts";
import type { createMaking, Messages } from "./making.ts";
import type { AbTest } from "./model.ts";
import { planOf } from "./present.ts";
import { recurs } from "./recurring.ts";
import type { Starting } from "./starting.ts";
import type { BroadcastStore, BroadcastWithState } from "./store.ts";
import { createTally } from "./tally.ts";
import { taken, throttled } from "./throttle.ts";
import { winnerOf } from "./variants.ts";

/** A broadcast that can't be gone on with is looked at again. */
const ASIDE_MS = 60_000;
/** What runs at this moment is looked at again. */
const AGAIN_MS = 1_000;
/** Rows of recipients that are written at once where nothing else is to be done with them. */
const MOVED_MAX = 500;

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  course: Course;
  making: ReturnType<typeof createMaking>;
  messages: Pick<Messages, "takeBack">;
  starting: Starting;
  /** Goes by the time that an environment has on disk: another copy may have moved it. */
  heed(tx: Tx, env_id: number): Maybe<void>;
}

/** Does what is due of broadcasts: each time some recipients of one. */
export function createEngine({ store, clock, course, making, messages, starting, heed }: Needs) {
  const keyOf = ({ env_id, id }: BroadcastWithState) => ({ env_id, broadcast_id: id });

  /** Makes messages, as many as the pace and those that still wait let. */
  async function run(tx: Tx, row: BroadcastWithState, now: number, most: number): Promise<number> {
    const plan = planOf(row);
    const ahead = aheadOf(plan) - row.queued;
    if (ahead <= 0) {
      // The outcome of one that waits makes it due again.
      await store.record(tx, row, { due_at: null });
      return 1;
    }
    const pace = throttled(plan.throttle, row.slot_at, clock.now(row.env_id));
    const recipients = await store.due(tx, keyOf(row), clock.now(row.env_id), Math.min(most, ahead, pace.most));
    const tally = createTally(store);
    const sums = await making.makeSome(tx, row, plan, recipients, tally);
    const state = await store.add(tx, row, sums, clock.now(row.env_id));
    tally.write(tx, row.env_id, row.id, clock.now(row.env_id));
    const slot_at = taken(pace, sums.queued);
    const firstDue = await store.firstDue(tx, keyOf(row));
    const isFull = sums.queued >= ahead;
    const due_at = firstDue === null || isFull ? null : Math.max(clock.real(row.env_id, Math.max(firstDue, slot_at)), now);
    await store.record(tx, row, { due_at, slot_at });
    if (firstDue === null && plan.ab_test !== null && row.is_noted === 1) await releaseHeld(tx, row, plan.ab_test, now);
    await course.settle(tx, row.env_id, row.id, { ...state!, due_at });
    return Math.max(1, recipients.length);
  }

  /** Once the sample has its messages: waits for what has won, and gives that to the others. */
  async function releaseHeld(tx: Tx, row: BroadcastWithState, test: AbTest, now: number): Promise<void> {
    if (!(await store.hasHeld(tx, keyOf(row)))) return;
    const { env_id, id } = row;
    const seen = clock.now(env_id);
    if (row.sample_ends_at === null || row.sample_ends_at > seen) {
      const ends_at = row.sample_ends_at ?? addDuration(seen, test.winner?.after ?? "4h", "UTC");
      return store.record(tx, row, { sample_ends_at: ends_at, due_at: clock.real(env_id, ends_at) });
    }
    const winner = row.winner ?? winnerOf(test, await store.counts(tx, env_id, id));
    await store.moveSome(tx, keyOf(row), "held", { status: "waiting", due_at: seen, variant: winner }, MOVED_MAX);
    await store.record(tx, row, { winner, due_at: now });
  }

  /** Takes back what waits of one that was paused, canceled or stopped. */
  async function takeBack(tx: Tx, row: BroadcastWithState, now: number, most: number): Promise<number> {
    const waiting = await store.waitingMessages(tx, keyOf(row), most);
    const back: string[] = [];
    const tally = createTally(store);
    for (const { contact_id, variant, message_id } of waiting) {
      if (!(await messages.takeBack(tx, row.env_id, message_id))) continue;
      back.push(contact_id);
      tally.note(variant, "withdrawn");
    }
    await store.returnSome(tx, keyOf(row), back, clock.now(row.env_id));
    tally.write(tx, row.env_id, row.id, clock.now(row.env_id));
    await store.add(tx, row, { queued: -back.length }, clock.now(row.env_id));
    if (waiting.length === most) {
      // There may be more, behind some that run at this moment.
      await store.record(tx, row, { due_at: back.length > 0 ? now : now + AGAIN_MS });
    } else if (row.status === "paused") await store.record(tx, row, { due_at: null });
    else await cancelRest(tx, row, now);
    return Math.max(1, back.length);
  }

  async function cancelRest(tx: Tx, row: BroadcastWithState, now: number): Promise<void> {
    const to = { status: "canceled", due_at: null };
    let moved = await store.moveSome(tx, keyOf(row), "waiting", to, MOVED_MAX);
    if (moved < MOVED_MAX) moved += await store.moveSome(tx, keyOf(row), "held", to, MOVED_MAX - moved);
    const state = await store.add(tx, row, { canceled: moved }, clock.now(row.env_id));
    const due_at = moved < MOVED_MAX ? null : now;
    await store.record(tx, row, { due_at });
    await course.settle(tx, row.env_id, row.id, { ...state!, due_at });
  }

  async function begin(tx: Tx, row: BroadcastWithState): Promise<number> {
    const { schedule } = planOf(row);
    await (recurs(schedule) ? starting.recur(tx, row, schedule) : starting.begin(tx, row));
    return 1;
  }

  function perform(tx: Tx, row: BroadcastWithState, now: number, most: number): Promise<number> {
    switch (row.status) {
      case "scheduled":
        return begin(tx, row);
      case "running":
        return run(tx, row, now, most);
      default:
        return takeBack(tx, row, now, most);
    }
  }

  return {
    nextAt: store.nextAt,
    async perform(tx: Tx, now: number, most: number): Promise<number> {
      const row = await store.claim(tx, now);
      if (row === undefined) return 0;
      await heed(tx, row.env_id);
      return perform(tx, row, now, most);
    },
    async setAside(tx: Tx, now: number): Promise<void> {
      const row = await store.claim(tx, now);
      if (row === undefined) return;
      const [first] = row.status === "running" ? await store.due(tx, keyOf(row), clock.now(row.env_id), 1) : [];
      if (first === undefined) return store.record(tx, row, { due_at: now + ASIDE_MS });
      const { contact_id, variant } = first;
      const skipped = { status: "skipped", account_id: null, message_id: null, reason: "internal_error" };
      await store.settle(tx, { ...keyOf(row), contact_id, ...skipped });
      const tally = createTally(store);
      tally.note(variant, "skipped.internal_error");
      tally.write(tx, row.env_id, row.id, clock.now(row.env_id));
      const state = await store.add(tx, row, { skipped: 1 }, clock.now(row.env_id));
      await course.settle(tx, row.env_id, row.id, state!);
    },
  };
}
