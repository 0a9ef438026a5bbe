import type { Clock } from "#src/core/clock.ts";
import { failedBefore, type Letter, type Tried, tryDelivery } from "./attempt.ts";
import { isAfter, type Place } from "#src/modules/events/model.ts";
import { createBacklog, type Entry, type FeedEvent } from "./backlog.ts";
import type { Budget } from "./budget.ts";
import type { DeliveringStore, EndpointRow } from "./delivering-sql.ts";
import { deliveryId } from "./delivery-id.ts";
import { createDueList, type DueItem } from "./due.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Feed, FeedPage } from "./feed.ts";
import { isSuccess } from "./schedule.ts";
import type { HttpSender } from "./sender.ts";

/** Attempts under way to one endpoint: it begins with some, gets more with each success, and few while it fails. */
const AT_ONCE_FIRST = 16;
const AT_ONCE_MAX = 64;
const AT_ONCE_FAILING = 4;
/** Events that are read ahead and not settled. */
const BACKLOG_MAX = 512;
const READ_AGAIN_MS = 1_000;
/** More than can be unrecorded before an event that is: past as many in a row without a row, none has one. */
const DOUBTFUL_MAX = 1_024;

/** What a courier has in hand: an event that is new to the endpoint, or a delivery that is due again. */
export type Item = { kind: "first"; entry: Entry } | DueItem;

/** An item and what came of it, to be recorded. `null`: its event is no longer kept, so that there is nothing to send. */
export interface Done {
  item: Item;
  tried: Tried | null;
}

interface Needs {
  feed: Feed;
  store: DeliveringStore;
  sender: HttpSender;
  clock: Clock;
  budget: Budget;
  signal: AbortSignal;
  /** Outcomes wait to be recorded in such a number that nothing more should begin. */
  isFull(): boolean;
  done(courier: Courier, done: Done): void;
  /** Events were read that the endpoint has not asked for. */
  passed(): void;
  onReadFailure(error: unknown): void;
  /** An attempt could not be made for a fault of ours. */
  onFault(error: unknown): void;
}

/** Brings events to one endpoint: in the order of the log where they are about the same, at the endpoint's own speed. */
export interface Courier {
  readonly endpoint: Endpoint;
  /** What the endpoint's last answers have told. */
  readonly state: CourierState;
  /** Everything up to here is settled. */
  settledTo(): Place;
  /** The endpoint is going to be disabled: nothing more begins until it was read again. */
  halt(): void;
  /** The endpoint was changed. */
  update(endpoint: Endpoint): void;
  /** Somebody else has moved the endpoint's place: what was read is forgotten. */
  jump(place: Place): void;
  /** There may be retries that this process knows nothing of. */
  lookForDue(): void;
  /** What came of an item is on disk. @param nextAt when its delivery is due again (ms), if it is */
  recorded(item: Item, nextAt: number | null): void;
  /** Looks for something to do. */
  pump(): void;
  /** Nothing runs, and nothing could by now. */
  isIdle(): boolean;
  inFlight(): number;
  /** Nothing is under way, due or unrecorded, and everything up to this place of the log is settled. */
  restsAt(newest: Place): boolean;
  close(): void;
}

interface CourierState {
  /** The place that is on disk. */
  recorded: Place;
  failing_since: number | null;
  last_success_at: number | null;
  accepted: number | null;
}

export function createCourier(needs: Needs, first: Endpoint, row: EndpointRow): Courier {
  const { feed, store, clock, budget } = needs;
  const { env_id, id } = first;
  const backlog = createBacklog({ tx_id: row.tx_id, seq: row.seq });
  let endpoint = first;
  const state: CourierState = {
    recorded: { tx_id: row.tx_id, seq: row.seq },
    failing_since: row.failing_since,
    last_success_at: row.last_success_at,
    accepted: row.accepted,
  };
  let closed = false;
  let halted = false;
  let pumping = false;
  let inFlight = 0;
  /** Outcomes that are not on disk. */
  let unrecorded = 0;
  let atOnce = AT_ONCE_FIRST;
  let hasNews = true;
  let reading = false;
  /** Events whose row may be there already, since whoever had the lane before settled them ahead of the recorded place. */
  let doubtful = DOUBTFUL_MAX;
  const due = createDueList({ env_id, webhook_id: id, store, clock, eventsOf: feed.byIds });
  let dueTurn = false;
  let cancelTimer: (() => void) | undefined;
  let armedFor = Number.POSITIVE_INFINITY;

  async function readAhead(): Promise<void> {
    reading = true;
    hasNews = false;
    const from = backlog.read;
    try {
      const page = await feed.after(env_id, from);
      const wanted = page.events.filter((event) => endpoint.takes(event));
      const known =
        doubtful > 0
          ? await store.known(
              env_id,
              wanted.map((event) => deliveryId(event.id, id)),
            )
          : undefined;
      if (closed) return;
      const isMoved = backlog.read !== from;
      if (isMoved || !page.isEnd) hasNews = true;
      if (!isMoved) takePage(page, wanted, known);
    } catch (error) {
      readAgain(error, () => (hasNews = true));
    } finally {
      reading = false;
    }
    pump();
  }

  function takePage({ events, last }: FeedPage, wanted: readonly FeedEvent[], known: ReadonlySet<string> | undefined): void {
    // One that hung may have kept the place far behind what was recorded.
    if (known !== undefined) doubtful = known.size > 0 ? DOUBTFUL_MAX : doubtful - wanted.length;
    for (const event of wanted) if (known === undefined || !known.has(deliveryId(event.id, id))) backlog.add(event);
    backlog.readTo(last);
    if (wanted.length < events.length) needs.passed();
  }

  async function readDue(): Promise<void> {
    try {
      await due.read();
    } catch (error) {
      return readAgain(error, () => {});
    }
    pump();
  }

  function readAgain(error: unknown, how: () => void): void {
    needs.onReadFailure(error);
    clock.at(clock.now() + READ_AGAIN_MS, () => {
      how();
      pump();
    });
  }

  /** New events and retries take turns, so that neither waits for all of the other. */
  function take(): Item | undefined {
    dueTurn = !dueTurn;
    const retry = dueTurn || !backlog.hasNext() ? due.next() : undefined;
    if (retry !== undefined) return retry;
    const entry = backlog.next();
    return entry === undefined ? due.next() : { kind: "first", entry };
  }

  const mayBegin = () => inFlight < atOnce && !needs.isFull() && (backlog.hasNext() || due.hasNext());

  function pump(): void {
    if (closed || halted || !endpoint.isOpen || needs.signal.aborted) return;
    while (mayBegin() && budget.take(courier)) void send(take()!);
    const now = clock.now();
    if (!reading && hasNews && !backlog.hasNext() && backlog.size < BACKLOG_MAX) void readAhead();
    if (due.wantsReading(now)) void readDue();
    else if (due.nextAt() > now) arm();
  }

  function arm(): void {
    const at = due.nextAt();
    if (at === armedFor) return;
    armedFor = at;
    cancelTimer?.();
    const fire = () => {
      armedFor = Number.POSITIVE_INFINITY;
      pump();
    };
    cancelTimer = at === Number.POSITIVE_INFINITY ? undefined : clock.at(at, fire);
  }

  async function send(item: Item): Promise<void> {
    inFlight++;
    const letter =
      item.kind === "first"
        ? { event_id: item.entry.event.id, body: item.entry.event.bytes }
        : { event_id: item.row.event_id, body: item.body };
    const tried = letter.body === null ? null : await attempt({ ...letter, body: letter.body });
    inFlight--;
    budget.giveBack();
    if (closed) return;
    // The program stops: as if it had not been tried.
    if (needs.signal.aborted && tried !== null && !isSuccess(tried.last)) return putBack(item);
    if (tried !== null) adapt(isSuccess(tried.last));
    unrecorded++;
    needs.done(courier, { item, tried });
    if (item.kind === "first") backlog.settle(item.entry);
    pumpSoon();
  }

  /** Answers that come together are followed by the next attempts together. */
  function pumpSoon(): void {
    if (pumping) return;
    pumping = true;
    setImmediate(() => {
      pumping = false;
      pump();
    });
  }

  /** A fault of ours, such as a row that can't be made a request of, is a failed attempt too: it must not be tried for ever. */
  async function attempt(letter: Letter): Promise<Tried> {
    try {
      return await tryDelivery({ ...needs, env_id }, endpoint, letter, state.accepted, needs.signal);
    } catch (error) {
      needs.onFault(error);
      return failedBefore(clock.now(env_id));
    }
  }

  function putBack(item: Item): void {
    if (item.kind === "first") backlog.putBack(item.entry);
    else due.putBack(item);
  }

  function adapt(succeeded: boolean): void {
    atOnce = succeeded ? Math.min(AT_ONCE_MAX, atOnce + 1) : Math.max(AT_ONCE_FAILING, atOnce >> 1);
  }

  const unfollow = feed.follow(env_id, () => {
    hasNews = true;
    pump();
  });

  const courier: Courier = {
    get endpoint() {
      return endpoint;
    },
    state,
    settledTo: () => backlog.settledTo(),
    halt: () => void (halted = true),
    update(changed) {
      endpoint = changed;
      halted = false;
      courier.lookForDue();
    },
    jump(place) {
      state.recorded = place;
      backlog.jump(place);
      hasNews = true;
      pump();
    },
    lookForDue() {
      due.forget();
      pump();
    },
    recorded(item, nextAt) {
      unrecorded--;
      if (item.kind === "again") due.recorded(item.row.id, nextAt);
      else if (nextAt !== null) due.expect(nextAt);
      if (nextAt !== null) pump();
    },
    pump,
    isIdle() {
      if (inFlight > 0 || reading || pumping || due.isReading()) return false;
      if (closed || halted || !endpoint.isOpen) return true;
      return !hasNews && !backlog.hasNext() && !due.hasNext() && due.nextAt() > clock.now();
    },
    inFlight: () => inFlight,
    restsAt: (newest) => courier.isIdle() && unrecorded === 0 && (halted || !endpoint.isOpen || !isAfter(newest, backlog.settledTo())),
    close() {
      closed = true;
      unfollow();
      cancelTimer?.();
    },
  };

  return courier;
}
