import { type IPeersRepository, parseMarkedPeerId } from "@mtcute/core";
import { LruMap } from "@fuman/utils";
import type { Peer, PeerBook } from "#src/modules/connections/model.ts";
import { Unanswered } from "./deadline.ts";

type Info = IPeersRepository.PeerInfo;

/** Whom the account has met: a few in memory, all in the book. */
export interface Peers extends IPeersRepository {
  /** Writes down what the book doesn't have yet. */
  save(): Promise<void>;
  forget(peer_id: number): Promise<void>;
}

const KEPT_MAX = 100;
/** Telegram tells of people with each message: what stays the same is written this rarely. */
const REWRITE_MS = 6 * 3_600_000;

/** @param onUnsaved is called once there is something for the book */
export function createPeers(book: PeerBook, now: () => number, onUnsaved: () => void): Peers {
  const kept = new LruMap<number, Peer>(KEPT_MAX);
  const unsaved = new Map<number, Peer>();

  async function find(inMemory: (peer: Peer) => boolean, inBook: () => Promise<Peer | null>): Promise<Info | null> {
    for (const peer of unsaved.values()) if (inMemory(peer)) return infoOf(peer);
    const found = await inBook().catch(() => {
      throw new Unanswered("Whom the account has met could not be read.");
    });
    if (found === null) return null;
    kept.set(found.peer_id, found);
    return infoOf(found);
  }

  return {
    store(info) {
      // What is told in passing can't be used to write to them, and must not hide what can.
      if (info.isMin) return;
      const peer = { ...peerOf(info), updated_at: now() };
      const known = unsaved.get(info.id) ?? kept.get(info.id);
      kept.set(info.id, peer);
      if (known !== undefined && isSame(known, peer)) {
        kept.set(info.id, { ...peer, updated_at: known.updated_at });
        return;
      }
      unsaved.set(info.id, peer);
      onUnsaved();
    },
    getById(id) {
      const known = unsaved.get(id) ?? kept.get(id);
      return known === undefined
        ? find(
            (peer) => peer.peer_id === id,
            () => book.byId(id),
          )
        : infoOf(known);
    },
    getByUsername: (username) =>
      find(
        (peer) => peer.usernames.includes(username),
        () => book.byUsername(username),
      ),
    getByPhone: (phone) =>
      find(
        (peer) => peer.phone === phone,
        () => book.byPhone(phone),
      ),
    deleteAll() {
      kept.clear();
      unsaved.clear();
    },
    async save() {
      const saving = new Map(unsaved);
      if (saving.size === 0) return;
      await book.save([...saving.values()]);
      // What has come meanwhile is still to be written.
      for (const [id, peer] of saving) if (unsaved.get(id) === peer) unsaved.delete(id);
    },
    async forget(peer_id) {
      kept.delete(peer_id);
      unsaved.delete(peer_id);
      await book.forget(peer_id);
    },
  };
}

/** Where nobody needs to be remembered, as during a login. */
export function createNoPeers(): Peers {
  const nobody = () => null;
  const nothing = () => undefined;
  const forget = () => Promise.resolve();
  return { store: nothing, getById: nobody, getByUsername: nobody, getByPhone: nobody, deleteAll: nothing, save: forget, forget };
}

/** For who can go on without: one that can't be read is nobody. */
export function tolerant(peers: IPeersRepository): IPeersRepository {
  const orNobody = async (find: () => Info | null | Promise<Info | null>) => {
    try {
      return await find();
    } catch {
      return null;
    }
  };
  return {
    store: peers.store,
    getById: (id) => orNobody(() => peers.getById(id)),
    getByUsername: (username) => orNobody(() => peers.getByUsername(username)),
    getByPhone: (phone) => orNobody(() => peers.getByPhone(phone)),
    deleteAll: peers.deleteAll,
  };
}

function isSame(known: Peer, peer: Peer): boolean {
  return (
    known.access_hash === peer.access_hash &&
    known.phone === peer.phone &&
    known.usernames.join() === peer.usernames.join() &&
    (!isSmallGroup(peer) || known.full === peer.full) &&
    peer.updated_at - known.updated_at < REWRITE_MS
  );
}

/** It changes rarely, and says where it has gone. */
const isSmallGroup = ({ peer_id }: Peer) => parseMarkedPeerId(peer_id)[0] === "chat";

const peerOf = ({ id, accessHash, usernames, phone, complete }: Info): Omit<Peer, "updated_at"> => ({
  peer_id: id,
  access_hash: accessHash,
  usernames: usernames.map((username) => username.toLowerCase()),
  phone: phone ?? null,
  full: Buffer.from(complete).toString("base64"),
});

const infoOf = ({ peer_id, access_hash, usernames, phone, full, updated_at }: Peer): Info => ({
  id: peer_id,
  accessHash: access_hash,
  isMin: false,
  usernames: [...usernames],
  updated: updated_at,
  ...(phone === null ? {} : { phone }),
  complete: new Uint8Array(Buffer.from(full, "base64")),
});
