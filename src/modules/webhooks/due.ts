import type { Clock } from "#src/core/clock.ts";
import type { FeedEvent } from "./backlog.ts";
import type { DeliveringStore, DueRow } from "./delivering-sql.ts";

/** Rows that are read at a time. */
const DUE_MAX = 32;
/** In hand at once: rows that are under way still say that they are due, and are read over. */
const IN_HAND_MAX = 64;

/** A delivery that is due again. */
export interface DueItem {
  kind: "again";
  row: DueRow;
  /** JSON in UTF-8; null when its event is no longer kept. */
  body: Uint8Array | null;
}

interface Needs {
  env_id: number;
  webhook_id: string;
  store: DeliveringStore;
  clock: Clock;
  eventsOf(env_id: number, ids: readonly string[]): Promise<readonly FeedEvent[]>;
}

/** The deliveries of one endpoint that have failed and are tried again, as they fall due. */
export interface DueList {
  next(): DueItem | undefined;
  hasNext(): boolean;
  putBack(item: DueItem): void;
  /** What came of it is on disk. @param nextAt when it is due again (ms), if it is */
  recorded(id: string, nextAt: number | null): void;
  /** A delivery is due at this time (ms). */
  expect(at: number): void;
  /** Rows may have changed: what waits here is read again. */
  forget(): void;
  /** Whether there may be something to read by now. */
  wantsReading(now: number): boolean;
  /** Reads what is due. @throws what the database throws; then it wants reading still */
  read(): Promise<void>;
  isReading(): boolean;
  /** When the next one is due (ms); Infinity when none is known of. */
  nextAt(): number;
}

export function createDueList({ env_id, webhook_id, store, clock, eventsOf }: Needs): DueList {
  let waiting: DueItem[] = [];
  /** Deliveries that were read and are not recorded. */
  const inHand = new Set<string>();
  /** Goes up when others may have changed rows: what was read before no longer counts. */
  let changes = 0;
  /** Deliveries that were recorded while rows are read, which may be the former ones. */
  let recordedMeanwhile = new Set<string>();
  let dueAt = 0;
  let reading = false;

  async function bodiesOf(rows: readonly DueRow[]): Promise<Map<string, Uint8Array>> {
    const ids = rows.filter(({ body }) => body === null).map(({ event_id }) => event_id);
    const events = ids.length === 0 ? [] : await eventsOf(env_id, ids);
    return new Map(events.map((event) => [event.id, event.bytes]));
  }

  async function readRows(): Promise<void> {
    const now = clock.now();
    const seen = changes;
    recordedMeanwhile = new Set();
    const rows = await store.due(env_id, webhook_id, now, DUE_MAX + inHand.size);
    const isFree = ({ id }: DueRow) => !inHand.has(id) && !recordedMeanwhile.has(id);
    const free = rows.filter(isFree).slice(0, DUE_MAX);
    const bodies = await bodiesOf(free);
    const next = free.length > 0 ? now : ((await store.nextDue(env_id, webhook_id, now)) ?? Number.POSITIVE_INFINITY);
    if (changes !== seen) return void (dueAt = 0);
    for (const row of free.filter(isFree)) {
      inHand.add(row.id);
      waiting.push({ kind: "again", row, body: row.body === null ? (bodies.get(row.event_id) ?? null) : Buffer.from(row.body) });
    }
    dueAt = Math.min(dueAt, next);
  }

  return {
    next: () => waiting.shift(),
    hasNext: () => waiting.length > 0,
    putBack: (item) => void waiting.unshift(item),
    recorded(id, nextAt) {
      inHand.delete(id);
      recordedMeanwhile.add(id);
      if (nextAt !== null) dueAt = Math.min(dueAt, nextAt);
    },
    expect: (at) => void (dueAt = Math.min(dueAt, at)),
    forget() {
      changes++;
      for (const { row } of waiting) inHand.delete(row.id);
      waiting = [];
      dueAt = 0;
    },
    wantsReading: (now) => !reading && waiting.length === 0 && dueAt <= now && inHand.size < IN_HAND_MAX,
    async read() {
      reading = true;
      // What is recorded while this reads sets an earlier time again.
      dueAt = Number.POSITIVE_INFINITY;
      try {
        await readRows();
      } catch (error) {
        dueAt = 0;
        throw error;
      } finally {
        reading = false;
      }
    },
    isReading: () => reading,
    nextAt: () => dueAt,
  };
}
