import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import type { Principal } from "#src/core/principal.ts";
import type { EventFeed } from "./feed.ts";
import { type FilterAsk, isWhole, readFilter } from "./filter.ts";
import { createLoggedEvent } from "./logged-event.ts";
import type { Place } from "./model.ts";
import type { EventService } from "./service.ts";
import type { EventStore } from "./store.ts";
import type { Group } from "./stream-groups.ts";
import { createHub, type Hub, type Listener } from "./stream-hub.ts";
import { HEARTBEAT } from "./stream-text.ts";

const HEARTBEAT_MS = 15_000;
/** Listeners that get their heartbeat in one turn of the event loop. */
const HEARTBEATS_A_TURN = 500;
/** Events that are read at a time for one who is behind. */
const PAGE_MAX = 100;
const STREAMS_MAX = 10_000;

interface Needs {
  store: Pick<EventStore, "page" | "scan">;
  feed: EventFeed;
  events: Pick<EventService, "placeAfter" | "visible">;
  clock: Clock;
  log: Log;
  /** Whether the key of a stream still opens what it did. */
  stillOpens(principal: Principal): Promise<boolean>;
  /** Streams at a time. */
  most?: number;
}

/** Streams of one key, which is looked at once for all of them. */
interface OfKey {
  principal: Principal;
  hub: Hub;
  listeners: Set<Listener>;
}

export type EventStreams = ReturnType<typeof createEventStreams>;

/** The live streams of events. */
export function createEventStreams({ store, feed, events, clock, log, stillOpens, most = STREAMS_MAX }: Needs) {
  const hubs = new Map<number, { hub: Promise<Hub>; users: number }>();
  const keys = new Map<string, OfKey>();
  let count = 0;
  let isStopped = false;
  let cancelBeat: (() => void) | undefined;

  async function read({ filter, scopes }: Group, env_id: number, place: Place) {
    const { rows, end } = isWhole(filter) ? await readWhole(env_id, place) : await readFitting(env_id, filter, place);
    return { events: await events.visible(env_id, rows.map(createLoggedEvent), scopes), end };
  }

  async function readWhole(env_id: number, place: Place) {
    const { rows } = await store.page(env_id, place, PAGE_MAX);
    return { rows, end: rows.length < PAGE_MAX ? null : rows.at(-1)! };
  }

  async function readFitting(env_id: number, filter: Group["filter"], place: Place) {
    const { rows, end, more } = await store.scan(env_id, filter, place, PAGE_MAX);
    return { rows, end: more ? end! : null };
  }

  async function openHub(env_id: number): Promise<Hub> {
    const onFailure = (error: unknown) => log.warn("a stream of events was ended: the log could not be read", { env_id, error });
    const start = await feed.head(null, env_id);
    return createHub({ env_id, start, feed, read: (group, place) => read(group, env_id, place), onFailure });
  }

  function takeHub(env_id: number): Promise<Hub> {
    let kept = hubs.get(env_id);
    if (kept === undefined) hubs.set(env_id, (kept = { hub: openHub(env_id), users: 0 }));
    kept.users++;
    return kept.hub;
  }

  function giveHubBack(env_id: number): void {
    const kept = hubs.get(env_id)!;
    if (--kept.users > 0) return;
    hubs.delete(env_id);
    kept.hub.then(({ end }) => end()).catch(() => {});
  }

  function add(principal: Principal, hub: Hub, group: Group, place: Place): ReadableStream<Uint8Array> {
    const { env_id } = principal;
    const key = `${env_id} ${principal.key_id} ${[...principal.scopes].join()}`;
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const listener: Listener = {
      ...{ group, place, wants: false, isCatchingUp: false, isOver: false },
      give: (part) => controller.enqueue(part),
      end() {
        if (listener.isOver) return;
        leave();
        controller.close();
      },
    };

    function leave(): void {
      if (listener.isOver) return;
      listener.isOver = true;
      count--;
      hub.leave(listener);
      const own = keys.get(key)!;
      own.listeners.delete(listener);
      if (own.listeners.size === 0) keys.delete(key);
      giveHubBack(env_id);
      if (keys.size === 0) stopBeating();
    }

    const own = keys.get(key) ?? { principal, hub, listeners: new Set() };
    keys.set(key, own);
    own.listeners.add(listener);
    cancelBeat ??= clock.at(clock.now() + HEARTBEAT_MS, beat);
    return new ReadableStream<Uint8Array>(
      {
        start(given) {
          controller = given;
          // At once, since the answer's head goes out with its first part.
          controller.enqueue(HEARTBEAT);
        },
        pull: () => hub.pull(listener),
        cancel: leave,
      },
      { highWaterMark: 0 },
    );
  }

  function beat(): void {
    cancelBeat = clock.at(clock.now() + HEARTBEAT_MS, beat);
    void beatAll();
  }

  function stopBeating(): void {
    cancelBeat?.();
    cancelBeat = undefined;
  }

  async function beatAll(): Promise<void> {
    for (const { principal, hub, listeners } of [...keys.values()]) {
      if (!(await mayGoOn(principal))) {
        for (const listener of [...listeners]) listener.end();
        continue;
      }
      let given = 0;
      for (const listener of [...listeners]) {
        hub.offer(listener, HEARTBEAT);
        if (++given % HEARTBEATS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  async function mayGoOn(principal: Principal): Promise<boolean> {
    try {
      return await stillOpens(principal);
    } catch (error) {
      log.warn("the key of a stream could not be looked at; the stream goes on until the next heartbeat", { error });
      return true;
    }
  }

  return {
    /**
     * A stream of what happens from now on, or after an event. A comment comes at once, and every 15 s.
     * @param ask `last` is the id of the last event that the client has, `field` where it stands
     * @throws AppError `validation_error`, `unavailable` where there are too many streams, or the program is stopping
     */
    async open(principal: Principal, ask: FilterAsk & { last?: { id: string; field: string } }): Promise<ReadableStream<Uint8Array>> {
      const { env_id, scopes } = principal;
      const filter = readFilter(ask, scopes);
      if (isStopped) throw new AppError("unavailable", "The program is stopping: come again in a moment.", { retryAfter: 1 });
      if (count >= most) throw new AppError("unavailable", `There are ${most} streams already: come again later.`, { retryAfter: 15 });
      count++;
      let isOpen = false;
      try {
        const hub = await takeHub(env_id);
        const { last } = ask;
        const place = last === undefined ? await feed.head(null, env_id) : await events.placeAfter(env_id, last.field, last.id);
        if (isStopped) throw new AppError("unavailable", "The program is stopping: come again in a moment.", { retryAfter: 1 });
        isOpen = true;
        return add(principal, hub, hub.take(filter, scopes), place);
      } finally {
        if (!isOpen) {
          count--;
          giveHubBack(env_id);
        }
      }
    },
    /** Streams that are open. */
    count: () => count,
    /** Ends every stream, so that draining need not wait for them; none is opened any more. */
    stop(): void {
      isStopped = true;
      for (const { listeners } of [...keys.values()]) for (const listener of [...listeners]) listener.end();
    },
  };
}
