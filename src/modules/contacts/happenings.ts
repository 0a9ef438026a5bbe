import type { Tx } from "#src/core/tx.ts";
import type { Happening, Lead, LeadChange, Score } from "#src/modules/scoring/model.ts";
import { wordMembers } from "./present.ts";
import type { NewContactRow } from "./store.ts";
import { compareTags } from "./tags.ts";

/** The verbs that contacts use of lead scoring. */
export interface Scoring {
  /** @param changes in their order; the rows are locked */
  changed(tx: Tx, by: { env_id: number; actor: string }, changes: readonly LeadChange[]): Promise<void>;
  scoreOf(env_id: number, lead: Lead): Promise<Score>;
}

/** What a change of a contact is; nothing where all is as it was. @param before null for one that is new */
export function happeningsOf(before: NewContactRow | null, after: NewContactRow): Happening[] {
  const { added, removed } = compareTags(before?.tags ?? "[]", after.tags);
  const happened: Happening[] = [];
  if (before === null) happened.push({ type: "contact.created" });
  else if (!isSame(before, { ...after, tags: before.tags })) happened.push({ type: "contact.updated" });
  if (added.length > 0) happened.push({ type: "contact.tagged", tags: added });
  if (removed.length > 0) happened.push({ type: "contact.untagged", tags: removed });
  return happened;
}

/** What its event holds beside the contact. */
export function detailsOf({ type, tags }: Happening): object {
  if (type === "contact.tagged") return { tags_added: tags };
  return type === "contact.untagged" ? { tags_removed: tags } : {};
}

export function isSame(a: NewContactRow, b: NewContactRow): boolean {
  return JSON.stringify({ ...a, updated_at: 0 }) === JSON.stringify({ ...b, updated_at: 0 });
}

/** Whether a search finds it by other words than before. */
export function isFoundOtherwise(before: NewContactRow, after: NewContactRow): boolean {
  return wordMembers.some((member) => before[member] !== after[member]);
}
