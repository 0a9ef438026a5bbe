import { cutText, foldText, plainPhone } from "#src/core/search-text.ts";
import { type ComparedColumn, consentStatuses, type ContactCondition } from "#src/modules/contacts/model.ts";
import { fault } from "./fault.ts";
import type { Filter, ReadFilter, Reading } from "./tree.ts";
import { type Compared, DAY_MS, readAs, readDays, readMoment, readOp, readPresence, readValues, turned, valueOf } from "./values.ts";

const presenceOps = ["is_set", "is_not_set"] as const;
const equalityOps = ["equals", "not_equals", "one_of"] as const;
const textOps = [...equalityOps, "starts_with", "contains", ...presenceOps] as const;
const idOps = [...equalityOps, ...presenceOps] as const;
const timeOps = ["before", "after", "within_days", "not_within_days", ...presenceOps] as const;

/** Of a name this much is kept folded. */
const FOLDED_NAME_MAX = 100;

/** A text of a contact. */
interface TextAttribute {
  column: ComparedColumn;
  /** Brings a value, or a part of one, into the form in which the column is. */
  form(text: string): string;
}

const asWritten = (text: string) => text;
const lower = (text: string) => text.trim().toLowerCase();

const texts: Record<string, TextAttribute> = {
  external_id: { column: "external_id", form: asWritten },
  username: { column: "username", form: (text) => lower(text).replace(/^@/, "") },
  email: { column: "email", form: lower },
  phone: { column: "phone", form: plainPhone },
  name: { column: "sort_name", form: (text) => cutText(foldText(text), FOLDED_NAME_MAX) },
  first_name: { column: "first_name", form: asWritten },
  last_name: { column: "last_name", form: asWritten },
  language: { column: "language", form: asWritten },
  timezone: { column: "timezone", form: asWritten },
};
const times: readonly ComparedColumn[] = ["created_at", "last_seen_at"];
const names = [...Object.keys(texts), "telegram_id", "consent", ...times];

/** @throws AppError `validation_error` */
export function readAttribute(at: string, given: Filter, { now }: Reading): ReadFilter {
  const { attribute } = given;
  if (typeof attribute !== "string" || !names.includes(attribute))
    throw fault(`${at}.attribute`, typeof attribute === "string" ? "not_allowed" : "wrong_type", `is one of ${names.join(", ")}`);
  return { kept: given, condition: conditionOf(at, given, attribute, now) };
}

function conditionOf(at: string, given: Filter, attribute: string, now: number): ContactCondition {
  const text = texts[attribute];
  if (text !== undefined) return readTextCondition(at, given, attribute as ComparedColumn, text);
  const column = attribute as ComparedColumn;
  const { is, negated } = times.includes(column)
    ? readTimeComparison(at, given, now)
    : readIdComparison(at, given, column === "consent" ? readStatus : readTelegramId);
  return turned({ column, is }, negated);
}

function readTextCondition(at: string, given: Filter, attribute: ComparedColumn, { column, form }: TextAttribute): ContactCondition {
  const op = readOp(at, given, textOps);
  if (op === "is_set" || op === "is_not_set") {
    // Of the columns of a name it is the name itself that tells whether there is one.
    const { is, negated } = readPresence(at, given, op);
    return turned({ column: attribute, is }, negated);
  }
  if (op === "starts_with" || op === "contains") return { column, is: { op, value: readAs(`${at}.value`, valueOf(at, given), form) } };
  const values = readValues(at, given, op, (path, value) => readAs(path, value, form));
  return turned({ column, is: { op: "in", values } }, op === "not_equals");
}

function readIdComparison(at: string, given: Filter, read: (path: string, value: unknown) => string | number): Compared {
  const op = readOp(at, given, idOps);
  if (op === "is_set" || op === "is_not_set") return readPresence(at, given, op);
  return { is: { op: "in", values: readValues(at, given, op, read) }, negated: op === "not_equals" };
}

function readTelegramId(path: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw fault(path, "wrong_type", "is a whole number");
  return value;
}

function readStatus(path: string, value: unknown): string {
  if (typeof value !== "string") throw fault(path, "wrong_type", `is one of ${consentStatuses.join(", ")}`);
  if (!consentStatuses.some((status) => status === value)) throw fault(path, "not_allowed", `is one of ${consentStatuses.join(", ")}`);
  return value;
}

function readTimeComparison(at: string, given: Filter, now: number): Compared {
  const op = readOp(at, given, timeOps);
  if (op === "is_set" || op === "is_not_set") return readPresence(at, given, op);
  const value = valueOf(at, given);
  const path = `${at}.value`;
  if (op === "before") return { is: { op: "range", below: readMoment(path, value) }, negated: false };
  if (op === "after") return { is: { op: "range", least: readMoment(path, value) }, negated: false };
  return { is: { op: "range", least: now - readDays(path, value) * DAY_MS }, negated: op === "not_within_days" };
}
