import type { Clock } from "#src/core/clock.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import { createLoggedEvent, type LoggedEvent } from "./logged-event.ts";
import type { Place } from "./model.ts";
import type { EventStore } from "./store.ts";

const PAGE_MAX = 100;
/** Pages that are kept for those who come to the same place a moment later. */
const PAGES_KEPT = 8;
/** A full page stays what it is whatever comes after; not for long, since what stands in it may be erased. */
const FULL_MS = 1_000;
/** On PostgreSQL an event is shown when no older transaction runs any more: looked at again after so long, doubled each time. */
const HIDDEN_MS = 5;
const HIDDEN_MS_MAX = 500;
const RETRY_MS = 1_000;

/** What stands in the log after a place, in the order of commits. */
export interface FeedPage {
  events: readonly LoggedEvent[];
  /** Where to go on; the place asked for when there was nothing. */
  last: Place;
  /** Nothing more is there by now. */
  isEnd: boolean;
}

/** Lets many follow the event log: each place of it is read once, whoever asks. */
export interface EventFeed extends Component {
  /** Something was written in this environment, by this process. */
  appended(tx: Tx, env_id: number): void;
  /** Others may have written anywhere. */
  rescan(): void;
  /** Calls `onNews` when there may be something after the last page. @returns ends it */
  follow(env_id: number, onNews: () => void): () => void;
  /** Up to a hundred events after a place. Shared between those who ask: not to be changed. */
  after(env_id: number, place: Place): Promise<FeedPage>;
  /** Those of these events that are still kept, in any order. */
  byIds(env_id: number, ids: readonly string[]): Promise<readonly LoggedEvent[]>;
  /** As `after`, read anew: what was there at the call is in it. */
  fresh(env_id: number, place: Place): Promise<FeedPage>;
  /** Where an event stands; undefined when there is none. */
  placeOf(env_id: number, event_id: string): Promise<Place | undefined>;
  /** The place behind all that is there. @param tx then what is written after this transaction is behind it, and nothing is missed */
  head(tx: Tx | null, env_id: number): Promise<Place>;
}

interface Needs {
  store: EventStore;
  clock: Clock;
  log: Log;
  /** Tells whoever serves these data to look: for a program that does not serve them itself. */
  ring(): void;
  /** Tells the other copies that serve them. */
  tellCopies(): void;
}

interface Followers {
  waiting: Set<() => void>;
  /** Another with each news: a page that ended the log before is no longer its end. */
  news: number;
  told: boolean;
  cancelLook: (() => void) | undefined;
  hiddenMs: number;
}

const keyOf = (env_id: number, { tx_id, seq }: Place) => `${env_id} ${tx_id} ${seq}`;

export function createEventFeed({ store, clock, log, ring, tellCopies }: Needs): EventFeed {
  const followed = new Map<number, Followers>();
  /** Of all environments, the one read last at the end. */
  const pages = new Map<string, { news: number; page: Promise<FeedPage>; fullAt?: number }>();
  let started = false;
  let isStopped = false;
  /** Never the same twice, also for an environment that nobody followed for a while. */
  let news = 0;

  function wake(env_id: number): void {
    const followers = followed.get(env_id);
    if (followers === undefined) return;
    followers.news = ++news;
    if (followers.told) return;
    followers.told = true;
    // Once for all that was committed together.
    queueMicrotask(() => {
      followers.told = false;
      for (const onNews of followers.waiting) onNews();
    });
  }

  /** What a transaction that still runs hides is looked for again. */
  function lookAgain(env_id: number, ms: number): void {
    const followers = followed.get(env_id);
    if (isStopped || followers === undefined || followers.cancelLook !== undefined) return;
    followers.cancelLook = clock.at(clock.now() + ms, () => {
      followers.cancelLook = undefined;
      wake(env_id);
    });
  }

  async function read(env_id: number, place: Place): Promise<FeedPage> {
    const { rows, hidden } = await store.page(env_id, place, PAGE_MAX);
    const followers = followed.get(env_id);
    if (followers !== undefined) {
      followers.hiddenMs = hidden ? Math.min(HIDDEN_MS_MAX, followers.hiddenMs * 2) : HIDDEN_MS;
      if (hidden) lookAgain(env_id, followers.hiddenMs);
    }
    const events = rows.map(createLoggedEvent);
    const last = rows.at(-1);
    return {
      events,
      last: last === undefined ? place : { tx_id: last.tx_id, seq: last.seq },
      isEnd: rows.length < PAGE_MAX,
    };
  }

  async function fresh(env_id: number, place: Place): Promise<FeedPage> {
    const key = keyOf(env_id, place);
    const page = read(env_id, place);
    // Of what nobody follows it is not known when it is no longer the log's end.
    const news = followed.get(env_id)?.news;
    pages.delete(key);
    if (news !== undefined) {
      const kept: { news: number; page: Promise<FeedPage>; fullAt?: number } = { news, page };
      pages.set(key, kept);
      page.then(
        ({ isEnd }) => (isEnd ? undefined : (kept.fullAt = clock.now())),
        () => {},
      );
    }
    if (pages.size > PAGES_KEPT) pages.delete(pages.keys().next().value!);
    try {
      return await page;
    } catch (error) {
      if (pages.get(key)?.page === page) pages.delete(key);
      log.warn("the event log could not be read; it is tried again", { error });
      lookAgain(env_id, RETRY_MS);
      throw error;
    }
  }

  return {
    name: "event feed",
    start() {
      started = true;
      isStopped = false;
      return Promise.resolve();
    },
    stop() {
      started = false;
      isStopped = true;
      for (const { cancelLook } of followed.values()) cancelLook?.();
      return Promise.resolve();
    },
    appended(tx, env_id) {
      tx.afterCommit(() => {
        if (!started) return ring();
        wake(env_id);
        tellCopies();
      });
    },
    rescan() {
      for (const env_id of followed.keys()) wake(env_id);
    },
    follow(env_id, onNews) {
      let followers = followed.get(env_id);
      if (followers === undefined) {
        followers = { waiting: new Set(), news: ++news, told: false, cancelLook: undefined, hiddenMs: HIDDEN_MS };
        followed.set(env_id, followers);
      }
      const { waiting } = followers;
      waiting.add(onNews);
      return () => {
        waiting.delete(onNews);
        if (waiting.size > 0 || followed.get(env_id) !== followers) return;
        followers.cancelLook?.();
        followed.delete(env_id);
      };
    },
    after(env_id, place) {
      const kept = pages.get(keyOf(env_id, place));
      const news = followed.get(env_id)?.news;
      const isGood = kept !== undefined && (kept.news === news || clock.now() - (kept.fullAt ?? -FULL_MS) < FULL_MS);
      return isGood ? kept.page : fresh(env_id, place);
    },
    byIds: async (env_id, ids) => (await store.byIds(env_id, ids)).map(createLoggedEvent),
    fresh,
    placeOf: (env_id, event_id) => store.place(env_id, event_id),
    head: (tx, env_id) => store.head(tx, env_id),
  };
}
