import { toTime } from "#src/core/clock.ts";
import { wordsOf } from "#src/core/search-text.ts";
import type { Contact } from "./model.ts";
import type { NewContactRow } from "./store.ts";

export function presentContact(row: NewContactRow): Contact {
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
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    last_seen_at: toTime(row.last_seen_at),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

/** The words by which a contact is found. */
export function wordsOfContact({ name, first_name, last_name, username, email, phone }: NewContactRow): string[] {
  const parts = [name, first_name, last_name, username, username?.replaceAll("_", " "), email, phone?.slice(1)];
  return wordsOf(parts.filter((part) => part !== null && part !== undefined).join(" "));
}

/** What texts may say of a contact: `{first_name}` and its like. What is not known is left out. */
export function variablesOf({ name, first_name, last_name, username, email, phone, external_id }: NewContactRow): Record<string, string> {
  const known = { name, first_name, last_name, username, email, phone, external_id };
  return Object.fromEntries(Object.entries(known).filter((entry): entry is [string, string] => entry[1] !== null && entry[1] !== ""));
}
