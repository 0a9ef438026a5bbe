import { addressesOf } from "#src/core/addresses.ts";
import type { Clock } from "#src/core/clock.ts";
import { AppError, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { EventType, NewEvent } from "#src/modules/events/model.ts";
import type { LeadChange, Score } from "#src/modules/scoring/model.ts";
import { apply, blank, check } from "./row.ts";
import { createRowWriter } from "./row-writer.ts";
import { mergedInto } from "./conflicts.ts";
import {
  createContactFields,
  type FieldReader,
  type FieldSource,
  type FieldWork,
  hasFields,
  type KnownFields,
  needsFields,
  NO_VALUES,
  noFields,
  readFields,
} from "./fields.ts";
import { placeOf, readFilter, type SegmentSource, writePlace } from "./filter.ts";
import { identitiesOf, type Identities, readIdentities } from "./identity.ts";
import { createReachable } from "./reachable.ts";
import { createRecognition } from "./recognition.ts";
import { createContactFinder, type SurvivorOf } from "./finding.ts";
import type { Contact, ContactBatch, ContactBatchAnswer, ContactFilter, ContactInput } from "./model.ts";
import { factsOf, presentContact, variablesOf, wordsOfContact } from "./present.ts";
import { detailsOf, happeningsOf, isSame, type Scoring } from "./happenings.ts";
import type { ContactRow, ContactStore } from "./store.ts";

interface Needs {
  store: ContactStore;
  clock: Clock;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  fields: FieldSource;
  scoring: Scoring;
  segments: SegmentSource;
  survivorOf: SurvivorOf;
}

/** Who writes: where, and under which name it is noted. */
export interface Writer {
  env_id: number;
  /** `key_…`, `command`, `job`, `contact`. */
  actor: string;
}

/** A write of one contact: by whom, what it gives, and the custom fields that there are. */
interface Act extends Writer {
  input: ContactInput;
  seen_at?: number | undefined;
  identities: Identities;
  fields: FieldWork;
  /** What has changed so far in this transaction, for scoring. */
  changes: LeadChange[];
}

/** What an upsert came to. */
interface Upserted {
  contact: Contact;
  created: boolean;
  /** The contact as it was; null when it is new. */
  before(): Contact | null;
}

export type ContactService = ReturnType<typeof createContactService>;

export function createContactService({ store, clock, appendEvent, fields: source, scoring, segments, survivorOf }: Needs) {
  const custom = createContactFields(source);
  const recognition = createRecognition(store);
  const rows = createRowWriter(store, custom);
  const { find, follow } = createContactFinder(store, survivorOf);

  function event(tx: Tx, type: EventType, row: ContactRow, { env_id, actor }: Writer, known: KnownFields, more: object = {}): void {
    appendEvent(tx, env_id, { type, subject: row.id, actor, data: { ...presentContact(row, known), ...more } });
  }

  /** What a change is, for the log and for scoring. */
  function tell(tx: Tx, act: Act, before: ContactRow | null, after: ContactRow): void {
    const happened = happeningsOf(before, after);
    for (const one of happened) event(tx, one.type, after, act, act.fields.known, detailsOf(one));
    act.changes.push({ before, after, happened });
  }

  async function create(tx: Tx, act: Act): Promise<ContactRow> {
    const { env_id } = act;
    const { known } = act.fields;
    const now = clock.now(env_id);
    const number = await store.count(tx, env_id, "contact numbers", 1);
    await store.count(tx, env_id, "contacts", 1);
    const fresh = apply(blank(env_id, number, now), act, "add", now);
    const row = { ...fresh, row: await store.insert(tx, fresh) };
    store.keepWords(tx, row, wordsOfContact(row));
    for (const tag of JSON.parse(row.tags) as string[]) store.addTag(tx, row, tag);
    if (hasFields(row)) custom.index(tx, row, NO_VALUES, row.fields, known);
    tell(tx, act, null, row);
    return row;
  }

  function change(tx: Tx, act: Act, before: ContactRow, mode: "add" | "replace"): ContactRow {
    const { known } = act.fields;
    const now = clock.now(act.env_id);
    const after = { ...apply(before, act, act.input.tags_mode ?? mode, now), row: before.row };
    if (isSame(before, after)) return before;
    if (isSame({ ...before, last_seen_at: after.last_seen_at }, after)) {
      // To be seen again is no change of a contact that anybody is told of.
      store.markSeen(tx, after);
      return { ...before, last_seen_at: after.last_seen_at };
    }
    rows.replace(tx, before, after, known);
    tell(tx, act, before, after);
    return after;
  }

  /** All that can be wrong with what is given, before the first write. @throws AppError `validation_error` */
  async function readAll(input: ContactInput, reader: FieldReader): Promise<{ identities: Identities; given: FieldWork["given"] }> {
    const identities = readIdentities(input);
    check(input);
    return { identities, given: await readFields(input, reader) };
  }

  async function upsert(
    tx: Tx,
    writer: Writer,
    input: ContactInput,
    changes: LeadChange[],
    reader: FieldReader = custom.reader(tx, writer.env_id),
    seen_at?: number,
  ): Promise<Upserted> {
    const read = await readAll(input, reader);
    await store.lockIdentities(tx, writer.env_id, read.identities);
    const before = await recognition.find(tx, writer.env_id, read.identities);
    const act: Act = {
      ...writer,
      ...{ input, seen_at },
      identities: read.identities,
      fields: { known: needsFields(read, before) ? await reader() : noFields, given: read.given },
      changes,
    };
    const row = before === undefined ? await create(tx, act) : change(tx, act, before, "add");
    const { known } = act.fields;
    const beforehand = () => (before === undefined ? null : presentContact(before, known));
    return { contact: presentContact(row, known), created: before === undefined, before: beforehand };
  }

  return {
    /**
     * Makes a contact, or changes the one that has one of the identities: by external id, then Telegram id, username, email and
     * phone. What is absent stays, null clears, tags are added.
     * @param seen_at when the person was seen, in ms
     * @throws AppError `validation_error`, `conflict` when the identities belong to two people
     */
    async upsert(tx: Tx, writer: Writer, input: ContactInput, seen_at?: number): Promise<Upserted> {
      const changes: LeadChange[] = [];
      const done = await upsert(tx, writer, input, changes, undefined, seen_at);
      await scoring.changed(tx, writer, changes);
      return done;
    },

    /** Upserts up to 500; each is taken or refused by itself. */
    async upsertBatch(tx: Tx, writer: Writer, { contacts }: ContactBatch): Promise<ContactBatchAnswer> {
      const results: ContactBatchAnswer["results"] = [];
      const reader = custom.reader(tx, writer.env_id);
      const changes: LeadChange[] = [];
      // All of them at once: batches that go crosswise would wait for one another.
      await store.lockIdentities(tx, writer.env_id, ...contacts.flatMap(identitiesOf));
      for (const [index, input] of contacts.entries()) {
        try {
          const { contact, created } = await upsert(tx, writer, input, changes, reader);
          results.push({ index, id: contact.id, number: contact.number, created });
        } catch (error) {
          // All checks come before the first write, so a refused one leaves nothing behind.
          if (!(error instanceof AppError) || error.code === "unavailable") throw error;
          const { code, message, details } = error;
          results.push({ index, error: { code, message, ...(details === undefined ? {} : { details }) } });
        }
      }
      await scoring.changed(tx, writer, changes);
      const created = results.filter((result) => "created" in result && result.created).length;
      const refused = results.filter((result) => "error" in result).length;
      return { results, created, updated: results.length - created - refused, refused };
    },

    /** @throws AppError `validation_error` for a bad cursor or time, a search without a word, or a field or segment that is not here */
    async list(env_id: number, filter: ContactFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Contact>> {
      const { sort = "-created_at" } = filter;
      const by = await readFilter(env_id, filter, { sought: custom.sought, segments });
      const list = `contacts ${sort}`;
      const after = cursor === undefined ? null : placeOf(decodeCursor(list, env_id, cursor), sort);
      const [rows, count] = await Promise.all([store.page(env_id, by, sort, after, offset, limit + 1), store.total(env_id, by)]);
      const known = await custom.knownFor(null, env_id, rows);
      return toPage(
        rows,
        { list, env_id, limit, offset },
        count,
        (row) => presentContact(row, known),
        (row) => writePlace(row, sort),
      );
    },

    /** A contact with its score. @param ref an id or a number @throws AppError `not_found` */
    async get(env_id: number, ref: string): Promise<Contact & { score: Score }> {
      const row = await follow(null, env_id, ref);
      if (row === undefined) throw notFound("contact");
      const [known, score] = await Promise.all([custom.knownFor(null, env_id, [row]), scoring.scoreOf(env_id, row)]);
      return { ...presentContact(row, known), score };
    },

    /**
     * Changes what is given; tags are replaced unless they are to be added.
     * @throws AppError `not_found`, `validation_error`, `conflict` when an identity is another's; what `check` throws
     */
    async patch(tx: Tx, writer: Writer, ref: string, input: ContactInput, precondition: Precondition): Promise<Contact> {
      const reader = custom.reader(tx, writer.env_id);
      const read = await readAll(input, reader);
      await store.lockIdentities(tx, writer.env_id, read.identities);
      const before = await find(tx, writer.env_id, ref);
      const act: Act = {
        ...writer,
        input,
        identities: read.identities,
        fields: { known: needsFields(read, before) ? await reader() : noFields, given: read.given },
        changes: [],
      };
      precondition(presentContact(before, act.fields.known));
      await recognition.checkFree(tx, before, read.identities);
      const after = change(tx, act, before, "replace");
      await scoring.changed(tx, writer, act.changes);
      return presentContact(after, act.fields.known);
    },

    /** Whom an id stands for, and what they can be written to at, the surest first; undefined where there is none. */
    async addresses(tx: Tx, env_id: number, ref: string): Promise<{ id: string; addresses: string[] } | undefined> {
      const row = await follow(tx, env_id, ref);
      return row === undefined ? undefined : { id: row.id, addresses: addressesOf(row) };
    },
    reachable: createReachable(store, survivorOf),

    /** Whose a recipient is: a `@username`, a Telegram id or a telephone number. */
    ownerOf(tx: Tx, env_id: number, recipient: string): Maybe<string | null> {
      if (recipient.startsWith("@")) return store.idOf(tx, env_id, "username", recipient.slice(1));
      if (recipient.startsWith("+")) return store.idOf(tx, env_id, "phone", recipient);
      return recipient.startsWith("-") ? null : store.idOf(tx, env_id, "telegram_id", Number(recipient));
    },

    /** A contact, or who it is part of by now, as clients see it; undefined where there is none. @param ref an id or a number */
    async find(tx: Tx | null, env_id: number, ref: string | number): Promise<Contact | undefined> {
      const row = await follow(tx, env_id, String(ref));
      return row === undefined ? undefined : presentContact(row, await custom.knownFor(tx, env_id, [row]));
    },

    /** All that templates may look up of a contact; undefined where there is none. @param ref an id or a number */
    async facts(tx: Tx | null, env_id: number, ref: string | number): Promise<Contact | undefined> {
      const row = await follow(tx, env_id, String(ref));
      return row === undefined ? undefined : factsOf(row, await custom.knownFor(tx, env_id, [row]));
    },

    /** A row as clients see it, for whoever has one. */
    present: async (row: ContactRow): Promise<Contact> => presentContact(row, await custom.knownFor(null, row.env_id, [row])),

    /** What texts may say of these contacts, by their ids. */
    async variables(tx: Tx, env_id: number, ids: readonly string[]): Promise<ReadonlyMap<string, Record<string, string>>> {
      const rows = new Map((await store.several(tx, env_id, [...new Set(ids)])).map((row) => [row.id, row]));
      for (const id of ids) {
        const row = rows.has(id) ? undefined : await follow(tx, env_id, id);
        if (row !== undefined) rows.set(id, row);
      }
      const known = await custom.knownFor(tx, env_id, [...rows.values()]);
      return new Map([...rows].map(([id, row]) => [id, variablesOf(row, known)]));
    },

    /**
     * Takes a contact out of every list; what is kept of them is erased later.
     * @throws AppError `not_found`, `conflict` for one that was merged into another; what `check` throws
     */
    async remove(tx: Tx, writer: Writer, ref: string, precondition: Precondition): Promise<void> {
      const row = await find(tx, writer.env_id, ref);
      if (row.id !== ref && String(row.number) !== ref) throw mergedInto(row.id);
      const known = await custom.knownFor(tx, row.env_id, [row]);
      precondition(presentContact(row, known));
      const deleted_at = clock.now(row.env_id);
      rows.remove(tx, row, known, deleted_at);
      await store.count(tx, row.env_id, "contacts", -1);
      event(tx, "contact.deleted", row, writer, known);
    },
  };
}
