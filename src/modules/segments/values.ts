import { parseTime } from "#src/core/clock.ts";
import type { Comparison, ContactCondition } from "#src/modules/contacts/model.ts";
import { fault } from "./fault.ts";
import { VALUES_MAX } from "./model.ts";

type Given = Record<string, unknown>;

export const DAY_MS = 86_400_000;
const DAYS_MAX = 36_500;
const TEXT_LENGTH_MAX = 500;

/** A comparison that may be turned around. */
export interface Compared {
  is: Comparison;
  negated: boolean;
}

/** @throws AppError `validation_error` on the `op` that is none of these */
export function readOp<Op extends string>(at: string, { op }: Given, ops: readonly Op[]): Op {
  if (op === undefined) throw fault(`${at}.op`, "required", `is one of ${ops.join(", ")}`);
  const found = ops.find((one) => one === op);
  if (found === undefined) throw fault(`${at}.op`, "not_allowed", `is one of ${ops.join(", ")}`);
  return found;
}

/** The comparison of `is_set` or `is_not_set`. @throws AppError `validation_error` on a `value` */
export function readPresence(at: string, given: Given, op: "is_set" | "is_not_set"): Compared {
  if ("value" in given) throw fault(`${at}.value`, "not_allowed", `has no place beside ${op}`);
  return { is: { op: "set" }, negated: op === "is_not_set" };
}

/** @throws AppError `validation_error` where there is none */
export function valueOf(at: string, given: Given): unknown {
  if (given["value"] === undefined) throw fault(`${at}.value`, "required", "is what to compare with");
  return given["value"];
}

/** The values of `equals`, `not_equals` and `one_of`, each read by `read`. @throws AppError `validation_error` */
export function readValues<Value>(
  at: string,
  given: Given,
  op: "equals" | "not_equals" | "one_of",
  read: (path: string, value: unknown) => Value,
): Value[] {
  const value = valueOf(at, given);
  const path = `${at}.value`;
  if (op !== "one_of") return [read(path, value)];
  if (!Array.isArray(value)) throw fault(path, "wrong_type", "is a list");
  if (value.length === 0) throw fault(path, "too_short", "holds one value at least");
  if (value.length > VALUES_MAX) throw fault(path, "too_long", `holds at most ${VALUES_MAX} values`);
  return value.map((one: unknown, index) => read(`${path}.${index}`, one));
}

/** @throws AppError `validation_error` */
export function readText(path: string, value: unknown): string {
  if (typeof value !== "string") throw fault(path, "wrong_type", "is a text");
  if (value.trim() === "") throw fault(path, "too_short", "holds more than white space");
  if (value.length > TEXT_LENGTH_MAX) throw fault(path, "too_long", `has at most ${TEXT_LENGTH_MAX} characters`);
  return value;
}

/** A text in the form in which it is kept. @throws AppError `validation_error` where nothing is left of it */
export function readAs(path: string, value: unknown, form: (text: string) => string): string {
  const text = form(readText(path, value));
  if (text === "") throw fault(path, "too_short", "holds a letter or digit to compare with");
  return text;
}

/** @throws AppError `validation_error` */
export function readMoment(path: string, value: unknown): number {
  const at = typeof value === "string" ? parseTime(value) : null;
  if (typeof value !== "string") throw fault(path, "wrong_type", "is a time such as 2030-01-01T09:00:00Z");
  if (at === null) throw fault(path, "bad_format", "is a time such as 2030-01-01T09:00:00Z");
  return at;
}

/** @throws AppError `validation_error` */
export function readDays(path: string, value: unknown): number {
  return readCount(path, value, DAYS_MAX);
}

/** @throws AppError `validation_error` */
export function readCount(path: string, value: unknown, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw fault(path, "wrong_type", "is a whole number");
  if (value < 1) throw fault(path, "too_small", "is 1 at least");
  if (value > most) throw fault(path, "too_large", `is ${most} at most`);
  return value;
}

export function turned(condition: ContactCondition, negated: boolean): ContactCondition {
  return negated ? { not: condition } : condition;
}
