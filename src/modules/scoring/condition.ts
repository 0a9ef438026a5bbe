import { invalidField } from "#src/core/errors.ts";
import { foldText, plainPhone, tidyText } from "#src/core/search-text.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import type { Happening, Lead, NewWhen, ScoredAttribute, ScoredEvent, ScoreOp, ScoreRule } from "./model.ts";

type FieldValue = string | number | boolean | string[];

/** What scoring needs of those who keep the values of custom fields. */
export interface FieldValues {
  /** A value as it is kept. @throws AppError `validation_error` on `name` */
  read(name: string, field: FieldDefinition, value: unknown): FieldValue | null;
  /** What a value is compared by: texts folded, or numbers; several for several choices. */
  indexed(field: FieldDefinition, value: FieldValue): (string | number)[];
}

/** The fields of an environment, by id. */
export type KnownFields = ReadonlyMap<string, FieldDefinition>;

interface EventCondition {
  event: ScoredEvent;
  tag?: string;
}

/** About the contact as it is. */
export type StateCondition =
  | { attribute: ScoredAttribute; op: "is_set" | "equals"; value?: string }
  | { field_id: string; op: ScoreOp; value?: string | number | boolean };

/** As a row keeps it: custom fields by their ids, so that their keys can change. */
export type Condition = EventCondition | StateCondition;

type Value = NewWhen["value"];

/** @param fields those that there are @throws AppError `validation_error` on a part of `when` */
export function readCondition(when: NewWhen, fields: readonly FieldDefinition[], values: FieldValues): Condition {
  const { event, attribute, field, op, value } = when;
  if ([event, attribute, field].filter((one) => one !== undefined).length !== 1)
    throw invalidField("when", "required", "when has one of event, attribute and field.");
  if (when.tag !== undefined && event !== "contact.tagged" && event !== "contact.untagged")
    throw invalidField("when.tag", "not_allowed", "when.tag belongs to contact.tagged and contact.untagged alone.");
  if (event !== undefined) {
    refuse("op", op, "An event has no op.");
    refuse("value", value, "An event has no value.");
    return { event, ...(when.tag === undefined ? {} : { tag: readTag("when.tag", when.tag) }) };
  }
  if (op === undefined) throw invalidField("when.op", "required", "when.op is needed: how the contact is looked at.");
  if (op === "is_set") refuse("value", value, "is_set has no value.");
  else if (value === undefined) throw invalidField("when.value", "required", "when.value is needed: what it is compared with.");
  if (attribute !== undefined) return readAttribute(attribute, op, value);
  const known = fields.find(({ key }) => key === field);
  if (known === undefined) throw invalidField("when.field", "not_found", "There is no such custom field here.", field);
  return readField(known, op, value, values);
}

function refuse(member: string, given: Value, message: string): void {
  if (given !== undefined) throw invalidField(`when.${member}`, "not_allowed", message);
}

function readTag(name: string, text: string): string {
  const tag = tidyText(text);
  if (tag === "") throw invalidField(name, "too_short", "A tag holds more than white space.");
  return tag;
}

function readAttribute(attribute: ScoredAttribute, op: ScoreOp, value: Value): Condition {
  if (op === "is_set") return { attribute, op };
  if (op !== "equals")
    throw invalidField("when.op", "not_allowed", `${attribute} is no number and no date: it is set, or equals something.`);
  const name = "when.value";
  if (attribute === "telegram_id" ? typeof value === "boolean" : typeof value !== "string")
    throw invalidField(name, "wrong_type", `${name} is a text.`);
  const text = String(value);
  if (text.trim() === "") throw invalidField(name, "too_short", `${name} holds more than white space.`);
  if (attribute === "tag") return { attribute, op, value: readTag(name, text) };
  if (attribute === "consent" && text !== "granted" && text !== "withdrawn")
    throw invalidField(name, "not_allowed", "consent is granted or withdrawn.", text);
  return { attribute, op, value: plainOf(attribute, text.trim()) };
}

/** As contacts keep it, but for case. */
function plainOf(attribute: ScoredAttribute, text: string): string {
  if (attribute === "phone") return plainPhone(text);
  return attribute === "username" ? text.replace(/^@/, "") : text;
}

function readField(field: FieldDefinition, op: ScoreOp, value: Value, values: FieldValues): Condition {
  if (op === "is_set") return { field_id: field.id, op };
  if (op !== "equals" && field.type !== "number" && field.type !== "date")
    throw invalidField("when.op", "not_allowed", `${field.key} is a ${field.type}: at_least and at_most are for numbers and dates.`);
  const read = values.read("when.value", singleOf(field), value);
  return { field_id: field.id, op, value: read as string | number | boolean };
}

/** Of several choices one is looked for. */
const singleOf = (field: FieldDefinition): FieldDefinition => (field.type === "multi_choice" ? { ...field, type: "choice" } : field);

/** A condition as clients see it. */
export function presentCondition(condition: Condition, known: KnownFields): ScoreRule["when"] {
  if (!("field_id" in condition)) return condition;
  const { field_id, ...rest } = condition;
  return { field: known.get(field_id)?.key ?? null, ...rest };
}

/** Whether what happened is what a condition waits for. */
export function isMet(condition: Condition, { type, tags = [] }: Happening): boolean {
  return "event" in condition && condition.event === type && (condition.tag === undefined || tags.includes(condition.tag));
}

/** Whether it is so of the contact. */
export function holds(condition: StateCondition, lead: Lead, known: KnownFields, { indexed }: Pick<FieldValues, "indexed">): boolean {
  const { op, value } = condition;
  if ("attribute" in condition) {
    const present = textsOf(lead, condition.attribute);
    if (value === undefined) return present.length > 0;
    // Tags differ by case.
    return condition.attribute === "tag"
      ? present.includes(String(value))
      : present.some((text) => foldText(text) === foldText(String(value)));
  }
  const field = known.get(condition.field_id);
  const kept = field === undefined ? undefined : (JSON.parse(lead.fields) as Record<string, FieldValue>)[field.id];
  if (field === undefined || kept === undefined) return false;
  if (value === undefined) return true;
  const [wanted] = indexed(singleOf(field), value);
  const present = indexed(field, kept);
  if (op === "at_least") return present.some((one) => one >= wanted!);
  return op === "at_most" ? present.some((one) => one <= wanted!) : present.includes(wanted!);
}

function textsOf(lead: Lead, attribute: ScoredAttribute): string[] {
  if (attribute === "tag") return JSON.parse(lead.tags) as string[];
  if (attribute === "consent") return lead.consent === null ? [] : [(JSON.parse(lead.consent) as { status: string }).status];
  const value = lead[attribute];
  return value === null ? [] : [String(value)];
}
