import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { EventType, NewEvent } from "#src/modules/events/model.ts";
import type { Account, AccountStatus } from "./model.ts";
import { present, unproved } from "./present.ts";
import type { AccountRow, AccountStore } from "./store.ts";

/** A day, doubled with each time in a row, at most so often. */
const RESTRICTED_MS = 86_400_000;
const DOUBLINGS_MAX = 5;
/** Who had no trouble for so long begins with a day again. */
const FORGIVEN_MS = 7 * 86_400_000;

/** The lane in which an account's jobs run. */
export const laneOf = (account_id: number) => `account:${account_id}`;

interface Needs {
  store: AccountStore;
  clock: Clock;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  pauseLane(tx: Tx, env_id: number, lane: string, paused: boolean): Promise<void>;
  /** An account can be connected from now on, or no longer, or in another way: whoever keeps it connected is to look. */
  changed(tx: Tx): void;
}

export type AccountChanges = ReturnType<typeof createAccountChanges>;

/** What becomes of an account, by whomever: its state, what is told of it, and whether its lane moves. */
export function createAccountChanges({ store, clock, appendEvent, pauseLane, changed }: Needs) {
  async function show(tx: Tx | null, row: AccountRow): Promise<Account> {
    const now = clock.now(row.env_id);
    const standing = (await store.standings(tx, [row], now)).get(row.id) ?? unproved;
    return present(row, standing, now);
  }

  async function tell(tx: Tx, row: AccountRow, type: EventType, actor: string): Promise<void> {
    appendEvent(tx, row.env_id, { type, subject: String(row.id), actor, data: await show(tx, row) });
  }

  /** A lane moves when the account is neither paused nor cut off. */
  async function syncLane(tx: Tx, row: AccountRow): Promise<void> {
    await pauseLane(tx, row.env_id, laneOf(row.id), row.paused === 1 || row.status !== "connected");
    changed(tx);
  }

  async function setStatus(tx: Tx, row: AccountRow, status: AccountStatus, reason: string | null, actor: string): Promise<AccountRow> {
    const after = { ...row, status, status_reason: reason, updated_at: clock.now(row.env_id) };
    await store.update(tx, row.env_id, row.id, { status, status_reason: reason, updated_at: after.updated_at });
    await syncLane(tx, after);
    await tell(tx, after, status === "connected" ? "account.connected" : "account.disconnected", actor);
    return after;
  }

  return {
    show,
    tell,
    /** What waits for an account that is gone is to end, so its lane moves. */
    unblockLane: (tx: Tx, row: AccountRow) => pauseLane(tx, row.env_id, laneOf(row.id), false),
    syncLane,
    setStatus,

    /** The channel no longer accepts the account: says so, and keeps its queue. @param final it is gone for good */
    async disconnect(tx: Tx, env_id: number, id: number, reason: string, final = false): Promise<void> {
      const row = await store.lock(tx, env_id, id);
      if (row === undefined || row.status === "disabled" || (row.status !== "connected" && !final)) return;
      await setStatus(tx, row, final ? "disabled" : "disconnected", reason, "job");
    },

    /** A person has to look at the account before it goes on: it is paused, and says why. */
    async pause(tx: Tx, env_id: number, id: number, reason: string): Promise<void> {
      const row = await store.lock(tx, env_id, id);
      if (row === undefined || row.paused === 1) return;
      const after = { ...row, paused: 1, status_reason: reason, updated_at: clock.now(env_id) };
      await store.update(tx, env_id, id, { paused: 1, status_reason: reason, updated_at: after.updated_at });
      await syncLane(tx, after);
      await tell(tx, after, "account.paused", "job");
    },

    /** Telegram lets the account write to nobody new: for a day, and twice as long each time that it happens again. */
    async restrict(tx: Tx, env_id: number, id: number): Promise<void> {
      const row = await store.lock(tx, env_id, id);
      if (row === undefined) return;
      const now = clock.now(env_id);
      if (row.restricted_until !== null && row.restricted_until > now) return;
      const isAgain = row.restricted_until !== null && now - row.restricted_until < FORGIVEN_MS;
      const restrictions = isAgain ? row.restrictions + 1 : 1;
      const restricted_until = now + RESTRICTED_MS * 2 ** Math.min(restrictions - 1, DOUBLINGS_MAX);
      const after = { ...row, restrictions, restricted_until, updated_at: now };
      await store.update(tx, env_id, id, { restrictions, restricted_until, updated_at: now });
      await tell(tx, after, "account.restricted", "job");
    },
  };
}
