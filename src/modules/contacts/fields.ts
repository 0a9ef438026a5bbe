import { invalidField } from "#src/core/errors.ts";
import { cutText } from "#src/core/search-text.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import { type FieldValue, indexedOf, readValue, soughtOf, writeValue } from "./field-values.ts";
import { ContactInput } from "./model.ts";
import type { SoughtValue } from "./lead-sql.ts";
import type { ContactRow } from "./store.ts";

/** What contacts need of custom fields. */
export interface FieldSource {
  /** @param tx null reads the last committed snapshot */
  definitions(tx: Tx | null, env_id: number): Maybe<FieldDefinition[]>;
  addValue(tx: Tx, place: ValuePlace, value: string | number): void;
  removeValue(tx: Tx, place: ValuePlace, value: string | number): void;
}

interface ValuePlace {
  env_id: number;
  field_id: string;
  contact_row: number;
}

/** The fields of an environment, by id. */
export type KnownFields = ReadonlyMap<string, FieldDefinition>;

/** What a request gives, by the fields' ids; null clears. */
export type GivenFields = ReadonlyMap<string, FieldValue | null>;

/** The custom fields in one write: of whoever neither gives nor has any, nothing is asked. */
export interface FieldWork {
  known: KnownFields;
  given: GivenFields | null;
}

/** Reads an environment's fields at most once. */
export type FieldReader = () => Promise<KnownFields>;

type Fielded = Pick<ContactRow, "fields">;

/** As a row keeps it. */
export const NO_VALUES = "{}";
const NAME_SHOWN_MAX = 60;
export const noFields: KnownFields = new Map();
const ownMembers: ReadonlySet<string> = new Set(Object.keys(ContactInput.properties));

export function createContactFields(source: FieldSource) {
  function reader(tx: Tx | null, env_id: number): FieldReader {
    let read: Promise<KnownFields> | undefined;
    const load = async () => new Map((await source.definitions(tx, env_id)).map((field) => [field.id, field]));
    return () => (read ??= load());
  }

  return {
    /** @param tx null reads the last committed snapshot */
    reader,

    /** What is needed to show these. */
    async knownFor(tx: Tx | null, env_id: number, rows: readonly Fielded[]): Promise<KnownFields> {
      return rows.some(hasFields) ? reader(tx, env_id)() : noFields;
    },

    /** The condition that `key:value` stands for. @throws AppError `validation_error` on `field` */
    async sought(env_id: number, text: string): Promise<SoughtValue> {
      const colon = text.indexOf(":");
      if (colon === -1) throw invalidField("field", "bad_format", "field is a key and a value, such as plan:starter.", text);
      const key = text.slice(0, colon);
      const field = (await source.definitions(null, env_id)).find((one) => one.key === key);
      if (field === undefined) throw invalidField("field", "not_found", "There is no such custom field here.", text);
      return { field_id: field.id, value: soughtOf(field, text.slice(colon + 1)) };
    },

    /** Brings the index from what a contact had to what it has. */
    index(tx: Tx, { env_id, row }: Pick<ContactRow, "env_id" | "row">, had: string, has: string, known: KnownFields): void {
      const [before, after] = [keptOf(had), keptOf(has)];
      for (const id of new Set([...before.keys(), ...after.keys()])) {
        const field = known.get(id);
        // The values of a deleted field are removed by the job that its deletion left.
        if (field === undefined) continue;
        const [old, now] = [before, after].map((kept) => new Set(kept.has(id) ? indexedOf(field, kept.get(id)!) : []));
        const place = { env_id, field_id: id, contact_row: row };
        for (const value of old!.difference(now!)) source.removeValue(tx, place, value);
        for (const value of now!.difference(old!)) source.addValue(tx, place, value);
      }
    },
  };
}

export function hasFields({ fields }: Fielded): boolean {
  return fields !== NO_VALUES;
}

/** Whether it has to be known what fields there are: where a contact gives or has some. Of others nothing is asked. */
export function needsFields({ given }: Pick<FieldWork, "given">, before: Fielded | undefined): boolean {
  return given !== null || (before !== undefined && hasFields(before));
}

/** Whether a request has anything that could be a custom field. */
function givesFields(input: ContactInput): boolean {
  return input.fields !== undefined || Object.keys(input).some((key) => !ownMembers.has(key));
}

/**
 * The custom fields of a request: those in `fields`, and members that a contact does not have itself.
 * @returns null where there are none, and then nothing was read
 * @throws AppError `validation_error` on what is no field, or has a value that the field can't have
 */
export async function readFields(input: ContactInput, reader: FieldReader): Promise<GivenFields | null> {
  return givesFields(input) ? readKnownFields(input, byKey(await reader())) : null;
}

/** The fields by the key under which clients know them. */
export function byKey(known: KnownFields): ReadonlyMap<string, FieldDefinition> {
  return new Map([...known.values()].map((field) => [field.key, field]));
}

/** As `readFields`, for whoever has the fields already. @param fields by key */
export function readKnownFields(input: ContactInput, fields: ReadonlyMap<string, FieldDefinition>): GivenFields | null {
  const named = new Map<string, { name: string; value: unknown }>();
  for (const [key, value] of Object.entries(input.fields ?? {})) named.set(key, { name: `fields.${key}`, value });
  for (const key in input) {
    if (ownMembers.has(key)) continue;
    if (named.has(key)) throw invalidField(`fields.${key}`, "not_allowed", `${key} is given twice: in fields, and beside it.`);
    named.set(key, { name: key, value: input[key as keyof ContactInput] });
  }
  if (named.size === 0) return null;
  const given = new Map<string, FieldValue | null>();
  for (const [key, { name, value }] of named) {
    const field = fields.get(key);
    const shown = cutText(name, NAME_SHOWN_MAX);
    if (field === undefined) throw invalidField(shown, "unknown_field", `${shown} is neither a member nor a custom field of contacts.`);
    given.set(field.id, readValue(name, field, value));
  }
  return given;
}

/** What each value that a row keeps is looked up by. */
export function indexedValues(kept: string, known: KnownFields): { field_id: string; value: string | number }[] {
  if (kept === NO_VALUES) return [];
  return [...keptOf(kept)].flatMap(([field_id, value]) => {
    const field = known.get(field_id);
    return field === undefined ? [] : indexedOf(field, value).map((one) => ({ field_id, value: one }));
  });
}

/** @param kept JSON, as a row keeps it @returns the same with what is given, and without what belongs to no field any more */
export function mergeFields(kept: string, { known, given }: FieldWork): string {
  if (given === null) return kept;
  const merged = new Map([...keptOf(kept)].filter(([id]) => known.has(id)));
  for (const [id, value] of given) {
    if (value === null) merged.delete(id);
    else merged.set(id, value);
  }
  return JSON.stringify(Object.fromEntries(merged));
}

/** @param kept JSON, as a row keeps it @returns the same without what belongs to no field any more */
export function keepKnown(kept: string, known: KnownFields): string {
  const values = [...keptOf(kept)];
  return values.every(([id]) => known.has(id)) ? kept : JSON.stringify(Object.fromEntries(values.filter(([id]) => known.has(id))));
}

/** Values by key, in the order in which the fields were made. */
export function presentFields(row: Fielded, known: KnownFields): Record<string, FieldValue> {
  if (!hasFields(row)) return {};
  const kept = keptOf(row.fields);
  const shown = [...known.values()].filter(({ id }) => kept.has(id)).map(({ id, key }): [string, FieldValue] => [key, kept.get(id)!]);
  return Object.fromEntries(shown);
}

/** Values by key as texts show them. */
export function writeFields(row: Fielded, known: KnownFields): Record<string, string> {
  return Object.fromEntries(Object.entries(presentFields(row, known)).map(([key, value]) => [key, writeValue(value)]));
}

function keptOf(json: string): Map<string, FieldValue> {
  return json === NO_VALUES ? new Map() : new Map(Object.entries(JSON.parse(json) as Record<string, FieldValue>));
}
