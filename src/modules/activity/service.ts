import { addressesOf } from "#src/core/addresses.ts";
import { type Clock, toTime } from "#src/core/clock.ts";
import { invalidField, notFound } from "#src/core/errors.ts";
import { decodeCursor, PAGE_DEFAULT, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import type { AuditEntry } from "#src/modules/audit/model.ts";
import type { Recipient } from "#src/modules/broadcasts/model.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Enrollment } from "#src/modules/sequences/model.ts";
import type { Suppression } from "#src/modules/suppressions/model.ts";
import type { HeldPoints } from "#src/modules/scoring/model.ts";
import type { ActivityItem, ActivityPage } from "./model.ts";
import type { HeldThread, ThreadNote } from "#src/modules/threads/model.ts";
import type {
  ActivityStore,
  AuditRow,
  ContactRow,
  EnrollmentRow,
  EventRow,
  MessageRow,
  ReceivedRow,
  SuppressionRow,
  ThreadNoteRow,
  ThreadRow,
} from "./store.ts";

interface Needs {
  store: ActivityStore;
  clock: Clock;
  /** What a contact has got for events, as scoring shows it. */
  points(env_id: number, contact: ContactRow): Promise<HeldPoints[]>;
  merges: {
    /** Whom the id or number of a contact that was merged stands for; null where it was not. */
    survivorOf(env_id: number, ref: string): Promise<string | null>;
    /** Who became part of a contact. */
    mergedInto(env_id: number, id: string): Promise<string[]>;
  };
  /** How the modules that these rows are of show them. */
  present: {
    contact(row: ContactRow): Promise<Contact>;
    message(row: MessageRow): Message;
    event(row: EventRow): Event;
    auditEntry(row: AuditRow): AuditEntry;
    suppression(row: SuppressionRow): Suppression;
    thread(row: ThreadRow): HeldThread;
    note(row: ThreadNoteRow): ThreadNote;
    enrollment(row: EnrollmentRow): Enrollment;
    recipient(row: ReceivedRow): Recipient;
  };
}

type Asker = Pick<Principal, "env_id" | "scopes">;

const encoder = new TextEncoder();

/** Rows that an export reads at a time. */
const ROWS_MAX = 200;

export type ActivityService = ReturnType<typeof createActivityService>;

/** What a person did and what was done with them, and all that is held on them. */
export function createActivityService({ store, clock, points, merges, present }: Needs) {
  const itemOfMessage = (row: MessageRow): ActivityItem => {
    const message = present.message(row);
    return { id: row.id, at: message.created_at, type: `message.${message.status}`, actor: null, message, data: null };
  };
  const itemOfEvent = (row: EventRow): ActivityItem => {
    const { event, id, created_at, actor, data } = present.event(row);
    return { id, at: created_at, type: event, actor, message: null, data };
  };

  const received = (row: ReceivedRow) => ({ broadcast_id: row.id, name: row.name, ...present.recipient(row) });

  const each = <Row extends { id: string }>(page: ReadPage<Row>, show: (row: Row) => object) => shown(pages(page), show);

  /** A contact that is no part of another, also one that is deleted. */
  async function find(env_id: number, ref: string): Promise<ContactRow> {
    const row = await store.contact(env_id, ref);
    const isLeft = row !== undefined && row.deleted_at === null;
    const survivor = isLeft ? null : await merges.survivorOf(env_id, ref);
    if (survivor !== null) return find(env_id, survivor);
    if (row === undefined) throw notFound("contact");
    return row;
  }

  async function* messagesOf(env_id: number, ids: readonly string[], addresses: readonly string[]): AsyncGenerator<string[]> {
    for (const id of ids) yield* each((after, most) => store.messagesAfter(env_id, id, after, most), present.message);
    for (const address of addresses) yield* each((after, most) => store.messagesTo(env_id, address, after, most), present.message);
  }

  /** Their conversations, and those in chats of theirs that are nobody's. */
  async function* threadPages(env_id: number, ids: readonly string[], addresses: readonly string[]): AsyncGenerator<ThreadRow[]> {
    const chats = addresses.filter((address) => /^\d/.test(address));
    for (const id of ids) yield* pages((after, most) => store.threadsAfter(env_id, id, after, most));
    for (const chat of chats) yield* pages((after, most) => store.threadsIn(env_id, chat, after, most));
  }

  async function* notesIn(env_id: number, threads: AsyncGenerator<ThreadRow[]>): AsyncGenerator<string[]> {
    for await (const rows of threads)
      for (const { id } of rows) yield* each((after, most) => store.notesAfter(env_id, id, after, most), present.note);
  }

  async function* suppressionsOf(env_id: number, addresses: readonly string[]): AsyncGenerator<string[]> {
    for (const address of addresses) {
      const rows = await store.suppressionsOf(env_id, address);
      yield rows.map((row) => JSON.stringify(present.suppression(row)));
    }
  }

  async function* document(asker: Asker, row: ContactRow): AsyncGenerator<{ bytes: Uint8Array<ArrayBuffer> }, void, void> {
    for await (const text of texts(asker, row)) yield { bytes: encoder.encode(text) };
  }

  async function* texts({ env_id, scopes }: Asker, row: ContactRow): AsyncGenerator<string> {
    const ids = [...(await merges.mergedInto(env_id, row.id)), row.id];
    const merged = (await Promise.all(ids.slice(0, -1).map((id) => store.contact(env_id, id)))).filter((one) => one !== undefined);
    const addresses = [...new Set([row, ...merged].flatMap(addressesOf))];
    const head = { exported_at: toTime(clock.now(row.env_id)), contact: await present.contact(row), deleted_at: toTime(row.deleted_at) };
    yield JSON.stringify(head).slice(0, -1);
    if (scopes.has("read:messages")) {
      yield* list("messages", messagesOf(env_id, ids, addresses));
      yield* list("threads", shown(threadPages(env_id, ids, addresses), present.thread));
      yield* list("notes", notesIn(env_id, threadPages(env_id, ids, addresses)));
      yield* list(
        "broadcasts",
        eachOf(ids, (id) => each((after, most) => store.receivedAfter(env_id, id, after, most), received)),
      );
    } else yield ',"messages":null,"threads":null,"notes":null,"broadcasts":null';
    if (scopes.has("read:messages") || scopes.has("manage:sequences"))
      yield* list(
        "enrollments",
        eachOf(ids, (id) => each((after, most) => store.enrollmentsAfter(env_id, id, after, most), present.enrollment)),
      );
    else yield ',"enrollments":null';
    yield* list(
      "events",
      eachOf(ids, (id) => each((after, most) => store.eventsAfter(env_id, id, after, most), present.event)),
    );
    yield* list(
      "audit",
      eachOf(ids, (id) => each((after, most) => store.auditAfter(env_id, id, after, most), present.auditEntry)),
    );
    yield* list("suppressions", suppressionsOf(env_id, addresses));
    yield `,"points":${JSON.stringify(await points(env_id, row))}`;
    yield `,"merged":${JSON.stringify(await Promise.all(merged.map(present.contact)))}`;
    yield "}";
  }

  return {
    /**
     * A contact's messages and its own events as one line of time, newest first; messages only for a key that may read them.
     * @param ref an id or a number
     * @throws AppError `not_found`, `validation_error` for a cursor that is not of this contact's activity
     */
    async list({ env_id, scopes }: Asker, ref: string, ask: { limit?: number; cursor?: string }): Promise<ActivityPage> {
      const contact = await find(env_id, ref);
      if (contact.deleted_at !== null) throw notFound("contact");
      const { limit = PAGE_DEFAULT, cursor } = ask;
      const list = `activity ${contact.id}`;
      const before = cursor === undefined ? AFTER_ALL : decodeCursor(list, env_id, cursor);
      if (!/^[0-9A-Z]{26}$/.test(before))
        throw invalidField("cursor", "bad_format", "The cursor is not one that this list gave: begin without it.");
      const items: ActivityItem[] = [];
      for (const id of [contact.id, ...(await merges.mergedInto(env_id, contact.id))]) {
        if (scopes.has("read:messages"))
          items.push(...(await store.messagesBefore(env_id, id, `msg_${before}`, limit + 1)).map(itemOfMessage));
        items.push(...(await store.eventsBefore(env_id, id, `evt_${before}`, limit + 1)).map(itemOfEvent));
      }
      const newest = items.toSorted((a, b) => (momentOf(a) < momentOf(b) ? 1 : -1)).slice(0, limit + 1);
      const page = toPage(newest, { list, env_id, limit, offset: 0 }, { total: 0, capped: false }, (item) => item, momentOf);
      return { items: page.items, limit, has_more: page.has_more, next_cursor: page.next_cursor };
    },

    /**
     * All that is held on a person, as the parts of one JSON document; also on a contact that is deleted and not erased yet.
     * @param ref an id or a number
     * @throws AppError `not_found`, before the first part
     */
    async held(asker: Asker, ref: string): Promise<AsyncGenerator<{ bytes: Uint8Array<ArrayBuffer> }, void, void>> {
      return document(asker, await find(asker.env_id, ref));
    },
  };
}

/** Behind every ULID. */
const AFTER_ALL = "Z".repeat(26);

/** The ULID: ids of messages and of events are in one order by it. */
const momentOf = ({ id }: { id: string }) => id.slice(id.indexOf("_") + 1);

async function* eachOf(ids: readonly string[], pages: (id: string) => AsyncGenerator<string[]>): AsyncGenerator<string[]> {
  for (const id of ids) yield* pages(id);
}

type ReadPage<Row> = (after: string, most: number) => Promise<Row[]>;

/** Every row of a list that is read from after an id on, page by page. */
async function* pages<Row extends { id: string }>(page: ReadPage<Row>): AsyncGenerator<Row[]> {
  let rows: Row[] = [];
  do {
    rows = await page(rows.at(-1)?.id ?? "", ROWS_MAX);
    if (rows.length > 0) yield rows;
  } while (rows.length === ROWS_MAX);
}

/** Rows as JSON. */
async function* shown<Row>(rows: AsyncGenerator<Row[]>, show: (row: Row) => object): AsyncGenerator<string[]> {
  for await (const some of rows) yield some.map((row) => JSON.stringify(show(row)));
}

/** A member of a document that holds a list of items, which come as JSON. */
async function* list(name: string, pages: AsyncGenerator<string[]>): AsyncGenerator<string> {
  yield `,"${name}":[`;
  let isFirst = true;
  for await (const items of pages) {
    if (items.length === 0) continue;
    yield (isFirst ? "" : ",") + items.join(",");
    isFirst = false;
  }
  yield "]";
}
