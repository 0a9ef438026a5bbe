import type { Place } from "#src/modules/events/model.ts";

/** What delivering needs to know of an event in the log. */
export interface FeedEvent extends Place {
  readonly id: string;
  readonly type: string;
  /** As it goes out. */
  readonly event: object;
  /** The same as JSON, in UTF-8. */
  readonly bytes: Uint8Array;
  /** Whom it is about: events that share one of these are delivered one after another. */
  readonly about: readonly string[];
}

/** An event that an endpoint is to get, from being read to having its first outcome recorded. */
export interface Entry {
  readonly event: FeedEvent;
  /** Where the log stood before it. */
  readonly before: Place;
  /** Earlier entries about the same that are not settled yet. */
  blockers: number;
  readonly followers: Entry[];
  settled: boolean;
}

/** What was read of the log for one endpoint and is not settled, in the order of the log. */
export interface Backlog {
  /** Takes an event that is to be delivered. */
  add(event: FeedEvent): void;
  /** Everything up to here was read. */
  readTo(place: Place): void;
  /** How far was read. */
  readonly read: Place;
  /** The next that nothing of the same subject stands before; the caller has it from then on. */
  next(): Entry | undefined;
  hasNext(): boolean;
  /** It goes back to the front: nothing came of it. */
  putBack(entry: Entry): void;
  /** Its outcome is recorded: what is about the same may go. */
  settle(entry: Entry): void;
  /** Everything up to here is settled or was not asked for. */
  settledTo(): Place;
  /** Entries that are not settled, those that the caller has among them. */
  readonly size: number;
  /** Forgets what the caller does not have, and goes on from there. */
  jump(place: Place): void;
}

const SETTLED_KEPT = 256;

export function createBacklog(from: Place): Backlog {
  let read = from;
  let previous = from;
  let entries: Entry[] = [];
  /** Settled ones are cut off now and then, not each time: before this all are. */
  let first = 0;
  let unsettled = 0;
  let ready: Entry[] = [];
  /** The last entry about each subject. */
  const tails = new Map<string, Entry>();

  function dropSettled(): void {
    while (first < entries.length && entries[first]!.settled) first++;
    // One that takes long does not keep all that was settled after it.
    if (first === entries.length || entries.length > 2 * unsettled + SETTLED_KEPT) {
      entries = entries.filter(({ settled }) => !settled);
      first = 0;
    }
  }

  return {
    add(event) {
      const entry: Entry = { event, before: previous, blockers: 0, followers: [], settled: false };
      previous = { tx_id: event.tx_id, seq: event.seq };
      for (const subject of event.about) {
        const tail = tails.get(subject);
        if (tail !== undefined && tail !== entry && !tail.followers.includes(entry)) {
          tail.followers.push(entry);
          entry.blockers++;
        }
        tails.set(subject, entry);
      }
      entries.push(entry);
      unsettled++;
      if (entry.blockers === 0) ready.push(entry);
    },
    readTo(place) {
      read = place;
      previous = place;
    },
    get read() {
      return read;
    },
    next: () => ready.shift(),
    hasNext: () => ready.length > 0,
    putBack(entry) {
      if (!entry.settled) ready.unshift(entry);
    },
    settle(entry) {
      // It was jumped over meanwhile.
      if (entry.settled) return;
      entry.settled = true;
      unsettled--;
      for (const subject of entry.event.about) if (tails.get(subject) === entry) tails.delete(subject);
      for (const follower of entry.followers) if (--follower.blockers === 0 && !follower.settled) ready.push(follower);
      dropSettled();
    },
    settledTo: () => entries[first]?.before ?? read,
    get size() {
      return unsettled;
    },
    jump(place) {
      for (const entry of entries) entry.settled = true;
      entries = [];
      first = 0;
      unsettled = 0;
      ready = [];
      tails.clear();
      read = place;
      previous = place;
    },
  };
}
