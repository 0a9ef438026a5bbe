import type { EventFeed, FeedPage } from "./feed.ts";
import { type EventFilter, isOfJob } from "./filter.ts";
import type { LoggedEvent } from "./logged-event.ts";
import { isAfter, type Place } from "./model.ts";
import { createGroups, type Group } from "./stream-groups.ts";
import { writeEvents } from "./stream-text.ts";

/** Who reads one environment's events as they come. */
export interface Listener {
  group: Group;
  /** Takes the next part. To be called only while it `wants` one, so that nothing lies in memory for who doesn't read. */
  give(part: Uint8Array<ArrayBuffer>): void;
  /** Ends the stream: its client comes again, with the last event that it has. */
  end(): void;
  /** The client has room for a part. */
  wants: boolean;
  /** Up to where it has everything; null when that is the hub's place. */
  place: Place | null;
  isCatchingUp: boolean;
  isOver: boolean;
}

interface Needs {
  env_id: number;
  /** The log's end. */
  start: Place;
  feed: Pick<EventFeed, "follow" | "after" | "fresh">;
  /**
   * What fits a filter after a place, and may be seen with these scopes.
   * @returns `end` is the place up to which everything was looked at; null for the log's end as it was at the call
   */
  read(group: Group, place: Place): Promise<{ events: readonly LoggedEvent[]; end: Place | null }>;
  /** A listener could not be served. */
  onFailure(error: unknown): void;
}

export type Hub = ReturnType<typeof createHub>;

/**
 * Follows one environment's log once for all who listen. Whoever has everything up to the hub's place is given what comes; who
 * does not read in time falls behind, and reads on from the log at their own pace until they are there again.
 */
export function createHub({ env_id, start, feed, read, onFailure }: Needs) {
  let place = start;
  let pumping: Promise<boolean> | undefined;
  let again = false;
  const groups = createGroups();
  /** Reads of those who come to the same place together. */
  const reads = new Map<string, ReturnType<Needs["read"]>>();
  const unfollow = feed.follow(env_id, onNews);

  function onNews(): void {
    if (pumping === undefined) void pump(null);
    else again = true;
  }

  /**
   * Goes to the log's end, delivering what stands on the way.
   * @param target a place that the log's end has passed: it is reached, though no event may stand there
   * @returns whether it got there
   */
  function pump(target: Place | null): Promise<boolean> {
    pumping = run(target).finally(() => {
      pumping = undefined;
      if (again) onNews();
    });
    return pumping;
  }

  async function run(target: Place | null): Promise<boolean> {
    again = false;
    try {
      for (let page: FeedPage | undefined; page?.isEnd !== true;) {
        // Others get their turn between two pages.
        if (page !== undefined) await new Promise((resolve) => setImmediate(resolve));
        page = await (target === null ? feed.after(env_id, place) : feed.fresh(env_id, place));
        deliver(page);
      }
    } catch {
      // The feed has told the log, and calls again.
      return false;
    }
    if (target !== null && isAfter(target, place)) place = target;
    return true;
  }

  function deliver(page: FeedPage): void {
    const before = place;
    place = page.last;
    const found = new Map<Group, LoggedEvent[]>();
    for (const event of page.events)
      for (const group of groups.of(event)) {
        const events = found.get(group);
        if (events === undefined) found.set(group, [event]);
        else events.push(event);
      }
    for (const [group, events] of found) {
      // Which jobs may be seen takes a look: whoever wants them reads them by themselves.
      const isShared = !events.some(isOfJob);
      let part: Uint8Array<ArrayBuffer> | undefined;
      for (const listener of group.live) {
        if (isShared && listener.wants) {
          give(listener, (part ??= writeEvents(events)));
          continue;
        }
        group.live.delete(listener);
        listener.place = before;
        if (listener.wants) void catchUp(listener);
      }
    }
  }

  function give(listener: Listener, part: Uint8Array<ArrayBuffer>): void {
    listener.wants = false;
    listener.give(part);
  }

  /** Reads for one who is behind: until there is something to give, or it is live. */
  async function catchUp(listener: Listener): Promise<void> {
    if (listener.isCatchingUp) return;
    listener.isCatchingUp = true;
    try {
      while (listener.wants && !listener.isOver && listener.place !== null) await step(listener, listener.place);
    } catch (error) {
      onFailure(error);
      listener.end();
    } finally {
      listener.isCatchingUp = false;
    }
  }

  async function step(listener: Listener, from: Place): Promise<void> {
    const { group } = listener;
    if (isAfter(from, place)) return reach(from);
    if (!isAfter(place, from)) {
      listener.place = null;
      group.live.add(listener);
      return;
    }
    // What the hub has passed by now is there for a read that begins now.
    const until = place;
    const { events, end } = await readOnce(group, from, until);
    listener.place = end === null || isAfter(end, until) ? until : end;
    const due = events.filter((event) => !isAfter(event, until));
    if (due.length > 0 && !listener.isOver) give(listener, writeEvents(due));
  }

  /** A step towards a place that the log has passed. @throws Error when the log can't be read */
  async function reach(target: Place): Promise<void> {
    if (pumping !== undefined) await pumping;
    else if (!(await pump(target))) throw new Error("the event log could not be read");
  }

  function readOnce(group: Group, from: Place, until: Place): ReturnType<Needs["read"]> {
    const { types, subject } = group.filter;
    const key = JSON.stringify([from.tx_id, from.seq, until.tx_id, until.seq, types, subject, [...group.scopes]]);
    let reading = reads.get(key);
    if (reading === undefined) {
      reading = read(group, from).finally(() => reads.delete(key));
      reads.set(key, reading);
    }
    return reading;
  }

  onNews();
  return {
    take: (filter: EventFilter, scopes: ReadonlySet<string>) => groups.take(filter, scopes),
    /** The client has room for a part. */
    pull(listener: Listener): void {
      listener.wants = true;
      if (listener.place !== null) void catchUp(listener);
    },
    /** A part that is no event, for who has room for one. */
    offer(listener: Listener, part: Uint8Array<ArrayBuffer>): void {
      if (listener.wants && !listener.isOver) give(listener, part);
    },
    leave(listener: Listener): void {
      listener.group.live.delete(listener);
      groups.giveBack(listener.group);
    },
    end: unfollow,
  };
}
