import type { DueSource, Move } from "#src/core/due-source.ts";
import type { DueStore, OpenEndpoint } from "./due-sql.ts";
import type { Relay } from "./relay.ts";

/** Deliveries that are tried again, for whoever moves an environment's clock. */
export function createDueDeliveries(store: DueStore, relay: Pick<Relay, "restsAt" | "moved">): DueSource {
  /** As this process knows it, where it delivers to the endpoint; else as the other copy has written it down. */
  async function rests(move: Move, endpoint: OpenEndpoint, newest: { tx_id: number; seq: number }): Promise<boolean> {
    return relay.restsAt(move.env_id, endpoint.id, newest) ?? store.isSettled(move, endpoint);
  }

  return {
    nextAt: (tx, move) => store.nextAt(tx, move),
    shift: (tx, move, by_ms) => store.shift(tx, move, by_ms),
    async isQuiet(move) {
      const newest = await store.newest(move.env_id);
      for (const endpoint of await store.open(null, move.env_id)) if (!(await rests(move, endpoint, newest))) return false;
      return true;
    },
    moved: (env_id) => relay.moved(env_id),
  };
}
