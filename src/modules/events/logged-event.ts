import type { Event, Place } from "./model.ts";
import { presentEvent } from "./present.ts";
import type { EventRow } from "./store.ts";

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
  return new RowEvent(row);
}

/** A class, since there are many: what is made of the row is small, but for what was asked for. */
class RowEvent implements LoggedEvent {
  #event: Event | undefined;
  #about: readonly string[] | undefined;
  /** The event as JSON without its `data`, which the row has. */
  #head: string | undefined;
  #bytes: Uint8Array | undefined;

  constructor(private readonly row: EventRow) {}

  get tx_id(): number {
    return this.row.tx_id;
  }

  get seq(): number {
    return this.row.seq;
  }

  get id(): string {
    return this.row.id;
  }

  get type(): string {
    return this.row.type;
  }

  get subject(): string {
    return this.row.subject;
  }

  get created_at(): number {
    return this.row.created_at;
  }

  get event(): Event {
    return (this.#event ??= presentEvent(this.row));
  }

  get body(): string {
    if (this.#head === undefined) this.#read();
    return `${this.#head},"data":${this.row.data}}`;
  }

  get bytes(): Uint8Array {
    return (this.#bytes ??= Buffer.from(this.body));
  }

  get about(): readonly string[] {
    if (this.#about === undefined) this.#read();
    return this.#about!;
  }

  #read(): void {
    const event = this.#event ?? presentEvent(this.row);
    this.#about = aboutOf(event);
    this.#head = JSON.stringify({ ...event, data: undefined }).slice(0, -1);
  }
}

/** A message is about itself, and about the person at its other end, by contact where there is one and by address. */
function aboutOf({ subject, data }: Event): string[] {
  const { account_id, contact_id, to } = data as { account_id?: number | null; contact_id?: string | null; to?: string };
  const about = [subject];
  if (typeof contact_id === "string") about.push(contact_id);
  if (typeof to === "string" && to !== "") about.push(`${account_id ?? ""} ${to}`);
  return about;
}
