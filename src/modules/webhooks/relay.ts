import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import { isAfter, type Place } from "#src/modules/events/model.ts";
import { createBudget } from "./budget.ts";
import { type Courier, createCourier } from "./courier.ts";
import type { DeliveringStore, EndpointRow } from "./delivering-sql.ts";
import { readEndpoint } from "./endpoint.ts";
import type { Feed } from "./feed.ts";
import { webhookOf } from "./lane.ts";
import { createRecorder, type RecorderDeps } from "./recorder.ts";
import type { HttpSender } from "./sender.ts";

/** Attempts under way may take so long when the program is asked to stop: what is broken off is delivered after the next start. */
const STOP_MS_MAX = 1_000;
/** Places that were passed without a delivery are written down so often. */
const PASSED_MS = 5_000;
const REPEAT_MS = 1_000;

interface Needs extends Omit<RecorderDeps, "changed" | "lost" | "roomAgain"> {
  store: DeliveringStore;
  feed: Feed;
  sender: HttpSender;
  clock: Clock;
  log: Log;
  cipher: Cipher;
  /** Tells whoever serves these data that an endpoint has changed. */
  ring(): void;
  /** The lanes that are ours are to be looked at anew. */
  refreshLanes(): void;
}

/** Delivers the events of every endpoint whose lane this process has. */
export interface Relay extends Component {
  /** The endpoints that this process serves are these, by environment and id. */
  serve(lanes: readonly { env_id: number; lane: string }[]): void;
  /** An endpoint, its place or one of its deliveries was changed in this transaction. */
  changed(tx: Tx, env_id: number, webhook_id: string): void;
  /** Others may have changed any of them. */
  rescan(): void;
  /** What waits in an environment may be due by now. */
  moved(env_id: number): void;
  /** Whether an endpoint has all that it is to get by now, up to this place of the log; undefined where another copy delivers to it. */
  restsAt(env_id: number, webhook_id: string, newest: Place): boolean | undefined;
  /** Resolves when nothing is due and nothing runs: for tests. */
  settled(): Promise<void>;
  stats(): { endpoints: number; inFlight: number };
}

export function createRelay(needs: Needs): Relay {
  const { store, clock, log, cipher, ring } = needs;
  const aborter = new AbortController();
  const budget = createBudget();
  const couriers = new Map<string, Courier>();
  /** Endpoints to be read, and what for the reading of each is the latest. */
  const readings = new Map<string, number>();
  let readCount = 0;
  /** Couriers who have learnt that the place on disk is not what they took it for. */
  const stale = new Set<Courier>();
  /** The endpoints whose lanes are ours. */
  let served = new Map<string, { env_id: number; id: string }>();
  let started = false;
  let cancelPassed: (() => void) | undefined;

  const keyOf = (env_id: number, id: string) => `${env_id} ${id}`;
  const recorder = createRecorder({
    ...needs,
    changed(list) {
      for (const courier of list) {
        stale.add(courier);
        void read(courier.endpoint.env_id, courier.endpoint.id);
      }
    },
    roomAgain() {
      for (const courier of couriers.values()) courier.pump();
    },
    lost(list) {
      for (const { endpoint } of list) drop(keyOf(endpoint.env_id, endpoint.id));
      needs.refreshLanes();
    },
  });

  function drop(key: string): void {
    served.delete(key);
    couriers.get(key)?.close();
    couriers.delete(key);
  }

  /** Reads an endpoint; of several readings that overlap the one that began last counts. */
  async function read(env_id: number, id: string): Promise<void> {
    const key = keyOf(env_id, id);
    const turn = ++readCount;
    readings.set(key, turn);
    try {
      const row = await store.endpoint(env_id, id);
      if (readings.get(key) === turn && served.has(key)) take(key, row);
    } catch (error) {
      log.error("an endpoint could not be read; it is tried again", { webhook_id: id, error });
      clock.at(clock.now() + REPEAT_MS, () => void read(env_id, id));
    } finally {
      if (readings.get(key) === turn) readings.delete(key);
    }
  }

  function take(key: string, row: EndpointRow | undefined): void {
    const courier = couriers.get(key);
    if (row === undefined || row.deleted_at !== null) {
      courier?.close();
      couriers.delete(key);
      return;
    }
    const endpoint = readEndpoint(cipher, row);
    if (courier === undefined) {
      const made = createCourier(
        {
          ...needs,
          budget,
          signal: aborter.signal,
          passed,
          isFull: () => !started || recorder.isFull(),
          done: recorder.done,
          onReadFailure,
          onFault,
        },
        endpoint,
        row,
      );
      couriers.set(key, made);
      made.pump();
      return;
    }
    const { state } = courier;
    // Who is enabled again begins anew.
    if (endpoint.isOpen && !courier.endpoint.isOpen) state.failing_since = null;
    courier.update(endpoint);
    const place = { tx_id: row.tx_id, seq: row.seq };
    // A place behind what is settled was read before that was recorded.
    if (isAfter(place, courier.settledTo())) courier.jump(place);
    else if (stale.has(courier)) state.recorded = place;
    stale.delete(courier);
  }

  function onFault(error: unknown): void {
    log.error("an attempt at a delivery failed in a way that it does not expect", { error });
  }

  function onReadFailure(error: unknown): void {
    log.error("what is to be delivered could not be read; it is tried again", { error });
  }

  /** What was read and not asked for is not read again after a restart. */
  function passed(): void {
    if (!started) return;
    cancelPassed ??= clock.at(clock.now() + PASSED_MS, () => {
      cancelPassed = undefined;
      for (const courier of couriers.values()) if (isAfter(courier.settledTo(), courier.state.recorded)) recorder.passed(courier);
    });
  }

  return {
    name: "webhook relay",
    start() {
      if (started) return Promise.resolve();
      started = true;
      for (const courier of couriers.values()) courier.pump();
      return Promise.resolve();
    },
    async stop() {
      if (!started) return;
      started = false;
      cancelPassed?.();
      const until = clock.now() + STOP_MS_MAX;
      const cancel = clock.at(until, () => aborter.abort());
      served = new Map();
      while ([...couriers.values()].some((courier) => courier.inFlight() > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
      cancel();
      const left = await recorder.flush();
      if (left > 0)
        log.error("outcomes of deliveries are not recorded; they are made once more after the next start", { deliveries: left });
      for (const key of couriers.keys()) drop(key);
    },
    serve(lanes) {
      const former = served;
      const named = lanes.map(({ env_id, lane }) => ({ env_id, id: webhookOf(lane) }));
      served = new Map(named.map((endpoint) => [keyOf(endpoint.env_id, endpoint.id), endpoint]));
      for (const key of former.keys()) if (!served.has(key)) drop(key);
      for (const [key, { env_id, id }] of served) if (!former.has(key)) void read(env_id, id);
    },
    changed(tx, env_id, webhook_id) {
      tx.afterCommit(() => (served.has(keyOf(env_id, webhook_id)) ? void read(env_id, webhook_id) : ring()));
    },
    rescan() {
      for (const { env_id, id } of served.values()) void read(env_id, id);
    },
    moved(env_id) {
      for (const courier of couriers.values()) if (courier.endpoint.env_id === env_id) courier.lookForDue();
    },
    // Where nothing is delivered, nothing is waited for.
    restsAt: (env_id, webhook_id, newest) => !started || couriers.get(keyOf(env_id, webhook_id))?.restsAt(newest),
    async settled() {
      const isIdle = () => readings.size === 0 && recorder.isIdle() && [...couriers.values()].every((courier) => courier.isIdle());
      while (!isIdle()) await new Promise((resolve) => setImmediate(resolve));
    },
    stats: () => ({
      endpoints: couriers.size,
      inFlight: [...couriers.values()].reduce((sum, courier) => sum + courier.inFlight(), 0),
    }),
  };
}
