import type { Clock } from "#src/core/clock.ts";
import { isUnavailable } from "#src/core/errors.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { type Event, isAfter, type Place } from "#src/modules/events/model.ts";
import type { PlaceStore } from "./places-sql.ts";

const REPEAT_MS = 1_000;
/** So many events that concern nobody are passed before that is written down: what a new start looks through once more. */
const PASSED_MAX = 1_000;

/** The verbs that sequences use of the event log. */
interface Feed {
  follow(env_id: number, onNews: () => void): () => void;
  after(env_id: number, place: Place): Promise<{ events: readonly LogLine[]; last: Place; isEnd: boolean }>;
  head(tx: Tx | null, env_id: number): Promise<Place>;
}
type LogLine = Place & { readonly id: string; readonly type: string; readonly event: Event; readonly created_at: number };

interface Needs {
  places: PlaceStore;
  feed: Feed;
  clock: Clock;
  log: Log;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  /** Whether anything may follow from events of a type. */
  isHeeded(type: string): boolean;
  heed(tx: Tx, env_id: number, events: readonly { event: Event; at: number }[]): Promise<void>;
}

interface Followed {
  running: Promise<void> | undefined;
  /** Since it last looked. */
  hasNews: boolean;
  /** How far it has looked, and how many events it has passed since that was written down. */
  place: Place | undefined;
  passed: number;
  end(): void;
}

/**
 * Follows the event log of each environment that has sequences. What is done with an event and how far the log is heeded are one
 * transaction: nothing is heeded twice, also not by two copies of the program, and nothing is passed over.
 */
export function createFollowing({ places, feed, clock, log, write, isHeeded, heed }: Needs) {
  const followed = new Map<number, Followed>();
  const state = { started: false };
  let looking: Promise<void> = Promise.resolve();

  function follow(env_id: number): void {
    if (!state.started || followed.has(env_id)) return;
    const end = feed.follow(env_id, () => wake(env_id, one));
    const one: Followed = { running: undefined, hasNews: true, place: undefined, passed: 0, end };
    followed.set(env_id, one);
    wake(env_id, one);
  }

  function wake(env_id: number, one: Followed): void {
    one.hasNews = true;
    if (!state.started) return;
    one.running ??= run(env_id, one).finally(() => {
      one.running = undefined;
      if (one.hasNews) wake(env_id, one);
    });
  }

  async function run(env_id: number, one: Followed): Promise<void> {
    try {
      while (one.hasNews && state.started) {
        one.hasNews = false;
        const kept = await places.read(env_id);
        if (one.place === undefined || (kept !== undefined && isAfter(kept, one.place))) one.place = kept;
        for (let more = one.place !== undefined; more && state.started;) {
          const page = await feed.after(env_id, one.place!);
          one.passed += page.events.length;
          if (one.passed >= PASSED_MAX || page.events.some(({ type }) => isHeeded(type))) {
            await take(env_id, one.place!, page.events);
            one.passed = 0;
          }
          one.place = page.last;
          more = !page.isEnd;
        }
      }
    } catch (error) {
      log.error("sequences could not follow what happens; they try again", { env_id, error });
      clock.at(clock.now() + REPEAT_MS, () => wake(env_id, one));
    }
  }

  /** Where one of them spoils the others, each is heeded by itself, and that one passed over. */
  async function take(env_id: number, from: Place, events: readonly LogLine[]): Promise<void> {
    try {
      await write((tx) => heedSome(tx, env_id, from, events));
    } catch (error) {
      if (isUnavailable(error)) throw error;
      if (events.length === 1) {
        log.error("an event can't be heeded by sequences, and is passed over", { env_id, event: events[0]!.id, error });
        await write((tx) => places.set(tx, env_id, events[0]!));
        return;
      }
      let place = from;
      for (const event of events) {
        await take(env_id, place, [event]);
        place = event;
      }
    }
  }

  async function heedSome(tx: Tx, env_id: number, from: Place, events: readonly LogLine[]): Promise<void> {
    const place = (await places.lock(tx, env_id)) ?? from;
    // Another copy may have been here first.
    const fresh = events.filter((event) => isAfter(event, place));
    if (fresh.length === 0) return;
    await heed(
      tx,
      env_id,
      fresh.filter(({ type }) => isHeeded(type)).map(({ event, created_at }) => ({ event, at: created_at })),
    );
    const { tx_id, seq } = fresh.at(-1)!;
    await places.set(tx, env_id, { tx_id, seq });
  }

  async function look(): Promise<void> {
    try {
      for (const { env_id } of await places.all()) follow(env_id);
    } catch (error) {
      log.error("sequences could not see whom to follow; they try again", { error });
      clock.at(clock.now() + REPEAT_MS, () => void (looking = look()));
    }
  }

  const component: Component = {
    name: "sequence triggers",
    async start() {
      state.started = true;
      await look();
    },
    async stop() {
      state.started = false;
      await looking;
      for (const one of followed.values()) {
        one.end();
        await one.running;
      }
      followed.clear();
    },
  };

  return {
    ...component,
    /** From here on the environment's events are heeded. */
    async begin(tx: Tx, env_id: number): Promise<void> {
      await places.begin(tx, env_id, await feed.head(tx, env_id));
      tx.afterCommit(() => follow(env_id));
    },
    /** Another program may have begun to use sequences. */
    rescan: () => void (looking = look()),
    /** Resolves when all that has happened so far is heeded. */
    async settled(): Promise<void> {
      await looking;
      for (const one of followed.values()) while (one.running !== undefined) await one.running;
    },
  };
}
