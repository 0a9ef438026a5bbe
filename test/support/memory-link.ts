import type { Inbound, Link, Peer } from "#src/modules/connections/model.ts";

/** What a connector hands over, kept in memory, as if it were on disk. */
export interface MemoryLink extends Link {
  happened: Inbound[];
  book: Map<number, Peer>;
  place: string | null;
  session: string | null;
  /** How often something was taken. */
  takes: number;
  proofs: number;
  failures: string[];
  refusal: { reason: string; final: boolean } | null;
  /** What the next `take` waits for. */
  hold: Promise<void> | null;
  /** What the next `take` fails with. */
  fault: Error | null;
  /** So many times no peers can be saved. */
  bookFaults: number;
  /** Resolves once this holds. */
  until(condition: () => boolean): Promise<void>;
}

const WAIT_MS = 10_000;

export function createMemoryLink(): MemoryLink {
  let onChange: () => void = () => undefined;
  const first = (matches: (peer: Peer) => boolean) => Promise.resolve([...link.book.values()].find(matches) ?? null);
  const link: MemoryLink = {
    happened: [],
    book: new Map(),
    place: null,
    session: null,
    takes: 0,
    proofs: 0,
    failures: [],
    refusal: null,
    hold: null,
    fault: null,
    bookFaults: 0,
    async take(happened, place) {
      await link.hold;
      if (link.fault !== null) throw link.fault;
      link.takes += 1;
      link.happened.push(...happened);
      link.place = place ?? link.place;
      onChange();
    },
    proved() {
      link.proofs += 1;
      onChange();
    },
    failed(reason) {
      link.failures.push(reason);
      onChange();
    },
    async refused(reason, final) {
      link.refusal = { reason, final };
      onChange();
    },
    async saveSession(session) {
      link.session = session;
      onChange();
    },
    peers: {
      byId: (id) => first(({ peer_id }) => peer_id === id),
      byUsername: (username) => first(({ usernames }) => usernames.includes(username)),
      byPhone: (phone) => first((peer) => peer.phone === phone),
      async save(peers) {
        if (link.bookFaults > 0) {
          link.bookFaults -= 1;
          throw new Error("the database refuses it");
        }
        for (const peer of peers) link.book.set(peer.peer_id, peer);
        onChange();
      },
      async forget(id) {
        link.book.delete(id);
      },
    },
    async until(condition) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error("it did not happen")), WAIT_MS);
      onChange = () => {
        if (condition()) resolve();
      };
      onChange();
      await promise.finally(() => clearTimeout(timer));
    },
  };
  return link;
}
