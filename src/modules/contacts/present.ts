import { toTime } from "#src/core/clock.ts";
import { wordsOf } from "#src/core/search-text.ts";
import { writeValue } from "./field-values.ts";
import { type KnownFields, presentFields, writeFields } from "./fields.ts";
import { type Contact, spokenNames } from "./model.ts";
import type { NewContactRow } from "./store.ts";

/** @param known needed where the contact has custom fields */
export function presentContact(row: NewContactRow, known: KnownFields): Contact {
  const { id, number, external_id, telegram_id, username, email, phone, name, first_name, last_name, language, timezone } = row;
  return {
    id,
    number,
    external_id,
    telegram_id,
    username,
    email,
    phone,
    name,
    first_name,
    last_name,
    language,
    timezone,
    consent: row.consent === null ? null : (JSON.parse(row.consent) as Contact["consent"]),
    tags: JSON.parse(row.tags) as string[],
    fields: presentFields(row, known),
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    last_seen_at: toTime(row.last_seen_at),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

/** By whose words a contact is found. */
export const wordMembers = ["name", "first_name", "last_name", "username", "email", "phone"] as const;

/** The words by which a contact is found. */
export function wordsOfContact({
  name,
  first_name,
  last_name,
  username,
  email,
  phone,
}: Pick<NewContactRow, (typeof wordMembers)[number]>): string[] {
  const parts = [name, first_name, last_name, username, username?.replaceAll("_", " "), email, phone?.slice(1)];
  return wordsOf(parts.filter((part) => part !== null && part !== undefined).join(" "));
}

/** What texts may say of a contact: `{first_name}` and its like, and custom fields. What is not known is left out. */
export function variablesOf(row: NewContactRow, known: KnownFields): Record<string, string> {
  const own = spokenNames.map((name) => [name, row[name]] as const);
  const told = own.filter((entry): entry is [(typeof entry)[0], string] => entry[1] !== null && entry[1] !== "");
  return { ...writeFields(row, known), ...Object.fromEntries(told) };
}

/** What templates may look up of a contact: all of it, and each custom field beside. Conditions know numbers and booleans as such. */
export function factsOf(row: NewContactRow, known: KnownFields): Contact & Record<string, unknown> {
  const contact = presentContact(row, known);
  const written = Object.entries(contact.fields).map(([key, value]) => [key, Array.isArray(value) ? writeValue(value) : value]);
  return { ...Object.fromEntries(written), ...contact };
}
