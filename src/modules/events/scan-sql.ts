import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { rowsOfContact } from "#db/of-contact.ts";
import { isAfterPlace, isUpToPlace } from "#db/place.ts";
import type { EventRow } from "#db/schema.ts";
import { lowestId, madeAt } from "#src/core/ids.ts";
import type { EventFilter } from "./filter.ts";
import { isAfter, type Place } from "./model.ts";

/** Events that are looked at in one go, whether they fit or not: few at first, since often most do. One answer looks at 10,000. */
const LOOKS = [500, 9_500];
/** An event is of this much before the id of its subject says at most: clocks of several copies, transactions that wait. */
const BEFORE_SUBJECT_MS = 10_000;

/** What fits a filter, after a place. */
export interface Scan {
  rows: EventRow[];
  /** Up to here everything that fits is among the rows; undefined when there is nothing after the place at all. */
  end: Pick<EventRow, "id" | "tx_id" | "seq"> | undefined;
  /** Whether more may stand after `end`. */
  more: boolean;
}

/** Reads the log through a filter, beside the main thread. */
export function createScan(db: Database) {
  const { events: contactEvents } = rowsOfContact(db);
  const visible = sql<boolean>`tx_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`;
  const after = (place: Place) => isAfterPlace(db.engine, place);
  const upTo = (place: Place) => isUpToPlace(db.engine, place);

  /** Those that may be shown: on PostgreSQL nothing that a transaction still running could precede. */
  const shown = (env_id: number) =>
    db.read
      .selectFrom("events")
      .where("env_id", "=", env_id)
      .$if(db.engine === "postgres", (query) => query.where(visible));

  async function first(query: ReturnType<typeof shown>): Promise<Scan["end"]> {
    const [row] = await db.slowly(query.select(["id", "tx_id", "seq"]).limit(1));
    return row;
  }

  const newest = (env_id: number) => first(shown(env_id).orderBy("tx_id", "desc").orderBy("seq", "desc"));

  /** How far one look goes: so many events, or the log's end. */
  async function horizon(env_id: number, place: Place, count: number): Promise<{ end: Scan["end"]; isFull: boolean }> {
    // Steps through the index alone.
    const last = shown(env_id)
      .select(["tx_id", "seq"])
      .where(after(place))
      .orderBy("tx_id")
      .orderBy("seq")
      .offset(count - 1)
      .limit(1);
    const [full] = await db.slowly(
      db.read
        .selectFrom("events")
        .select(["id", "tx_id", "seq"])
        .where("env_id", "=", env_id)
        .where(sql<boolean>`(tx_id, seq) = (${last})`),
    );
    if (full !== undefined) return { end: full, isFull: true };
    const newestOne = await newest(env_id);
    return { end: newestOne !== undefined && isAfter(newestOne, place) ? newestOne : undefined, isFull: false };
  }

  /** Where the events of a subject can begin, by the time that its id carries. */
  async function beginning(env_id: number, subject: string, place: Place): Promise<Place> {
    const made = madeAt(subject);
    if (made === null) return place;
    const lowest = lowestId("evt", made - BEFORE_SUBJECT_MS);
    const before = await first(shown(env_id).where("id", "<", lowest).orderBy("id", "desc"));
    return before !== undefined && isAfter(before, place) ? before : place;
  }

  /** @param count the events that stand up to `end`, at most */
  async function fitting(env_id: number, { types, subject }: EventFilter, place: Place, end: Place, count: number, most: number) {
    if (types.length === 0) return [];
    const between = db.read.selectFrom("events").selectAll().where("env_id", "=", env_id).where(after(place)).where(upTo(end));
    // Without the limit PostgreSQL may take the range for a larger one than it is, and read the whole table.
    const looked =
      db.engine === "sqlite" ? between : db.read.selectFrom(between.orderBy("tx_id").orderBy("seq").limit(count).as("events")).selectAll();
    const fit = looked.where("type", "in", types);
    const ofSubject = subject === undefined ? fit : fit.where("subject", "=", subject);
    return db.slowly(ofSubject.orderBy("tx_id").orderBy("seq").limit(most));
  }

  /** By the index of contacts: the signs keep the planners from walking the log in its order instead. */
  async function ofContact(env_id: number, { types, subject }: EventFilter, place: Place, end: Place, most: number): Promise<EventRow[]> {
    if (types.length === 0) return [];
    return db.slowly(
      contactEvents(env_id, subject!)
        .selectAll()
        .where("type", "in", types)
        .where(sql<boolean>`(+tx_id, +seq) > (${place.tx_id}, ${place.seq})`)
        .where(sql<boolean>`(+tx_id, +seq) <= (${end.tx_id}, ${end.seq})`)
        .orderBy(sql`+tx_id`)
        .orderBy(sql`+seq`)
        .limit(most),
    );
  }

  /** @param most rows */
  return async function scan(env_id: number, filter: EventFilter, place: Place, most: number): Promise<Scan> {
    const { subject } = filter;
    if (subject !== undefined && isContact(subject)) {
      // Found by an index of their own: no need to stop before the end.
      const end = await newest(env_id);
      if (end === undefined || !isAfter(end, place)) return { rows: [], end: undefined, more: false };
      return cut(await ofContact(env_id, filter, place, end, most + 1), end, false, most);
    }
    let from = subject === undefined ? place : await beginning(env_id, subject, place);
    let reached: Scan = { rows: [], end: from === place ? undefined : (from as Scan["end"]), more: false };
    for (const count of LOOKS) {
      const { end, isFull } = await horizon(env_id, from, count);
      if (end === undefined) return { ...reached, more: false };
      const rows = reached.rows.concat(await fitting(env_id, filter, from, end, count, most + 1 - reached.rows.length));
      reached = cut(rows, end, isFull, most);
      if (!isFull || rows.length > most) return reached;
      from = end;
    }
    return reached;
  };
}

function cut(found: EventRow[], end: NonNullable<Scan["end"]>, isFull: boolean, most: number): Scan {
  if (found.length <= most) return { rows: found, end, more: isFull };
  const rows = found.slice(0, most);
  return { rows, end: rows.at(-1), more: true };
}

const isContact = (subject: string) => subject.startsWith("ct_");
