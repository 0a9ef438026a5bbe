/** A text as both engines can keep it: PostgreSQL takes no NUL, and UTF-8 has no half of a surrogate pair. */
export function plain(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}
