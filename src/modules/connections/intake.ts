import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import { insist, pause } from "./insist.ts";
import type { Inbound } from "./model.ts";
import type { ConnectionStore } from "./store.ts";

/** One that can't be kept for a fault of ours is tried so often, and then passed over. */
const TRIES_MAX = 3;

/** Whose it is. */
interface Account {
  env_id: number;
  id: number;
}

export interface IntakeNeeds {
  store: ConnectionStore;
  clock: Clock;
  log: Log;
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Makes of it what it is to the business, each once. */
  happened(tx: Tx, account: Account & { kind: string; username: string | null }, items: readonly Inbound[]): Promise<unknown>;
  /** Whether the account's lane has another owner by now. */
  isLost(tx: Tx, env_id: number, account_id: number): Promise<boolean>;
}

/** An account is no longer this process's, or no longer there. */
export class Lost extends Error {}

/**
 * Keeps what an account was told, durably, each once. While the database refuses writes it waits; what nobody expects fails
 * alone, and is passed over in the end rather than stopping all that comes after.
 */
export function createIntake({ store, clock, log, write, happened, isLost }: IntakeNeeds) {
  async function keep(account: Account, items: readonly Inbound[], place: string | null, anybody: boolean): Promise<void> {
    const { env_id, id } = account;
    const at = { env_id, account_id: id };
    await write(async (tx) => {
      if (!anybody && (await isLost(tx, env_id, id))) throw new Lost();
      const now = await store.account(tx, env_id, id);
      if (now === undefined) throw new Lost();
      const fresh = place === null ? await withoutRepeated(tx, at, items) : items;
      if (fresh.length > 0) await happened(tx, { env_id, id, kind: now.kind, username: now.username }, fresh);
      if (place !== null) store.setPlace(tx, at, place);
    });
  }

  /** Without a place, each update says itself which it is. */
  async function withoutRepeated(tx: Tx, at: { env_id: number; account_id: number }, items: readonly Inbound[]): Promise<Inbound[]> {
    const ids = items.map((item) => item.update_id).filter((id) => id !== null);
    const fresh = await store.takeUpdates(tx, at, ids, clock.now());
    return items.filter((item) => item.update_id === null || fresh.has(item.update_id));
  }

  /** @param anybody whether it may come by a process that the account's lane is not leased to @throws Lost; the signal's reason once it is aborted */
  return async function take(
    account: Account,
    given: readonly Inbound[],
    place: string | null,
    signal: AbortSignal,
    anybody = false,
  ): Promise<void> {
    let items = given;
    for (let tries = 1; ; tries++) {
      try {
        await insist(clock, signal, () => keep(account, items, place, anybody));
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Lost) throw error;
        if (items.length > 1) break;
        log.error("what an account was told can't be kept", { env_id: account.env_id, account: account.id, tries, error });
      }
      if (tries >= TRIES_MAX && items.length > 0) {
        log.error("an update is passed over", { env_id: account.env_id, account: account.id, update: items[0]!.update_id });
        if (place === null) return;
        items = [];
      } else await pause(clock, signal);
    }
    // One of them spoils the rest: each by itself, and the place last.
    for (const item of items) await take(account, [item], null, signal, anybody);
    if (place !== null) await take(account, [], place, signal, anybody);
  };
}
