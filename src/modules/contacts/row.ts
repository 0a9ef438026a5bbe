import { toTime } from "#src/core/clock.ts";
import { invalidField } from "#src/core/errors.ts";
import { newId } from "#src/core/ids.ts";
import { cutText, foldText } from "#src/core/search-text.ts";
import { readTime } from "#src/core/time-field.ts";
import { isTimezone } from "#src/core/timezone.ts";
import { type FieldWork, mergeFields } from "./fields.ts";
import type { Identities } from "./identity.ts";
import type { ContactInput } from "./model.ts";
import { mergeNames } from "./names.ts";
import type { NewContactRow } from "./store.ts";
import { mergeTags, readTags } from "./tags.ts";

/** Of a name, for lists in its order. */
export const SORT_NAME_MAX = 100;

/** What a request gives, read and checked but for tags. */
interface Given {
  input: ContactInput;
  identities: Identities;
  fields: FieldWork;
  /** When the person was seen, in ms; absent where nothing is told of that. */
  seen_at?: number | undefined;
}

/** A contact's row with what is given. @throws AppError `conflict` for too many tags */
export function apply(
  before: NewContactRow,
  { input, identities, fields, seen_at }: Given,
  mode: "add" | "replace",
  now: number,
): NewContactRow {
  const names = mergeNames(before, {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.first_name === undefined ? {} : { first_name: input.first_name }),
    ...(input.last_name === undefined ? {} : { last_name: input.last_name }),
  });
  return {
    ...before,
    ...identities,
    ...names,
    sort_name: names.name === before.name ? before.sort_name : cutText(foldText(names.name ?? ""), SORT_NAME_MAX),
    ...(input.language === undefined ? {} : { language: input.language === null ? null : Intl.getCanonicalLocales(input.language)[0]! }),
    ...(input.timezone === undefined ? {} : { timezone: input.timezone }),
    ...(input.consent === undefined ? {} : { consent: consentOf(input.consent, now) }),
    ...(input.tags === undefined ? {} : { tags: JSON.stringify(mergeTags(before.tags, readTags(input.tags), mode)) }),
    fields: mergeFields(before.fields, fields),
    ...(input.metadata === undefined ? {} : { metadata: JSON.stringify(input.metadata) }),
    ...(seen_at === undefined ? {} : { last_seen_at: Math.max(before.last_seen_at ?? 0, seen_at) }),
    updated_at: now,
  };
}

function consentOf(consent: NonNullable<ContactInput["consent"]> | null, now: number): string | null {
  if (consent === null) return null;
  return JSON.stringify({
    status: consent.status,
    at: toTime(consent.at === undefined ? now : readTime("consent.at", consent.at)),
    source: consent.source ?? null,
  });
}

/** All that can be wrong with what is no identity. @throws AppError `validation_error` */
export function check({ language, timezone, consent, tags }: ContactInput): void {
  if (typeof language === "string" && !isLanguage(language))
    throw invalidField("language", "bad_format", "language is not a tag such as en or pt-BR.", language);
  if (typeof timezone === "string" && !isTimezone(timezone))
    throw invalidField("timezone", "bad_format", "timezone is not an IANA name such as Europe/Berlin.", timezone);
  if (consent?.at !== undefined) readTime("consent.at", consent.at);
  if (tags !== undefined) readTags(tags);
}

function isLanguage(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length === 1;
  } catch {
    return false;
  }
}

/** A contact of whom nothing is known. */
export function blank(env_id: number, number: number, now: number): NewContactRow {
  return {
    env_id,
    id: newId("ct", now, env_id),
    number,
    external_id: null,
    telegram_id: null,
    username: null,
    email: null,
    phone: null,
    name: null,
    first_name: null,
    last_name: null,
    sort_name: "",
    language: null,
    timezone: null,
    consent: null,
    tags: "[]",
    fields: "{}",
    metadata: "{}",
    last_seen_at: null,
    deleted_at: null,
    created_at: now,
    updated_at: now,
  };
}
