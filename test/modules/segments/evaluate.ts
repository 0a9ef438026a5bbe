import { foldText } from "#src/core/search-text.ts";
import type { Contact } from "#src/modules/contacts/model.ts";

export type Tree = Record<string, unknown>;

/** A message as the API shows it, as far as segments ask. */
export interface SentMessage {
  contact_id: string | null;
  direction: string;
  status: string;
  created_at: string;
}

export interface World {
  now: number;
  messages: readonly SentMessage[];
}

const DAY_MS = 86_400_000;
const statuses: Record<string, string[]> = {
  message_queued: ["queued", "sending"],
  message_sent: ["sent", "delivered", "read"],
  message_delivered: ["delivered", "read"],
  message_read: ["read"],
  message_failed: ["failed"],
  message_received: ["received"],
};

/** Whether a contact, as the API shows it, is in a segment: as the reference tells it, and without any of the code that does it. */
export function holds(tree: Tree, contact: Contact, world: World): boolean {
  if (Array.isArray(tree["and"])) return (tree["and"] as Tree[]).every((part) => holds(part, contact, world));
  if (Array.isArray(tree["or"])) return (tree["or"] as Tree[]).some((part) => holds(part, contact, world));
  if (tree["not"] !== undefined) return !holds(tree["not"] as Tree, contact, world);
  if (tree["tag"] !== undefined) return contact.tags.includes(tree["tag"] as string);
  if (tree["activity"] !== undefined) return isActive(tree, contact, world);
  if (tree["field"] !== undefined) return holdsField(tree, contact);
  return holdsAttribute(tree, contact, world.now);
}

function isActive(tree: Tree, { id }: Contact, { now, messages }: World): boolean {
  const since = tree["within_days"] === undefined ? -Infinity : now - (tree["within_days"] as number) * DAY_MS;
  const way = tree["activity"] === "message_received" ? "in" : "out";
  const found = messages.filter(
    ({ contact_id, direction, status, created_at }) =>
      contact_id === id && direction === way && statuses[tree["activity"] as string]!.includes(status) && Date.parse(created_at) >= since,
  );
  return found.length >= ((tree["at_least"] as number | undefined) ?? 1);
}

function holdsField({ field, op, value }: Tree, { fields }: Contact): boolean {
  const kept = fields[field as string];
  const values = (kept === undefined ? [] : [kept].flat()).map(plain);
  return compare(op as string, values, Array.isArray(value) ? value.map(plain) : plain(value));
}

function holdsAttribute({ attribute, op, value }: Tree, contact: Contact, now: number): boolean {
  const shown = attribute === "consent" ? contact.consent?.status : contact[attribute as "email"];
  const values = shown === null || shown === undefined ? [] : [shown as unknown];
  if (attribute === "created_at" || attribute === "last_seen_at") {
    const times = values.map((time) => Date.parse(time as string));
    const back = now - (value as number) * DAY_MS;
    if (op === "within_days") return times.some((time) => time >= back);
    if (op === "not_within_days") return !times.some((time) => time >= back);
    if (op === "before") return times.some((time) => time < Date.parse(value as string));
    if (op === "after") return times.some((time) => time >= Date.parse(value as string));
  }
  if (attribute !== "name") return compare(op as string, values, value);
  return compare(op as string, values.map(plain), Array.isArray(value) ? value.map(plain) : plain(value));
}

const plain = (value: unknown) => (typeof value === "string" ? foldText(value) : value);

function compare(op: string, values: unknown[], value: unknown): boolean {
  const texts = values as string[];
  const ordered = values as number[];
  const given = value as number;
  switch (op) {
    case "is_set":
      return values.length > 0;
    case "is_not_set":
      return values.length === 0;
    case "equals":
      return values.includes(value);
    case "not_equals":
      return !values.includes(value);
    case "one_of":
      return values.some((one) => (value as unknown[]).includes(one));
    case "starts_with":
      return texts.some((text) => text.startsWith(value as string));
    case "contains":
      return texts.some((text) => text.includes(value as string));
    // Dates as texts are in their order too.
    case "at_least":
      return ordered.some((one) => one >= given);
    case "more_than":
      return ordered.some((one) => one > given);
    case "at_most":
      return ordered.some((one) => one <= given);
    case "less_than":
      return ordered.some((one) => one < given);
    case "between":
      return ordered.some((one) => one >= (value as number[])[0]! && one <= (value as number[])[1]!);
    default:
      throw new Error(`no such op: ${op}`);
  }
}
