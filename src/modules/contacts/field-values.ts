import { parseTime, toTime } from "#src/core/clock.ts";
import { type FieldErrorCode, invalidField } from "#src/core/errors.ts";
import { cutText, foldText } from "#src/core/search-text.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";

export type FieldValue = string | number | boolean | string[];

const TEXT_LENGTH_MAX = 2_000;
/** Of a text, for looking up. */
const INDEXED_LENGTH_MAX = 500;
const DAY_MS = 86_400_000;

/**
 * A value as it is kept; null clears, and so does a list without a choice.
 * @param name where it was given
 * @throws AppError `validation_error` on `name`
 */
export function readValue(name: string, { type, options }: FieldDefinition, value: unknown): FieldValue | null {
  if (value === null) return null;
  switch (type) {
    case "text":
      return readText(name, value);
    case "number":
      if (typeof value !== "number") throw refused(name, "wrong_type", "is a number");
      if (!Number.isFinite(value)) throw refused(name, "too_large", "is a number that can be kept");
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw refused(name, "wrong_type", "is true or false");
      return value;
    case "date":
      if (dayOf(readText(name, value)) === null) throw refused(name, "bad_format", "is a date such as 2026-05-06");
      return value as string;
    case "url":
      if (!isUrl(readText(name, value))) throw refused(name, "bad_format", "is an address such as https://example.com/sarah");
      return value as string;
    case "choice":
      return readChoice(name, options, value);
    case "multi_choice":
      return readChoices(name, options, value);
    default:
      throw new Error(`a field of an unknown type: ${String(type satisfies never)}`);
  }
}

function readText(name: string, value: unknown): string {
  if (typeof value !== "string") throw refused(name, "wrong_type", "is a text");
  if (value.trim() === "") throw refused(name, "too_short", "holds more than white space; null clears it");
  if (value.length > TEXT_LENGTH_MAX) throw refused(name, "too_long", `has at most ${TEXT_LENGTH_MAX} characters`);
  return value;
}

function readChoice(name: string, options: readonly string[] | null, value: unknown): string {
  if (typeof value !== "string") throw refused(name, "wrong_type", "is one of the field's options");
  if (options?.includes(value) !== true) throw refused(name, "not_allowed", "is one of the field's options");
  return value;
}

function readChoices(name: string, options: readonly string[] | null, value: unknown): string[] | null {
  if (!Array.isArray(value)) throw refused(name, "wrong_type", "is a list of options");
  const chosen = [...new Set(value.map((one, at) => readChoice(`${name}.${at}`, options, one)))];
  return chosen.length === 0 ? null : chosen;
}

function refused(name: string, error: FieldErrorCode, is: string) {
  return invalidField(name, error, `${name} ${is}.`);
}

/** @returns days since 1970, or null for what is no day of the calendar */
function dayOf(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  const at = parseTime(`${text}T00:00:00Z`);
  // There is no 30th of February, though some parsers take it for one of March.
  return at === null || toTime(at).slice(0, 10) !== text ? null : at / DAY_MS;
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && !/\s/.test(text) && URL.canParse(text);
}

/** What a value is looked up by: a text, folded, or a number; several for several choices. */
export function indexedOf({ type }: FieldDefinition, value: FieldValue): (string | number)[] {
  if (Array.isArray(value)) return [...new Set(value.map(indexedText))];
  if (type === "date") return [dayOf(value as string)!];
  return [typeof value === "string" ? indexedText(value) : Number(value)];
}

/** A value that one in the index is compared with; of several choices one. @throws AppError `validation_error` on `name` */
export function readIndexed(name: string, field: FieldDefinition, value: unknown): string | number {
  const single: FieldDefinition = field.type === "multi_choice" ? { ...field, type: "choice" } : field;
  return indexedOf(single, readValue(name, single, value)!)[0]!;
}

/** A text as it is looked up: folded, and no more than its beginning. */
export function indexedText(text: string): string {
  return cutText(foldText(text), INDEXED_LENGTH_MAX);
}

/** What the value in a filter looks for. @throws AppError `validation_error` on `field` for what such a field can't have */
export function soughtOf({ key, type }: FieldDefinition, text: string): string | number {
  switch (type) {
    case "number": {
      const number = text.trim() === "" ? Number.NaN : Number(text);
      if (!Number.isFinite(number)) throw invalidField("field", "bad_format", `${key} is a number.`, text);
      return number;
    }
    case "boolean":
      if (text !== "true" && text !== "false") throw invalidField("field", "bad_format", `${key} is true or false.`, text);
      return text === "true" ? 1 : 0;
    case "date": {
      const day = dayOf(text);
      if (day === null) throw invalidField("field", "bad_format", `${key} is a date such as 2026-05-06.`, text);
      return day;
    }
    default:
      return indexedText(text);
  }
}

/** A value within a text. */
export function writeValue(value: FieldValue): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}
