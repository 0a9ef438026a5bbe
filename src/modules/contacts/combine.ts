import { AppError } from "#src/core/errors.ts";
import { mergeTags } from "./tags.ts";
import { identities } from "./identity.ts";
import { METADATA_MAX, type MergeMember } from "./model.ts";
import type { ContactRow } from "./store.ts";
import { entriesBack, entriesOf, tagsBack } from "./three-way.ts";

/** Members that go together: the whole name follows its parts. */
const groups = {
  name: ["name", "first_name", "last_name", "sort_name"],
  language: ["language"],
  timezone: ["timezone"],
  ...(Object.fromEntries(identities.map((name) => [name, [name]])) as Record<(typeof identities)[number], ColumnName[]>),
} as const satisfies Record<string, readonly ColumnName[]>;
type ColumnName = keyof ContactRow;

/** What both may have entries of, by key. */
const maps = ["fields", "metadata"] as const;

/** What of a survivor a merge can change, as it was before and as the merge made it. */
export interface Snapshots {
  before: Snapshot;
  made: Snapshot;
}
type Snapshot = Pick<ContactRow, (typeof kept)[number]>;

const kept = [...Object.values(groups).flat(), "consent", "tags", ...maps, "last_seen_at"] as ColumnName[];

/**
 * One contact of two: the survivor's own values, and what it lacks from the other.
 * @param prefer members in which the other's value goes before the survivor's
 * @throws AppError `conflict` for too many tags or too much metadata
 */
export function combine(survivor: ContactRow, other: ContactRow, prefer: ReadonlySet<MergeMember>): ContactRow {
  const combined = { ...survivor };
  for (const [name, columns] of Object.entries(groups)) {
    const leading = columns[0];
    const [first, second] = prefer.has(name as MergeMember) ? [other, survivor] : [survivor, other];
    const from = first[leading] === null ? second : first;
    Object.assign(combined, only(from, columns));
  }
  combined.consent = newerConsent(survivor.consent, other.consent);
  combined.tags = JSON.stringify(mergeTags(survivor.tags, JSON.parse(other.tags) as string[], "add"));
  for (const name of maps) {
    const [own, given] = [entriesOf(survivor[name]), entriesOf(other[name])];
    for (const [key, value] of given) if (!own.has(key) || prefer.has(name)) own.set(key, value);
    combined[name] = JSON.stringify(Object.fromEntries(own));
  }
  if (entriesOf(combined.metadata).size > METADATA_MAX)
    throw new AppError("conflict", `Together they have more than ${METADATA_MAX} entries of metadata: take some away first.`);
  if (survivor.last_seen_at !== null || other.last_seen_at !== null)
    combined.last_seen_at = Math.max(survivor.last_seen_at ?? 0, other.last_seen_at ?? 0);
  return combined;
}

export function snapshotsOf(before: ContactRow, made: ContactRow): Snapshots {
  return { before: only(before, kept) as Snapshot, made: only(made, kept) as Snapshot };
}

/**
 * The survivor without what the merge gave it: what still is as the merge made it becomes what it was, what was changed since stays.
 * @param other who was merged; takes its identities back, also where the survivor was given them anew
 */
export function separate(current: ContactRow, { before, made }: Snapshots, other: ContactRow): ContactRow {
  const restored = { ...current };
  for (const [name, columns] of Object.entries(groups)) {
    const isOthers =
      (identities as readonly string[]).includes(name) && current[columns[0]] !== null && current[columns[0]] === other[columns[0]];
    if (isOthers || columns.every((column) => current[column] === made[column])) Object.assign(restored, only(before, columns));
  }
  if (current.consent === made.consent) restored.consent = before.consent;
  if (current.last_seen_at === made.last_seen_at) restored.last_seen_at = before.last_seen_at;
  restored.tags = tagsBack(current.tags, [before.tags, made.tags]).json;
  for (const name of maps) restored[name] = entriesBack(current[name], [before[name], made[name]]).json;
  return restored;
}

function only(row: ContactRow | Snapshot, columns: readonly ColumnName[]): Partial<ContactRow> {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}

/** @param own wins where both are of one time */
function newerConsent(own: string | null, other: string | null): string | null {
  if (own === null || other === null) return own ?? other;
  const [at, otherAt] = [own, other].map((consent) => (JSON.parse(consent) as { at: string }).at) as [string, string];
  return otherAt > at ? other : own;
}
