import type { Tx } from "#src/core/tx.ts";
import type { Peer, PeerBook } from "./model.ts";
import type { ConnectionStore } from "./store.ts";

interface Needs {
  store: ConnectionStore;
  /** Rejects while the database refuses writes: what is not saved is to be saved again. */
  write(work: (tx: Tx) => Promise<void>): Promise<void>;
  place: { env_id: number; account_id: number };
}

/** Whom one account has met, in the database. */
export function createPeerBook({ store, write, place }: Needs): PeerBook {
  async function find(by: Parameters<ConnectionStore["peer"]>[1]): Promise<Peer | null> {
    const row = await store.peer(place, by);
    if (row === undefined) return null;
    const { peer_id, access_hash, username, phone, full_object: full, updated_at } = row;
    return { peer_id, access_hash, usernames: username === null ? [] : [username], phone, full, updated_at };
  }

  return {
    byId: (peer_id) => find({ peer_id }),
    byUsername: (username) => find({ username: username.toLowerCase() }),
    byPhone: (phone) => find({ phone }),
    save: (peers) =>
      write((tx) =>
        store.savePeers(
          tx,
          peers.map(({ usernames, full, ...peer }) => ({
            ...place,
            ...peer,
            username: usernames[0]?.toLowerCase() ?? null,
            full_object: full,
          })),
        ),
      ),
    forget: (peer_id) => write((tx) => store.forgetPeer(tx, place, peer_id)),
  };
}
