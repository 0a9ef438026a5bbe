import { type Clock, toTime } from "#src/core/clock.ts";
import { zoneOf } from "#src/core/contact-zone.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Step, TaskKind } from "#src/modules/tasks/model.ts";
import { type AudienceBatch, type AudienceReader, beginning, type Place, type Reading } from "./audience.ts";
import type { Messages } from "./making.ts";
import type { Plan } from "./model.ts";
import { firstTime, openTime, startOf } from "./plan.ts";
import { planOf } from "./present.ts";
import { nextRun, recurs } from "./recurring.ts";
import { addTo, chosen, type Loads, refusalOf } from "./sharing.ts";
import type { BroadcastStore } from "./store.ts";
import { throttled } from "./throttle.ts";

export const DRY_RUN_TASK = "broadcasts.dry_run";

/** The messages that an account would have. */
interface Share {
  /** To people whom it has written with, and to others. */
  known: number;
  fresh: number;
}

interface Outcome {
  recipients: number;
  reachable: number;
  accounts: { account_id: number; recipients: number; ends_at: string }[];
  unreachable: Record<string, number>;
  foreseen: Record<string, number>;
  starts_at: string;
  ends_at: string;
}

interface State extends Reading {
  recipients: number;
  shares: Record<string, Share>;
  unreachable: Record<string, number>;
  foreseen: Record<string, number>;
  /** When the last of them has its time (ms). */
  latest: number;
  outcome: Outcome | null;
}

/** The verbs that a dry run uses of messages. */
export interface Forecaster extends Pick<Messages, "reach" | "rooms"> {
  /** When the last of so many messages would leave that an account gets at a time (ms), under its budget and pace. */
  forecast(tx: Tx, env_id: number, account_id: number, share: Share, from: number): Maybe<number>;
}

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  read: AudienceReader;
  messages: Forecaster;
}

/** Goes through whom a broadcast is for, without writing to anybody: who would be reached by whom, who would not, and until when. */
export function dryRunKind({ store, clock, read, messages }: Needs): TaskKind<{ broadcast_id: string }, State, AudienceBatch> {
  const add = (sums: Record<string, number>, name: string) => ({ ...sums, [name]: (sums[name] ?? 0) + 1 });

  async function count(tx: Tx, env_id: number, plan: Plan, people: readonly Place[], state: State, starts_at: number): Promise<State> {
    const reached = await messages.reach(
      tx,
      env_id,
      plan.account_ids,
      people.map(({ id }) => id),
    );
    const after = { ...state, shares: structuredClone(state.shares), recipients: state.recipients + people.length };
    const rooms = await messages.rooms(tx, env_id, plan.account_ids);
    const loads: Loads = new Map(Object.entries(after.shares).map(([id, { known, fresh }]) => [Number(id), { all: known + fresh, fresh }]));
    for (const [at, reaching] of reached.entries()) {
      if (reaching.kind === "none") {
        after.unreachable = add(after.unreachable, reaching.reason);
        continue;
      }
      const way = chosen(reaching.ways, loads, rooms);
      const { account_id, isKnown, foreseen } = way;
      const refusal = refusalOf(way, rooms.get(account_id));
      if (refusal !== null) {
        after.unreachable = add(after.unreachable, refusal);
        continue;
      }
      addTo(loads, way);
      const share = (after.shares[account_id] ??= { known: 0, fresh: 0 });
      share[isKnown ? "known" : "fresh"] += 1;
      if (foreseen !== null) after.foreseen = add(after.foreseen, foreseen);
      const zone = zoneOf(people[at]!, plan.timezone);
      after.latest = Math.max(after.latest, openTime(plan, zone, firstTime(plan, zone, starts_at)));
    }
    return after;
  }

  async function conclude(tx: Tx, env_id: number, plan: Plan, state: State, starts_at: number): Promise<Outcome> {
    const accounts: Outcome["accounts"] = [];
    let ends_at = Math.max(starts_at, state.latest);
    let reachable = 0;
    for (const [id, share] of Object.entries(state.shares)) {
      const recipients = share.known + share.fresh;
      const at = Math.round(await messages.forecast(tx, env_id, Number(id), share, starts_at));
      accounts.push({ account_id: Number(id), recipients, ends_at: toTime(at) });
      reachable += recipients;
      ends_at = Math.max(ends_at, at);
    }
    const { each_ms } = throttled(plan.throttle, 0, starts_at);
    ends_at = Math.max(ends_at, Math.round(starts_at + each_ms * Math.max(0, reachable - 1)));
    const { recipients, unreachable, foreseen } = state;
    return { recipients, reachable, accounts, unreachable, foreseen, starts_at: toTime(starts_at), ends_at: toTime(ends_at) };
  }

  function startsAt(plan: Plan, now: number): number {
    const at = recurs(plan.schedule) ? nextRun(plan.schedule, now) : startOf(plan);
    return Math.max(now, at ?? now);
  }

  return {
    kind: DRY_RUN_TASK,
    begin: () => ({ ...beginning, recipients: 0, shares: {}, unreachable: {}, foreseen: {}, latest: 0, outcome: null }),
    prepare: ({ env_id, params, state }) => read(env_id, params.broadcast_id, state),
    async apply(tx, { env_id, params, state }, batch): Promise<Step<State>> {
      const row = await store.get(tx, env_id, params.broadcast_id);
      const done = { done: state.recipients, total: null };
      if ("error" in batch) return { kind: "failed", state, progress: done, error: batch.error };
      const plan = planOf(row!);
      const starts_at = startsAt(plan, clock.now(env_id));
      const counted = { ...(await count(tx, env_id, plan, batch.people, state, starts_at)), ...batch.next };
      const progress = { done: counted.recipients, total: batch.isLast ? counted.recipients : null };
      if (!batch.isLast) return { kind: "more", state: counted, progress };
      return { kind: "done", state: { ...counted, outcome: await conclude(tx, env_id, plan, counted, starts_at) }, progress };
    },
    result: ({ outcome }) => outcome,
  };
}
