import { isTimezone } from "./timezone.ts";
import { regionOfLanguage, zoneOfRegion } from "./zones-of-languages.ts";

/**
 * The zone that a contact's local times are in: its own, else that of its language where that has practically one, else the
 * fallback, else UTC. A zone that this program doesn't know counts as none.
 */
export function zoneOf(
  contact: { timezone?: string | null | undefined; language?: string | null | undefined },
  fallback?: string | null,
): string {
  if (contact.timezone && isTimezone(contact.timezone)) return contact.timezone;
  return (contact.language && zoneOfLanguage(contact.language)) || (fallback && isTimezone(fallback) ? fallback : "UTC");
}

const known = new Map<string, string | null>();
/** There are some hundred languages; clients may write anything. */
const LANGUAGES_MAX = 1_000;

/** The zone of `de`, `de-AT` or `en-GB`; null for a language without one, such as `en`, `en-US` or `de-US`, and for what is none. */
function zoneOfLanguage(language: string): string | null {
  let zone = known.get(language);
  if (zone === undefined) {
    if (known.size >= LANGUAGES_MAX) known.clear();
    zone = lookUp(language);
    known.set(language, zone);
  }
  return zone;
}

function lookUp(tag: string): string | null {
  let locale: Intl.Locale;
  try {
    locale = new Intl.Locale(tag.replaceAll("_", "-"));
  } catch {
    return null;
  }
  const zone = zoneOfRegion.get(locale.region ?? regionOfLanguage.get(locale.language) ?? "");
  return zone !== undefined && isTimezone(zone) ? zone : null;
}
