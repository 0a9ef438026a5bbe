import { randomBytes } from "node:crypto";
import type { Clock } from "#src/core/clock.ts";
import { invalidField } from "#src/core/errors.ts";
import type { Tx } from "#src/core/tx.ts";
import type { BroadcastStore, TrackedLinkRow } from "./store.ts";
import { createTally } from "./tally.ts";

/** Enough that nobody finds one by trying. */
const TOKEN_BYTES = 12;

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  /** Under which recipients reach this program; null where they can't. */
  linkBase: string | null;
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** The links of one recipient's message. */
export interface LinksOfOne {
  /** Gives an address the one that goes by way of us. One that has a variable in it stays as it is. */
  relink(address: string): string;
  /** Keeps where they lead. */
  keep(tx: Tx): void;
}

export type Tracking = ReturnType<typeof createTracking>;

/** Links of broadcasts that go by way of us, so that it is known who has opened one. */
export function createTracking({ store, clock, linkBase, write }: Needs) {
  return {
    /** @throws AppError `validation_error` on `track_links` where recipients can't reach this program */
    check(track_links: boolean): void {
      if (!track_links || linkBase !== null) return;
      throw invalidField(
        "track_links",
        "not_allowed",
        "Tracked links lead here first: set PUBLIC_URL to the address under which recipients reach this program.",
      );
    },

    begin(to: Pick<TrackedLinkRow, "env_id" | "broadcast_id" | "contact_id" | "variant">): LinksOfOne {
      const tokens = new Map<string, string>();
      return {
        relink(address) {
          if (linkBase === null || /[{}]/.test(address)) return address;
          const token = tokens.get(address) ?? randomBytes(TOKEN_BYTES).toString("base64url");
          tokens.set(address, token);
          return `${linkBase}/l/${token}`;
        },
        keep(tx) {
          const created_at = clock.now(to.env_id);
          for (const [address, token] of tokens) store.addLink(tx, { ...to, token, address, clicked_at: null, created_at });
        },
      };
    },

    /** @returns where a link leads; undefined for none of ours */
    async find(token: string): Promise<TrackedLinkRow | undefined> {
      return store.link(token);
    },

    /** Counts who has opened a link of a broadcast: of each person once. Resolves once that is on disk. */
    async clicked(link: TrackedLinkRow): Promise<void> {
      if (link.clicked_at !== null) return;
      const { env_id, broadcast_id: id, variant } = link;
      await write(async (tx) => {
        const now = clock.now(env_id);
        if (!(await store.openLink(tx, link, now)) || !(await store.click(tx, link, now))) return;
        await store.add(tx, { env_id, id }, { clicked: 1 }, now);
        const tally = createTally(store);
        tally.note(variant, "clicked");
        tally.write(tx, env_id, id, now);
      });
    },
  };
}
