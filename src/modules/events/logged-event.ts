import type { Event } from "./model.ts";
import { presentEvent } from "./present.ts";
import type { EventRow } from "./store.ts";

/** A place in the log: everything up to it, in the order of commits, is before it. */
export interface Place {
  tx_id: number;
  seq: number;
}

/** Of two places of a log, whether the first is the later. */
export function isAfter(one: Place, other: Place): boolean {
  return one.tx_id === other.tx_id ? one.seq > other.seq : one.tx_id > other.tx_id;
}

/** An event as many read it: what is made of the row is made once, when somebody asks. */
export interface LoggedEvent extends Place {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly created_at: number;
  /** As it goes out, in lists and to receivers alike. */
  readonly event: Event;
  /** The same as JSON. */
  readonly body: string;
  /** The same as UTF-8. */
  readonly bytes: Uint8Array;
  /** Whom it is about: events that share one of these have an order among them. */
  readonly about: readonly string[];
}

export function createLoggedEvent(row: EventRow): LoggedEvent {
  let event: Event | undefined;
  let body: string | undefined;
  let bytes: Uint8Array | undefined;
  let about: readonly string[] | undefined;
  return {
    tx_id: row.tx_id,
    seq: row.seq,
    id: row.id,
    type: row.type,
    subject: row.subject,
    created_at: row.created_at,
    get event() {
      return (event ??= presentEvent(row));
    },
    get body() {
      return (body ??= writeBody(this.event, row.data));
    },
    get bytes() {
      return (bytes ??= Buffer.from(this.body));
    },
    get about() {
      return (about ??= aboutOf(this.event));
    },
  };
}

/** What the row holds as JSON is not written anew. */
function writeBody(event: Event, data: string): string {
  return `${JSON.stringify({ ...event, data: undefined }).slice(0, -1)},"data":${data}}`;
}

/** A message is about itself, and about the person at its other end, by contact where there is one and by address. */
function aboutOf({ subject, data }: Event): string[] {
  const { account_id, contact_id, to } = data as { account_id?: number | null; contact_id?: string | null; to?: string };
  const about = [subject];
  if (typeof contact_id === "string") about.push(contact_id);
  if (typeof to === "string" && to !== "") about.push(`${account_id ?? ""} ${to}`);
  return about;
}
