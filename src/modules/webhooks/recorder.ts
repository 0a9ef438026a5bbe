import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewEvent, Place } from "#src/modules/events/model.ts";
import type { Tried } from "./attempt.ts";
import type { Attempt } from "./model.ts";
import type { Courier, Done, Item } from "./courier.ts";
import type { DeliveringStore } from "./delivering-sql.ts";
import { deliveryId } from "./delivery-id.ts";
import { laneOf } from "./lane.ts";
import { hoursOf, isTest, learn, type Outcome, statusOf, triesOf, verdictOf, writeAttempts } from "./outcome.ts";

/** Outcomes that wait for the database; past these nothing more begins. */
const WAITING_MAX = 2_048;
const REPEAT_MS = 1_000;
/** While outcomes follow one another, they are written so often. */
const GATHER_MS = 20;
const BATCH_FULL = 1_024;
const HOUR_MS = 3_600_000;
/** An endpoint that fails for so long is disabled. */
const FAILING_MS_MAX = 5 * 24 * HOUR_MS;

export interface RecorderDeps {
  store: DeliveringStore;
  clock: Clock;
  log: Log;
  random(): number;
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Which of these lanes another copy has by now. */
  lanesLost(tx: Tx, env_id: number, lanes: readonly string[]): Promise<ReadonlySet<string>>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  /** The place of these was moved by somebody else, or they were disabled: their rows are to be read again. */
  changed(couriers: readonly Courier[]): void;
  /** There is room for outcomes again. */
  roomAgain(): void;
  /** Whose lanes are another copy's by now. */
  lost(couriers: readonly Courier[]): void;
  onAttempt(attempt: Attempt): void;
}

interface Waiting extends Outcome {
  courier: Courier;
  /** The moment of the outcome (ms), as the environment has it; when it is tried again is real time. */
  at: number;
}

/** What one batch came to. */
interface Recorded {
  /** Deliveries that were replayed while they were attempted, and are due. */
  replayed: ReadonlySet<Item>;
  changed: Courier[];
  lost: Courier[];
}

/** Writes down what came of attempts: what finished together in one transaction, with the places that are reached by it. */
export function createRecorder(deps: RecorderDeps) {
  const { store, clock, log } = deps;
  let waiting: Waiting[] = [];
  /** Somebody was told that there is no room. */
  let refused = false;
  let writing: Promise<void> | undefined;
  /** How many outcomes the last batch had. */
  let lastBatch = 0;
  let scheduled = false;
  let cancelRepeat: (() => void) | undefined;
  /** Couriers that have passed events which their endpoints did not ask for. */
  const moved = new Set<Courier>();

  function schedule(): void {
    if (scheduled || writing !== undefined || cancelRepeat !== undefined) return;
    scheduled = true;
    const go = () => {
      scheduled = false;
      void record();
    };
    // One by one they are written at once; those that follow one another share a transaction, and its fsync.
    if (lastBatch > 1 && waiting.length < BATCH_FULL) setTimeout(go, GATHER_MS);
    else setImmediate(go);
  }

  /** One batch at a time: the places that it reaches count on all before it being on disk. */
  function record(): Promise<void> {
    if (writing !== undefined || (waiting.length === 0 && moved.size === 0)) return writing ?? Promise.resolve();
    writing = recordBatch().finally(() => {
      writing = undefined;
      if (waiting.length > 0 || moved.size > 0) schedule();
    });
    return writing;
  }

  async function recordBatch(): Promise<void> {
    const batch = waiting;
    waiting = [];
    lastBatch = batch.length;
    const couriers = new Set([...batch.map(({ courier }) => courier), ...moved]);
    moved.clear();
    const places = new Map([...couriers].map((courier) => [courier, courier.settledTo()]));
    try {
      const { changed, lost, replayed } = await deps.write((tx) => write(tx, batch, places));
      for (const { courier, item, verdict } of batch) {
        const nextAt = verdict.kind === "again" ? verdict.at : null;
        courier.recorded(item, replayed.has(item) ? clock.now() : nextAt);
      }
      for (const [courier, place] of places) if (!changed.includes(courier) && !lost.includes(courier)) courier.state.recorded = place;
      if (lost.length > 0) deps.lost(lost);
      if (changed.length > 0) deps.changed(changed);
      for (const courier of couriers) courier.pump();
      if (refused) {
        refused = false;
        deps.roomAgain();
      }
    } catch (error) {
      repeatLater(batch, [...couriers], error);
    }
  }

  /** Outcomes are known and must not be lost while the program lives: they are kept until they can be written. */
  function repeatLater(batch: Waiting[], couriers: readonly Courier[], error: unknown): void {
    log.error("outcomes of deliveries could not be recorded; they are kept and written again", { deliveries: batch.length, error });
    // Should it be for what an endpoint has answered, that is left out.
    if (!(error instanceof AppError)) {
      for (const { tried } of batch) for (const attempt of tried?.attempts ?? []) attempt.response = null;
    }
    waiting = [...batch, ...waiting];
    for (const courier of couriers) moved.add(courier);
    cancelRepeat = clock.at(clock.now() + REPEAT_MS, () => {
      cancelRepeat = undefined;
      schedule();
    });
  }

  async function write(tx: Tx, batch: Waiting[], places: ReadonlyMap<Courier, Place>): Promise<Recorded> {
    const lost = new Set<Courier>();
    for (const [env_id, couriers] of Map.groupBy(places.keys(), ({ endpoint }) => endpoint.env_id)) {
      const lanes = await deps.lanesLost(
        tx,
        env_id,
        couriers.map(({ endpoint }) => laneOf(endpoint.id)),
      );
      if (lanes.size > 0) for (const courier of couriers) if (lanes.has(laneOf(courier.endpoint.id))) lost.add(courier);
    }
    const ours = batch.filter(({ courier }) => !lost.has(courier));
    const replayed = new Set<Item>();
    for (const one of ours) {
      const written = writeDelivery(tx, one);
      if (written instanceof Promise && !(await written)) replayed.add(one.item);
    }
    const changed: Courier[] = [];
    const byCourier = Map.groupBy(ours, ({ courier }) => courier);
    for (const [courier, place] of places) {
      if (lost.has(courier)) continue;
      const mine = byCourier.get(courier) ?? [];
      if (!(await writeState(tx, courier, place, mine))) changed.push(courier);
    }
    return { changed, lost: [...lost], replayed };
  }

  /** @returns a promise for what was there already, since only inserts go out without being waited for; false when it is due again */
  function writeDelivery(tx: Tx, { courier, item, tried, verdict, at }: Waiting): Maybe<boolean> {
    const { env_id, id: webhook_id } = courier.endpoint;
    const attempts = tried === null ? "[]" : writeAttempts(tried.attempts);
    const status = statusOf(item, verdict);
    const tries = triesOf(item);
    const next_attempt_at = verdict.kind === "again" && !isTest(item) ? verdict.at : null;
    const response_status = tried?.last.status ?? null;
    if (item.kind === "again") {
      const { id, replayed_at } = item.row;
      const result = { env_id, id, status, tries, next_attempt_at, response_status, updated_at: at };
      return store.update(tx, result, attempts, replayed_at);
    }
    const { id: event_id, type: event_type } = item.entry.event;
    const id = deliveryId(event_id, webhook_id);
    store.insert(tx, {
      ...{ env_id, id, webhook_id, event_id, event_type, status, tries, next_attempt_at, response_status, is_test: 0 },
      ...{ replayed_at: null, created_at: at, updated_at: at, body: null, attempts },
    });
    return true;
  }

  /** @returns false when the endpoint's row is to be read again */
  async function writeState(tx: Tx, courier: Courier, place: Place, mine: readonly Waiting[]): Promise<boolean> {
    const { endpoint, state } = courier;
    const { env_id, id } = endpoint;
    for (const hour of hoursOf(mine)) store.count(tx, { env_id, webhook_id: id, ...hour });
    const { recorded, failing_since, last_success_at, accepted } = state;
    const row = { env_id, webhook_id: id, ...place, failing_since, last_success_at, accepted };
    const isOurs = await store.advance(tx, recorded, row);
    const reason = mine.some(({ verdict }) => verdict.kind === "gone") ? "gone" : isFailing(courier, mine) ? "failing" : null;
    if (reason === null) return isOurs;
    const now = clock.now(env_id);
    if (await store.disable(tx, env_id, id, reason, now)) {
      const data = { id, url: endpoint.url, status: "disabled", reason, disabled_at: toTime(now) };
      deps.appendEvent(tx, env_id, { type: "webhook.disabled", subject: id, actor: "job", data });
      tx.afterCommit(() => log.warn("an endpoint was disabled", { env_id, webhook_id: id, reason }));
    }
    return false;
  }

  /** Only what has just failed disables: who is enabled again begins anew. */
  function isFailing({ state, endpoint }: Courier, mine: readonly Waiting[]): boolean {
    const since = state.failing_since;
    return (
      since !== null && clock.now(endpoint.env_id) - since >= FAILING_MS_MAX && mine.some(({ verdict }) => verdict.kind !== "delivered")
    );
  }

  /** Not each attempt, which the log of deliveries has, but that it begins to fail, and that it is over. */
  function tell({ endpoint, state }: Courier, { attempts }: Tried, wasFailing: boolean): void {
    const isFailing = state.failing_since !== null;
    if (isFailing === wasFailing) return;
    const { stage, status, error } = attempts.at(-1)!;
    const place = { env_id: endpoint.env_id, webhook_id: endpoint.id };
    if (isFailing) log.warn("an endpoint does not accept what is delivered; it is tried again", { ...place, stage, status, reason: error });
    else log.info("an endpoint accepts again what is delivered", place);
  }

  return {
    isFull(): boolean {
      const isFull = waiting.length >= WAITING_MAX;
      refused ||= isFull;
      return isFull;
    },
    /** Takes the outcome of an item; what it tells of the endpoint counts at once. */
    done(courier: Courier, { item, tried }: Done): void {
      const at = clock.now(courier.endpoint.env_id);
      const verdict = verdictOf(courier, item, tried, clock.now(), deps.random());
      if (tried !== null) {
        const wasFailing = courier.state.failing_since !== null;
        learn(courier, item, tried.secret, verdict, at);
        tell(courier, tried, wasFailing);
        for (const attempt of tried.attempts) deps.onAttempt(attempt);
      }
      if (verdict.kind === "gone") courier.halt();
      waiting.push({ courier, item, tried, at, verdict });
      schedule();
    },
    /** The courier has read on without anything to deliver. */
    passed(courier: Courier): void {
      moved.add(courier);
      schedule();
    },
    isIdle: () => writing === undefined && !scheduled && waiting.length === 0,
    /** Writes what waits. @returns how many outcomes could not be written */
    async flush(): Promise<number> {
      cancelRepeat?.();
      cancelRepeat = undefined;
      await writing;
      await record();
      return waiting.length;
    },
  };
}
