import { AppError, invalidField } from "#src/core/errors.ts";
import { tidyText } from "#src/core/search-text.ts";

const TAGS_KEPT_MAX = 200;

/**
 * Tags as they are kept: without white space around them, each once.
 * @throws AppError `validation_error` for one that is empty then
 */
export function readTags(tags: readonly string[]): string[] {
  const read = tags.map(tidyText);
  const empty = read.indexOf("");
  if (empty !== -1) throw invalidField(`tags.${empty}`, "too_short", "A tag holds more than white space.");
  return [...new Set(read)];
}

/** @param kept JSON list @throws AppError `conflict` when there would be too many */
export function mergeTags(kept: string, given: readonly string[], mode: "add" | "replace"): string[] {
  const merged = mode === "replace" ? [...given] : [...new Set([...(JSON.parse(kept) as string[]), ...given])];
  if (merged.length > TAGS_KEPT_MAX) throw new AppError("conflict", `A contact has at most ${TAGS_KEPT_MAX} tags: take some away first.`);
  return merged;
}

/** Which tags are new and which are gone. @param had JSON list @param has JSON list */
export function compareTags(had: string, has: string): { added: string[]; removed: string[] } {
  const [before, after] = [had, has].map((kept) => new Set(JSON.parse(kept) as string[])) as [Set<string>, Set<string>];
  return { added: [...after.difference(before)], removed: [...before.difference(after)] };
}
