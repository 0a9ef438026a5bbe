import { expect, test } from "bun:test";
import { unmoved } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import { createCourse } from "#src/modules/broadcasts/course.ts";
import type { BroadcastStateRow, BroadcastStore } from "#src/modules/broadcasts/store.ts";

/** What is noted of a broadcast over some accounts when one of its messages was sent, so many others not having ended yet. */
async function afterOne(accounts: number, queued: number, waiting: number): Promise<Partial<BroadcastStateRow>[]> {
  const noted: Partial<BroadcastStateRow>[] = [];
  const ended = { sent: 1, failed: 0, skipped: 0, canceled: 0, replied: 0, stop_percent: null, ended_at: null, is_noted: 1 };
  const state = { env_id: 1, broadcast_id: "bc_1", status: "running", due_at: null, queued, total: queued + waiting + 1, ...ended };
  const store = {
    end: () => Promise.resolve(),
    add: () => Promise.resolve(state),
    addCount: () => {},
    plan: () => Promise.resolve({ plan: JSON.stringify({ account_ids: Array.from({ length: accounts }, (_, at) => at + 1) }) }),
    record: (_tx: Tx, _key: object, change: Partial<BroadcastStateRow>) => Promise.resolve(void noted.push(change)),
  } as unknown as BroadcastStore;
  const clock = { ...unmoved, now: () => 1_000, at: () => () => {} };
  const course = createCourse({ store, clock, appendEvent: () => {}, messagesTo: () => [], wake: () => {} });
  const origin = { type: "broadcast" as const, id: "bc_1", step: null, enrollment_id: null };
  const message = { env_id: 1, message_id: "msg_1", contact_id: "ct_1", account_id: 1, origin };
  await course.recorded({} as Tx, [{ ...message, to: "sent", code: null }]);
  return noted;
}

test("a broadcast is gone on with when half of what its account may have waiting has left", async () => {
  expect(await afterOne(1, 251, 1_000)).toEqual([]);
  expect(await afterOne(1, 250, 1_000)).toEqual([{ due_at: 1_000 }]);
  expect(await afterOne(1, 250, 0)).toEqual([]);
});

test("one account of a pool that has much waiting keeps no other from going on", async () => {
  expect(await afterOne(2, 751, 1_000)).toEqual([]);
  expect(await afterOne(2, 750, 1_000)).toEqual([{ due_at: 1_000 }]);
});
