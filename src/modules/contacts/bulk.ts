import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { BulkStore, WholeContact } from "./bulk-sql.ts";
import { type createContactFields, type FieldWork, indexedValues, type KnownFields } from "./fields.ts";
import { identities, type Identity } from "./identity.ts";
import type { ImportEntry } from "./import-row.ts";
import { type Changed, diffRows } from "./changes.ts";
import { severalPeople } from "./conflicts.ts";
import { presentContact, wordsOfContact } from "./present.ts";
import { happeningsOf, isSame, type Scoring } from "./happenings.ts";
import { apply, blank } from "./row.ts";
import { createRowWriter } from "./row-writer.ts";
import type { ContactRow, ContactStore } from "./store.ts";

export interface BulkOptions {
  mode: "create" | "update" | "upsert";
  /** Nothing is written. */
  dry: boolean;
  /** Of how many differences it is told what they are. */
  samples: number;
  /** Whether the same import has made the contact with this number. */
  isOwn(tx: Tx, number: number): Maybe<boolean>;
}

/** What became of an entry. */
export type BulkOutcome = { kind: "created" | "updated" | "unchanged" | "skipped" } | { kind: "failed"; error: AppError };

/** A contact that was changed: what its columns held before and hold now; null for one that the same import had made. */
interface BulkChange {
  contact_id: string;
  written_at: number;
  changed: Changed | null;
}

interface BulkSample {
  /** Of the entry. */
  index: number;
  change: "created" | "updated";
  contact_id: string | null;
  members: Record<string, { before: unknown; after: unknown }>;
}

export interface BulkResult {
  outcomes: BulkOutcome[];
  /** The numbers of those who were made, without a gap. */
  made: { first: number; last: number; at: number } | null;
  changes: BulkChange[];
  samples: BulkSample[];
}

/** Somebody as they will be after the step. */
interface Person {
  before: ContactRow | null;
  row: ContactRow;
}

type Faces = Record<Identity, Map<string | number, Person>>;

interface Needs {
  store: ContactStore;
  bulk: BulkStore;
  clock: Clock;
  custom: ReturnType<typeof createContactFields>;
  scoring: Pick<Scoring, "changed">;
}

/** Writes contacts by the hundred: as upserts one after another would, with neither events nor audit. */
export function createBulkWriter({ store, bulk, clock, custom, scoring }: Needs) {
  const rows = createRowWriter(store, custom);

  async function find(tx: Tx, env_id: number, entries: readonly ImportEntry[]): Promise<Faces> {
    const given = Object.fromEntries(identities.map((name) => [name, new Set<string | number>()])) as Record<
      Identity,
      Set<string | number>
    >;
    for (const entry of entries)
      for (const name of identities) {
        const value = entry.identities[name];
        if (value !== undefined && value !== null) given[name].add(value);
      }
    await store.lockIdentities(tx, env_id, ...entries.map((entry) => entry.identities));
    const byId = new Map<string, Person>();
    for (const name of identities) {
      if (given[name].size === 0) continue;
      for (const row of await bulk.byIdentity(tx, env_id, name, [...given[name]]))
        if (!byId.has(row.id)) byId.set(row.id, { before: row, row });
    }
    const faces = Object.fromEntries(identities.map((name) => [name, new Map()])) as unknown as Faces;
    for (const person of byId.values()) remember(faces, person);
    return faces;
  }

  async function insert(tx: Tx, env_id: number, made: readonly Person[], known: KnownFields) {
    if (made.length === 0) return null;
    const last = await store.count(tx, env_id, "contact numbers", made.length);
    await store.count(tx, env_id, "contacts", made.length);
    const first = last - made.length + 1;
    const numbers = await bulk.nextRows(tx, made.length);
    const people = made.map(({ row }, at): WholeContact => {
      row.number = first + at;
      row.row = numbers[at]!;
      const tags = row.tags === "[]" ? [] : (JSON.parse(row.tags) as string[]);
      return { row, words: wordsOfContact(row), tags, values: indexedValues(row.fields, known) };
    });
    bulk.insert(tx, people);
    return { first, last, at: made[0]!.row.created_at };
  }

  /** @param known the custom fields that the entries were read by @throws AppError `unavailable` */
  async function write(
    tx: Tx,
    env_id: number,
    entries: readonly ImportEntry[],
    known: KnownFields,
    options: BulkOptions,
  ): Promise<BulkResult> {
    const now = clock.now(env_id);
    const faces = await find(tx, env_id, entries);
    const made: Person[] = [];
    const changed = new Set<Person>();
    const samples: BulkSample[] = [];

    function sample(index: number, person: Person, after: ContactRow, isNew: boolean): void {
      if (samples.length >= options.samples) return;
      const members = memberDiff(isNew ? null : person.row, after, known);
      samples.push({ index, change: isNew ? "created" : "updated", contact_id: isNew ? null : after.id, members });
    }

    function take(entry: ImportEntry, index: number): BulkOutcome {
      const person = personOf(faces, entry);
      if (person === undefined ? options.mode === "update" : options.mode === "create") return { kind: "skipped" };
      const { input } = entry;
      const before = person?.row ?? { ...blank(env_id, 0, now), row: 0 };
      const fields: FieldWork = { known, given: entry.given };
      const after: ContactRow = {
        ...apply(before, { input, identities: entry.identities, fields }, input.tags_mode ?? "add", now),
        row: before.row,
      };
      if (person === undefined) {
        const fresh: Person = { before: null, row: after };
        made.push(fresh);
        remember(faces, fresh);
        sample(index, fresh, after, true);
        return { kind: "created" };
      }
      if (isSame(before, after)) return { kind: "unchanged" };
      sample(index, person, after, false);
      forget(faces, person);
      person.row = after;
      remember(faces, person);
      if (person.before !== null) changed.add(person);
      return { kind: "updated" };
    }

    const outcomes = entries.map((entry, index): BulkOutcome => {
      try {
        return take(entry, index);
      } catch (error) {
        if (!(error instanceof AppError) || error.code === "unavailable") throw error;
        return { kind: "failed", error };
      }
    });
    if (options.dry) return { outcomes, made: null, changes: [], samples };

    // What somebody gives up is free before another gets it, in whatever order the rows of the file said so.
    for (const { before, row } of changed) {
      const freed = identities.filter((name) => before![name] !== null && before![name] !== row[name]);
      if (freed.length > 0) store.update(tx, { ...before!, ...Object.fromEntries(freed.map((name) => [name, null])) });
    }
    const changes: BulkChange[] = [];
    for (const { before, row } of changed) {
      rows.replace(tx, before!, row, known);
      const isOwn = await options.isOwn(tx, row.number);
      changes.push({ contact_id: row.id, written_at: now, changed: isOwn ? null : diffRows(before!, row) });
    }
    const range = await insert(tx, env_id, made, known);
    const all = [...made, ...changed].map(({ before, row }) => ({ before, after: row, happened: happeningsOf(before, row) }));
    await scoring.changed(tx, { env_id, actor: "job" }, all);
    return { outcomes, made: range, changes, samples };
  }

  return write;
}

/** @throws AppError `conflict` when the identities belong to two people */
function personOf(faces: Faces, entry: ImportEntry): Person | undefined {
  let found: Person | undefined;
  let by: Identity | undefined;
  for (const name of identities) {
    const value = entry.identities[name];
    const person = value === undefined || value === null ? undefined : faces[name].get(value);
    if (person === undefined || person === found) continue;
    if (found !== undefined) {
      throw severalPeople([
        { id: found.row.id, by: by! },
        { id: person.row.id, by: name },
      ]);
    }
    found = person;
    by = name;
  }
  return found;
}

function remember(faces: Faces, person: Person): void {
  for (const name of identities) {
    const value = person.row[name];
    if (value !== null) faces[name].set(value, person);
  }
}

function forget(faces: Faces, { row }: Person): void {
  for (const name of identities) if (row[name] !== null) faces[name].delete(row[name]);
}

/** What a client would see change. */
function memberDiff(before: ContactRow | null, after: ContactRow, known: KnownFields): BulkSample["members"] {
  const hidden = new Set(["id", "number", "created_at", "updated_at", "last_seen_at"]);
  const was = before === null ? null : (presentContact(before, known) as Record<string, unknown>);
  const is = Object.entries(presentContact(after, known)).filter(([name]) => !hidden.has(name));
  const empty = (value: unknown) => value === null || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  const pairs = is.map(([name, value]) => [name, { before: was?.[name] ?? null, after: value }] as const);
  return Object.fromEntries(
    pairs.filter(([, { before, after }]) => (was === null ? !empty(after) : JSON.stringify(before) !== JSON.stringify(after))),
  );
}
