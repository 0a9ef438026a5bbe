import { Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { splitList, unguardFormula } from "#src/core/csv.ts";
import { type AppError, invalidField } from "#src/core/errors.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import { type GivenFields, readKnownFields } from "./fields.ts";
import { type Identities, readIdentities } from "./identity.ts";
import { type Mapping, unset } from "./import-columns.ts";
import { ContactInput, TAG_LENGTH_MAX } from "./model.ts";
import { check } from "./row.ts";

/** What a row of a file says of a person, read and checked. */
export interface ImportEntry {
  input: ContactInput;
  identities: Identities;
  given: GivenFields | null;
}

type Fields = ReadonlyMap<string, FieldDefinition>;
/** Makes an error of what the validator found. */
export type Refusal = (faults: Iterable<object>, on: string) => AppError;

const text = (maxLength: number) => Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength }), Type.Null()]));

/** What is kept of a person can be longer than what one request gives: names follow from one another, and tags gather. */
const compiled = TypeCompiler.Compile(
  Type.Object(
    {
      ...ContactInput.properties,
      name: text(250),
      first_name: text(250),
      last_name: text(250),
      tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: TAG_LENGTH_MAX }), { maxItems: 200 })),
    },
    { additionalProperties: Type.Unknown() },
  ),
);

/** @throws AppError `validation_error` @param fields by key */
export function readEntry(given: Record<string, unknown>, fields: Fields, refusal: Refusal): ImportEntry {
  if (!compiled.Check(given)) throw refusal(compiled.Errors(given), "row");
  const identities = readIdentities(given);
  check(given);
  return { input: given, identities, given: readKnownFields(given, fields) };
}

/**
 * What the cells of a row say; an empty one says nothing.
 * @param columns as `readColumns` tells
 * @throws AppError `validation_error` for a cell that can't be what its column is
 */
export function readCells(columns: readonly (string | null)[], cells: readonly string[], fields: Fields): Record<string, unknown> {
  const read = nothing();
  for (let at = 0; at < columns.length; at++) {
    const target = columns[at];
    const cell = cells[at];
    if (target !== null && target !== undefined && cell !== undefined && cell !== "") put(read, target, valueOf(target, cell, fields));
  }
  return read;
}

/** What an object of a line says, under the names that the mapping gives to its members. */
export function readObject(object: Record<string, unknown>, mapping: Mapping): Record<string, unknown> {
  const read = nothing();
  for (const [name, value] of Object.entries(object)) {
    const target = Object.hasOwn(mapping, name) ? mapping[name]! : unset.has(name) ? null : name;
    if (target !== null) put(read, target, target === "consent" ? withoutNulls(value) : value);
  }
  return read;
}

/** An export tells of a consent without a source that it is null. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

/** Without a prototype: `__proto__` is a name as any other. */
function nothing(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function put(read: Record<string, unknown>, target: string, value: unknown): void {
  if (target.startsWith("consent_")) within(read, "consent")[target.slice("consent_".length)] = value;
  else if (target.startsWith("fields.")) within(read, "fields")[target.slice("fields.".length)] = value;
  else if (target === "fields" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    if (Object.keys(value).length > 0) Object.assign(within(read, "fields"), value);
  } else read[target] = value;
}

function within(read: Record<string, unknown>, member: string): Record<string, unknown> {
  const there = read[member];
  if (typeof there === "object" && there !== null) return there as Record<string, unknown>;
  const fresh = nothing();
  read[member] = fresh;
  return fresh;
}

function valueOf(target: string, cell: string, fields: Fields): unknown {
  switch (target) {
    case "telegram_id":
      return numberOf(target, cell);
    case "tags":
      return splitList(cell);
    case "metadata":
    case "fields":
      return jsonOf(target, cell);
    default:
      return target.startsWith("fields.") ? fieldOf(target, cell, fields) : unguardFormula(cell);
  }
}

function fieldOf(target: string, cell: string, fields: Fields): unknown {
  switch (fields.get(target.slice("fields.".length))?.type) {
    case "number":
      return numberOf(target, cell);
    case "boolean":
      return booleanOf(target, cell);
    case "multi_choice":
      return splitList(cell);
    default:
      return unguardFormula(cell);
  }
}

function numberOf(target: string, cell: string): number {
  const number = Number(unguardFormula(cell));
  if (!Number.isFinite(number) || cell.trim() === "") throw invalidField(target, "wrong_type", `${target} is a number.`);
  return number;
}

function booleanOf(target: string, cell: string): boolean {
  const word = cell.trim().toLowerCase();
  if (["true", "yes", "1"].includes(word)) return true;
  if (["false", "no", "0"].includes(word)) return false;
  throw invalidField(target, "wrong_type", `${target} is true or false.`);
}

function jsonOf(target: string, cell: string): object {
  try {
    const read: unknown = JSON.parse(cell);
    if (typeof read === "object" && read !== null && !Array.isArray(read)) return read;
  } catch {
    // Told below, in words for people.
  }
  throw invalidField(target, "bad_format", `${target} is an object in JSON.`);
}
