/** Only what is one: others could fill it without end. */
const known = new Set<string>();

/** True for an IANA timezone that this program knows. */
export function isTimezone(timezone: string): boolean {
  if (known.has(timezone)) return true;
  try {
    Intl.DateTimeFormat("en", { timeZone: timezone });
  } catch {
    return false;
  }
  known.add(timezone);
  return true;
}
