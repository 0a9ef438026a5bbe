import type { Comparison, ContactCondition } from "#src/modules/contacts/model.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import { fault } from "./fault.ts";
import type { Filter, ReadFilter, Reading } from "./tree.ts";
import { type Compared, readAs, readOp, readPresence, readValues, turned, valueOf } from "./values.ts";

/** How values of custom fields are read and compared: as those who keep them do. */
export interface FieldValues {
  /** A value in the form in which the index has it. @throws AppError `validation_error` on `path` for what such a field can't have */
  read(path: string, field: FieldDefinition, value: unknown): string | number;
  /** A part of a text in that form. */
  fold(text: string): string;
}

export interface FieldReading {
  fieldValues: FieldValues;
  /** The field that a condition names. */
  fieldOf(name: string): FieldDefinition | undefined;
}

const presenceOps = ["is_set", "is_not_set"] as const;
const equalityOps = ["equals", "not_equals", "one_of", ...presenceOps] as const;
const textOps = [...equalityOps, "starts_with", "contains"] as const;
const rangeOps = ["at_least", "more_than", "at_most", "less_than", "between"] as const;
const orderedOps = [...equalityOps, ...rangeOps] as const;

type FieldOp = (typeof textOps)[number] | (typeof orderedOps)[number];

const opsOf: Record<FieldDefinition["type"], readonly FieldOp[]> = {
  text: textOps,
  url: textOps,
  number: orderedOps,
  date: orderedOps,
  boolean: ["equals", ...presenceOps],
  choice: equalityOps,
  multi_choice: equalityOps,
};
const numeric: ReadonlySet<string> = new Set(["number", "date", "boolean"]);

/** @throws AppError `validation_error` */
export function readField(at: string, given: Filter, { fieldOf, fieldValues }: Reading): ReadFilter {
  const name = given["field"];
  if (typeof name !== "string") throw fault(`${at}.field`, "wrong_type", "is the key of a custom field");
  const field = fieldOf(name);
  if (field === undefined) throw fault(`${at}.field`, "not_found", "is the key of no custom field here");
  const { is, negated } = compare(at, given, field, fieldValues);
  const condition: ContactCondition = { field_id: field.id, kind: numeric.has(field.type) ? "num" : "txt", is };
  return { kept: { ...given, field: field.id }, condition: turned(condition, negated) };
}

function compare(at: string, given: Filter, field: FieldDefinition, { read, fold }: FieldValues): Compared {
  const op = readOp(at, given, opsOf[field.type]);
  if (op === "is_set" || op === "is_not_set") return readPresence(at, given, op);
  const value = valueOf(at, given);
  const path = `${at}.value`;
  const readOne = (path: string, one: unknown) => {
    if (one === null || Array.isArray(one)) throw fault(path, "wrong_type", "is a single value");
    return read(path, field, one);
  };
  if (op === "starts_with" || op === "contains") return { is: { op, value: readAs(path, value, fold) }, negated: false };
  if (op === "equals" || op === "not_equals" || op === "one_of")
    return { is: { op: "in", values: readValues(at, given, op, readOne) }, negated: op === "not_equals" };
  return { is: rangeOf(path, op, value, (path, one) => readOne(path, one) as number), negated: false };
}

function rangeOf(path: string, op: (typeof rangeOps)[number], value: unknown, read: (path: string, value: unknown) => number): Comparison {
  switch (op) {
    case "at_least":
      return { op: "range", least: read(path, value) };
    case "more_than":
      return { op: "range", above: read(path, value) };
    case "at_most":
      return { op: "range", most: read(path, value) };
    case "less_than":
      return { op: "range", below: read(path, value) };
    case "between": {
      if (!Array.isArray(value)) throw fault(path, "wrong_type", "is a list of the least and the most");
      if (value.length !== 2) throw fault(path, value.length < 2 ? "too_short" : "too_long", "is a list of the least and the most");
      const [least, most] = [read(`${path}.0`, value[0]), read(`${path}.1`, value[1])];
      if (least > most) throw fault(`${path}.1`, "too_small", "is not below the least");
      return { op: "range", least, most };
    }
    default:
      throw new Error(`an unknown comparison: ${String(op satisfies never)}`);
  }
}
