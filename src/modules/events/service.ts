import type { Clock } from "#src/core/clock.ts";
import { invalidField } from "#src/core/errors.ts";
import { madeAt, newId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";
import { type FilterAsk, isOfJob, isWhole, readFilter } from "./filter.ts";
import type { NewEvent, Place } from "./model.ts";
import { presentEvent } from "./present.ts";
import type { EventStore, Scan } from "./store.ts";

const DAY_MS = 86_400_000;
const BEGINNING: Place = { tx_id: -1, seq: -1 };

interface Needs {
  store: EventStore;
  clock: Clock;
  /** How long events are kept. */
  keptDays: number;
  /** Something was written in this environment. */
  appended(tx: Tx, env_id: number): void;
  /** Which of these jobs a key with these scopes can see. */
  reachableJobs(env_id: number, ids: readonly string[], scopes: ReadonlySet<string>): Promise<ReadonlySet<string>>;
}

export type EventService = ReturnType<typeof createEventService>;

/** The one log of everything that changes. */
export function createEventService({ store, clock, keptDays, appended, reachableJobs }: Needs) {
  /**
   * Where an event stands that a client names.
   * @throws AppError `validation_error` on that field when there is none, or none any more
   */
  async function placeAfter(env_id: number, field: string, id: string): Promise<Place> {
    const place = await store.place(env_id, id);
    if (place !== undefined) return place;
    const made = madeAt(id);
    const isPast = made !== null && made < clock.now() - keptDays * DAY_MS;
    const words = isPast
      ? `This event is no longer kept: events are removed after ${keptDays} days. Begin without it, at the oldest that is kept, and read anew what you keep a copy of.`
      : "There is no such event here: begin without it.";
    throw invalidField(field, "not_found", words);
  }

  /** Those whose jobs a key with these scopes can see. */
  async function visible<Row extends { type: string; subject: string }>(
    env_id: number,
    rows: readonly Row[],
    scopes: ReadonlySet<string>,
  ): Promise<readonly Row[]> {
    const jobs = rows.filter(isOfJob).map(({ subject }) => subject);
    if (jobs.length === 0) return rows;
    const seen = await reachableJobs(env_id, jobs, scopes);
    return rows.filter((row) => !isOfJob(row) || seen.has(row.subject));
  }

  /** All of the log: short enough to read for the main thread. */
  async function whole(env_id: number, place: Place, most: number): Promise<Scan> {
    const { rows } = await store.page(env_id, place, most + 1);
    const page = rows.slice(0, most);
    return { rows: page, end: page.at(-1), more: rows.length > most };
  }

  return {
    /** Writes an event down in the transaction of its change. */
    append(tx: Tx, env_id: number, event: NewEvent): void {
      const created_at = clock.now(env_id);
      const { type, subject, actor, data } = event;
      store.append(tx, { env_id, id: newId("evt", created_at, env_id), type, subject, actor, data: JSON.stringify(data), created_at });
      appended(tx, env_id);
    },

    /**
     * Events in the order of commits, those that the scopes may read.
     * @param ask `after` is the id of the last event seen, from the beginning without it
     * @returns a page that may be empty although there is more: one answer looks at 10,000 events at most
     * @throws AppError `validation_error` for an `after` that is not here, and for names of events that are not known
     */
    async list(env_id: number, scopes: ReadonlySet<string>, { after, limit, ...ask }: FilterAsk & { after?: string; limit: number }) {
      const filter = readFilter(ask, scopes);
      const place = after === undefined ? BEGINNING : await placeAfter(env_id, "after", after);
      const { rows, end, more } = isWhole(filter) ? await whole(env_id, place, limit) : await store.scan(env_id, filter, place, limit);
      const items = (await visible(env_id, rows, scopes)).map(presentEvent);
      // Who follows goes on behind what was hidden too.
      return { items, limit, has_more: more, next_cursor: end?.id ?? after ?? null };
    },

    placeAfter,
    visible,
  };
}
