import { type Clock, parseTime, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import { cutText, foldText } from "#src/core/search-text.ts";
import { isTimezone } from "#src/core/timezone.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { EventType, NewEvent } from "#src/modules/events/model.ts";
import { narrow, placeOf, writePlace } from "./filter.ts";
import { identities, type Identities, readIdentities } from "./identity.ts";
import type { Contact, ContactBatch, ContactBatchAnswer, ContactFilter, ContactInput } from "./model.ts";
import { mergeNames } from "./names.ts";
import { presentContact, variablesOf, wordsOfContact } from "./present.ts";
import type { ContactRow, ContactStore, NewContactRow } from "./store.ts";
import { mergeTags, readTags } from "./tags.ts";

interface Needs {
  store: ContactStore;
  clock: Clock;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

/** Of a name, for lists in its order. */
const SORT_NAME_MAX = 100;

/** Who writes: where, and under which name it is noted. */
export interface Writer {
  env_id: number;
  /** `key_…`, `command`, `job`. */
  actor: string;
}

export type ContactService = ReturnType<typeof createContactService>;

export function createContactService({ store, clock, appendEvent }: Needs) {
  /** @throws AppError `conflict` when the identities belong to two people */
  async function match(tx: Tx, env_id: number, given: Identities): Promise<ContactRow | undefined> {
    const found = new Map<string, { row: ContactRow; by: string }>();
    for (const name of identities) {
      const value = given[name];
      if (value === undefined || value === null) continue;
      const row = await store.byIdentity(tx, env_id, name, value);
      if (row !== undefined && !found.has(row.id)) found.set(row.id, { row, by: name });
    }
    if (found.size > 1) throw severalPeople([...found].map(([id, { by }]) => ({ id, by })));
    return [...found.values()][0]?.row;
  }

  function event(tx: Tx, type: EventType, row: ContactRow | NewContactRow, { env_id, actor }: Writer, more: object = {}): void {
    appendEvent(tx, env_id, { type, subject: row.id, actor, data: { ...presentContact(row), ...more } });
  }

  async function create(tx: Tx, writer: Writer, input: ContactInput, given: Identities): Promise<ContactRow> {
    const { env_id } = writer;
    const now = clock.now();
    const number = await store.count(tx, env_id, "contact numbers", 1);
    await store.count(tx, env_id, "contacts", 1);
    const fresh = apply(blank(env_id, number, now), input, given, "add", now);
    const row = { ...fresh, row: await store.insert(tx, fresh) };
    store.keepWords(tx, row, wordsOfContact(row));
    const tags = JSON.parse(row.tags) as string[];
    for (const tag of tags) store.addTag(tx, row, tag);
    event(tx, "contact.created", row, writer);
    if (tags.length > 0) event(tx, "contact.tagged", row, writer, { tags_added: tags });
    return row;
  }

  function change(tx: Tx, writer: Writer, before: ContactRow, input: ContactInput, given: Identities, mode: "add" | "replace"): ContactRow {
    const now = clock.now();
    const after = { ...apply(before, input, given, input.tags_mode ?? mode, now), row: before.row };
    if (isSame(before, after)) return before;
    store.update(tx, after);
    if (wordsOfContact(before).join(" ") !== wordsOfContact(after).join(" ")) store.keepWords(tx, after, wordsOfContact(after));
    const [had, has] = [before, after].map((row) => new Set(JSON.parse(row.tags) as string[])) as [Set<string>, Set<string>];
    const [added, removed] = [[...has.difference(had)], [...had.difference(has)]];
    for (const tag of added) store.addTag(tx, before, tag);
    for (const tag of removed) store.removeTag(tx, before, tag);
    if (!isSame(before, { ...after, tags: before.tags })) event(tx, "contact.updated", after, writer);
    if (added.length > 0) event(tx, "contact.tagged", after, writer, { tags_added: added });
    if (removed.length > 0) event(tx, "contact.untagged", after, writer, { tags_removed: removed });
    return after;
  }

  async function upsert(tx: Tx, writer: Writer, input: ContactInput): Promise<{ contact: Contact; created: boolean; before?: ContactRow }> {
    const given = readIdentities(input);
    check(input);
    await store.lockIdentities(tx, writer.env_id, given);
    const before = await match(tx, writer.env_id, given);
    if (before !== undefined) return { contact: presentContact(change(tx, writer, before, input, given, "add")), created: false, before };
    return { contact: presentContact(await create(tx, writer, input, given)), created: true };
  }

  async function find(tx: Tx, env_id: number, ref: string): Promise<ContactRow> {
    const id = ref.startsWith("ct_") ? ref : (await store.byNumber(tx, env_id, Number(ref)))?.id;
    const row = id === undefined ? undefined : await store.lock(tx, env_id, id);
    if (row === undefined || row.deleted_at !== null) throw notFound("contact");
    return row;
  }

  return {
    /**
     * Makes a contact, or changes the one that has one of the identities: by external id, then Telegram id, username, email and
     * phone. What is absent stays, null clears, tags are added.
     * @throws AppError `validation_error`, `conflict` when the identities belong to two people
     */
    upsert,

    /** Upserts up to 500; each is taken or refused by itself. */
    async upsertBatch(tx: Tx, writer: Writer, { contacts }: ContactBatch): Promise<ContactBatchAnswer> {
      const results: ContactBatchAnswer["results"] = [];
      for (const [index, input] of contacts.entries()) {
        try {
          const { contact, created } = await upsert(tx, writer, input);
          results.push({ index, id: contact.id, number: contact.number, created });
        } catch (error) {
          // All checks come before the first write, so a refused one leaves nothing behind.
          if (!(error instanceof AppError) || error.code === "unavailable") throw error;
          const { code, message, details } = error;
          results.push({ index, error: { code, message, ...(details === undefined ? {} : { details }) } });
        }
      }
      const created = results.filter((result) => "created" in result && result.created).length;
      const refused = results.filter((result) => "error" in result).length;
      return { results, created, updated: results.length - created - refused, refused };
    },

    /** @throws AppError `validation_error` for a bad cursor or time, or a search without a word */
    async list(env_id: number, filter: ContactFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Contact>> {
      const { sort = "-created_at" } = filter;
      const by = narrow(filter);
      const list = `contacts ${sort}`;
      const after = cursor === undefined ? null : placeOf(decodeCursor(list, env_id, cursor), sort);
      const [rows, count] = await Promise.all([store.page(env_id, by, sort, after, offset, limit + 1), store.total(env_id, by)]);
      return toPage(rows, { list, env_id, limit, offset }, count, presentContact, (row) => writePlace(row, sort));
    },

    /** @param ref an id or a number @throws AppError `not_found` */
    async get(env_id: number, ref: string): Promise<Contact> {
      const row = await (ref.startsWith("ct_") ? store.byId(null, env_id, ref) : store.byNumber(null, env_id, Number(ref)));
      if (row === undefined || row.deleted_at !== null) throw notFound("contact");
      return presentContact(row);
    },

    /**
     * Changes what is given; tags are replaced unless they are to be added.
     * @throws AppError `not_found`, `validation_error`, `conflict` when an identity is another's; what `check` throws
     */
    async patch(tx: Tx, writer: Writer, ref: string, input: ContactInput, precondition: Precondition): Promise<Contact> {
      const given = readIdentities(input);
      check(input);
      await store.lockIdentities(tx, writer.env_id, given);
      const before = await find(tx, writer.env_id, ref);
      precondition(presentContact(before));
      for (const name of identities) {
        const value = given[name];
        const other = value === undefined || value === null ? undefined : await store.byIdentity(tx, writer.env_id, name, value);
        if (other !== undefined && other.id !== before.id) throw taken(name, other.id);
      }
      return presentContact(change(tx, writer, before, input, given, "replace"));
    },

    /** What a contact can be written to at, the surest first; undefined where there is none. */
    async addresses(tx: Tx, env_id: number, id: string): Promise<string[] | undefined> {
      const row = await store.byId(tx, env_id, id);
      if (row === undefined || row.deleted_at !== null) return undefined;
      const { telegram_id, username, phone } = row;
      return [telegram_id === null ? null : String(telegram_id), username === null ? null : `@${username}`, phone].filter(
        (address) => address !== null,
      );
    },

    /** Whose a recipient is: a `@username`, a Telegram id or a telephone number. */
    ownerOf(tx: Tx, env_id: number, recipient: string): Maybe<string | null> {
      if (recipient.startsWith("@")) return store.idOf(tx, env_id, "username", recipient.slice(1));
      if (recipient.startsWith("+")) return store.idOf(tx, env_id, "phone", recipient);
      return recipient.startsWith("-") ? null : store.idOf(tx, env_id, "telegram_id", Number(recipient));
    },

    /** All that templates may look up of a contact; undefined where there is none. */
    async facts(tx: Tx | null, env_id: number, id: string): Promise<Contact | undefined> {
      const row = await store.byId(tx, env_id, id);
      return row === undefined || row.deleted_at !== null ? undefined : presentContact(row);
    },

    /** What texts may say of these contacts, by their ids. */
    async variables(tx: Tx, env_id: number, ids: readonly string[]): Promise<ReadonlyMap<string, Record<string, string>>> {
      const rows = await store.several(tx, env_id, [...new Set(ids)]);
      return new Map(rows.map((row) => [row.id, variablesOf(row)]));
    },

    /** Takes a contact out of every list; what is kept of them is erased later. @throws AppError `not_found`; what `check` throws */
    async remove(tx: Tx, writer: Writer, ref: string, precondition: Precondition): Promise<void> {
      const row = await find(tx, writer.env_id, ref);
      precondition(presentContact(row));
      const deleted_at = clock.now();
      store.update(tx, { ...row, deleted_at, updated_at: deleted_at });
      store.keepWords(tx, row, []);
      for (const tag of JSON.parse(row.tags) as string[]) store.removeTag(tx, row, tag);
      await store.count(tx, row.env_id, "contacts", -1);
      event(tx, "contact.deleted", row, writer);
    },
  };
}

function apply(before: NewContactRow, input: ContactInput, given: Identities, mode: "add" | "replace", now: number): NewContactRow {
  const names = mergeNames(before, {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.first_name === undefined ? {} : { first_name: input.first_name }),
    ...(input.last_name === undefined ? {} : { last_name: input.last_name }),
  });
  return {
    ...before,
    ...given,
    ...names,
    sort_name: cutText(foldText(names.name ?? ""), SORT_NAME_MAX),
    ...(input.language === undefined ? {} : { language: input.language === null ? null : Intl.getCanonicalLocales(input.language)[0]! }),
    ...(input.timezone === undefined ? {} : { timezone: input.timezone }),
    ...(input.consent === undefined ? {} : { consent: consentOf(input.consent, now) }),
    ...(input.tags === undefined ? {} : { tags: JSON.stringify(mergeTags(before.tags, readTags(input.tags), mode)) }),
    ...(input.metadata === undefined ? {} : { metadata: JSON.stringify(input.metadata) }),
    updated_at: now,
  };
}

function consentOf(consent: NonNullable<ContactInput["consent"]> | null, now: number): string | null {
  if (consent === null) return null;
  return JSON.stringify({
    status: consent.status,
    at: toTime(consent.at === undefined ? now : parseTime(consent.at)),
    source: consent.source ?? null,
  });
}

/** All that can be wrong with what is no identity. @throws AppError `validation_error` */
function check({ language, timezone, consent, tags }: ContactInput): void {
  if (typeof language === "string" && !isLanguage(language))
    throw invalidField("language", "bad_format", "language is not a tag such as en or pt-BR.", language);
  if (typeof timezone === "string" && !isTimezone(timezone))
    throw invalidField("timezone", "bad_format", "timezone is not an IANA name such as Europe/Berlin.", timezone);
  if (consent?.at !== undefined && parseTime(consent.at) === null)
    throw invalidField("consent.at", "bad_format", "consent.at is not a time such as 2030-01-01T09:00:00Z.", consent.at);
  if (tags !== undefined) readTags(tags);
}

function isLanguage(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length === 1;
  } catch {
    return false;
  }
}

function isSame(a: NewContactRow, b: NewContactRow): boolean {
  return JSON.stringify({ ...a, updated_at: 0 }) === JSON.stringify({ ...b, updated_at: 0 });
}

function severalPeople(found: { id: string; by: string }[]): AppError {
  const told = found.map(({ id, by }) => `${by} is ${id}'s`).join(", ");
  return new AppError("conflict", `These identities belong to different contacts: ${told}. Merge them, or send what belongs to one.`, {
    members: { contact_ids: found.map(({ id }) => id) },
  });
}

function taken(field: string, id: string): AppError {
  return new AppError("conflict", `Another contact, ${id}, has this ${field}.`, { members: { contact_ids: [id] } });
}

function blank(env_id: number, number: number, now: number): NewContactRow {
  return {
    env_id,
    id: newId("ct", now),
    number,
    external_id: null,
    telegram_id: null,
    username: null,
    email: null,
    phone: null,
    name: null,
    first_name: null,
    last_name: null,
    sort_name: "",
    language: null,
    timezone: null,
    consent: null,
    tags: "[]",
    fields: "{}",
    metadata: "{}",
    last_seen_at: null,
    deleted_at: null,
    created_at: now,
    updated_at: now,
  };
}
