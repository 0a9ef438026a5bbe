import { cutText, foldText } from "#src/core/search-text.ts";
import { identities, type Identity } from "./identity.ts";
import { SORT_NAME_MAX } from "./row.ts";
import type { ContactRow } from "./store.ts";
import { entriesBack, tagsBack } from "./three-way.ts";

const tracked = [
  ...identities,
  "name",
  "first_name",
  "last_name",
  "language",
  "timezone",
  "consent",
  "tags",
  "fields",
  "metadata",
] as const;
type Tracked = (typeof tracked)[number];

/** What columns held before and after. */
export type Changed = { [Column in Tracked]?: [before: ContactRow[Column], after: ContactRow[Column]] };

export function diffRows(before: ContactRow, after: ContactRow): Changed {
  return Object.fromEntries(
    tracked.filter((column) => before[column] !== after[column]).map((column) => [column, [before[column], after[column]]]),
  );
}

/** The identities that a contact would have again. */
export function formerIdentities(row: ContactRow, changed: Changed): { name: Identity; value: string | number }[] {
  return identities.flatMap((name) => {
    const value = changed[name]?.[0] ?? null;
    return value === null || row[name] !== changed[name]![1] ? [] : [{ name, value }];
  });
}

/**
 * Takes a change back wherever the contact still is as it left them: of tags and custom fields each by itself.
 * @param without identities that are somebody else's by now
 * @returns the row, and whether something was left as somebody has made it since
 */
export function takeBack(row: ContactRow, changed: Changed, without: ReadonlySet<Identity>): { row: ContactRow; left: boolean } {
  let left = false;
  const back: Record<string, unknown> = {};
  for (const column of tracked) {
    const pair = changed[column];
    if (pair === undefined) continue;
    const [before, after] = pair;
    if (column === "tags" || column === "fields") {
      const merged = (column === "tags" ? tagsBack : entriesBack)(row[column], pair as [string, string]);
      back[column] = merged.json;
      left ||= merged.left;
    } else if (row[column] === after && !without.has(column as Identity)) back[column] = before;
    else if (row[column] !== before) left = true;
  }
  const is = { ...row, ...back };
  return { row: { ...is, sort_name: is.name === row.name ? row.sort_name : cutText(foldText(is.name ?? ""), SORT_NAME_MAX) }, left };
}
