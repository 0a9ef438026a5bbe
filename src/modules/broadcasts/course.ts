import type { Clock } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { Ended } from "#src/modules/messages/model.ts";
import type { Plan } from "./model.ts";
import { planOf, presentBroadcast, waitingOf } from "./present.ts";
import type { BroadcastStateRow, BroadcastStore } from "./store.ts";
import { createTally } from "./tally.ts";

/** Messages of a broadcast that wait at a time, for each of its accounts: so that pausing it means something. */
export const AHEAD_MAX = 500;

/** The same of all of them together. */
export const aheadOf = ({ account_ids }: Pick<Plan, "account_ids">): number => AHEAD_MAX * account_ids.length;

/** Who writes within this time after a message has answered it. */
const REPLY_MS = 7 * 86_400_000;

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  /** What has made the messages that were sent to a contact since then (ms). */
  messagesTo(tx: Tx, env_id: number, contact_id: string, since: number): Maybe<Ended["origin"][]>;
  /** There is something to do, once the transaction is durable. */
  wake(tx: Tx): void;
}

export type Course = ReturnType<typeof createCourse>;

/** Where a broadcast goes from what its messages come to. */
export function createCourse({ store, clock, appendEvent, messagesTo, wake }: Needs) {
  /** Ends a broadcast all of whose recipients have come to an end. @returns whether it has */
  async function settle(tx: Tx, env_id: number, id: string, state: BroadcastStateRow): Promise<boolean> {
    const isOver = state.is_noted === 1 && waitingOf(state) === 0 && state.queued === 0;
    if (!isOver || state.ended_at !== null || state.status === "paused") return false;
    const now = clock.now(env_id);
    // What was canceled or stopped stays so; its end is when the last of its messages has ended.
    const status = state.status === "running" ? "completed" : state.status;
    await store.record(tx, { env_id, id }, { status, due_at: null, ended_at: now, updated_at: now });
    const row = (await store.get(tx, env_id, id))!;
    appendEvent(tx, env_id, { type: "broadcast.completed", subject: id, actor: "job", data: presentBroadcast(row) });
    return true;
  }

  const failsTooOften = ({ status, stop_percent, stop_after, sent, failed }: BroadcastStateRow) =>
    (status === "running" || status === "paused") &&
    stop_percent !== null &&
    sent + failed >= (stop_after ?? 0) &&
    failed * 100 >= stop_percent * (sent + failed);

  /** Whether something is to be done that is not noted as due. */
  async function isIdle(tx: Tx, state: BroadcastStateRow, returned: boolean): Promise<boolean> {
    const { env_id, broadcast_id, status, due_at, queued } = state;
    if (due_at !== null) return false;
    // A message that was on the wire waits again, which a broadcast that doesn't run takes back.
    if (status !== "running") return returned && status !== "completed";
    if (waitingOf(state) === 0) return false;
    // Whoever is slow must not keep the others of a pool waiting.
    return queued <= AHEAD_MAX / 2 || queued <= aheadOf(planOf(await store.plan(tx, env_id, broadcast_id))) - AHEAD_MAX / 2;
  }

  async function recordedOf(tx: Tx, env_id: number, id: string, ended: readonly Ended[]): Promise<void> {
    const tally = createTally(store);
    const sums = { queued: 0, sent: 0, failed: 0, canceled: 0 };
    for (const { to, code, origin, message_id, contact_id } of ended) {
      if (to === "returned") continue;
      sums[to] += 1;
      sums.queued -= 1;
      tally.note(origin.step ?? "", to === "failed" ? `failed.${code}` : to);
      await store.end(tx, { env_id, broadcast_id: id }, to, message_id, contact_id);
    }
    const now = clock.now();
    const state = await store.add(tx, { env_id, id }, sums, clock.now(env_id));
    if (state === undefined) return;
    tally.write(tx, env_id, id, clock.now(env_id));
    if (failsTooOften(state)) {
      await store.record(tx, { env_id, id }, { status: "stopped", reason: "failure_rate", due_at: now });
      return wake(tx);
    }
    if (await settle(tx, env_id, id, state)) return;
    if (!(await isIdle(tx, state, sums.queued > -ended.length))) return;
    await store.record(tx, { env_id, id }, { due_at: now });
    wake(tx);
  }

  /** @param variants what each of those who wrote was told */
  async function heardOf(tx: Tx, env_id: number, id: string, variants: ReadonlyMap<string, string>, now: number): Promise<void> {
    const tally = createTally(store);
    let replied = 0;
    for (const [contact_id, variant] of variants) {
      if (!(await store.reply(tx, { env_id, broadcast_id: id }, contact_id, now))) continue;
      tally.note(variant, "replied");
      replied += 1;
    }
    if (replied === 0) return;
    await store.add(tx, { env_id, id }, { replied }, now);
    tally.write(tx, env_id, id, now);
  }

  return {
    settle,
    /** Counts who has answered a broadcast: of each person once. @param contact_ids who have written */
    async heard(tx: Tx, env_id: number, contact_ids: readonly string[]): Promise<void> {
      if (contact_ids.length === 0 || !(await store.hasAny(tx, env_id))) return;
      const now = clock.now(env_id);
      const answered = new Map<string, Map<string, string>>();
      for (const contact_id of contact_ids)
        for (const { type, id, step } of await messagesTo(tx, env_id, contact_id, now - REPLY_MS))
          if (type === "broadcast") answered.set(id, (answered.get(id) ?? new Map<string, string>()).set(contact_id, step ?? ""));
      // In one order: each locks its broadcast.
      for (const [id, variants] of [...answered].toSorted(([a], [b]) => (a < b ? -1 : 1))) await heardOf(tx, env_id, id, variants, now);
    },
    /** Counts what has become of messages of broadcasts, and notes it at their recipients. */
    async recorded(tx: Tx, ended: readonly Ended[]): Promise<void> {
      const groups = Map.groupBy(ended, ({ env_id, origin }) => `${env_id} ${origin.id}`);
      // In one order: each locks its broadcast.
      for (const [, some] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)))
        await recordedOf(tx, some[0]!.env_id, some[0]!.origin.id, some);
    },
  };
}
