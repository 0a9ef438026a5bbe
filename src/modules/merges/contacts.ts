import { toTime } from "#src/core/clock.ts";
import type { Precondition } from "#src/core/etag.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Contact, MergeMember } from "#src/modules/contacts/model.ts";
import type { Merge } from "./model.ts";
import type { ContactRow, MergeRow } from "./store.ts";

/** How long a merge can be undone: as long as a deleted contact is kept. */
const UNDO_MS = 30 * 24 * 3_600_000;

/** Two contacts after a change of both, and as they were. */
export interface Pair {
  contact: Contact;
  other: Contact;
  before: Contact;
  otherBefore: Contact;
}

/** The survivor before a merge and as that made it. */
export interface Snapshots {
  before: object;
  made: object;
}

type Both = readonly [ContactRow, ContactRow];

/** The verbs that merges use of contacts. */
export interface Contacts {
  /** By id or number, also one that is deleted. */
  row(tx: Tx, env_id: number, ref: string): Maybe<ContactRow | undefined>;
  lockBoth(tx: Tx, env_id: number, ids: readonly [string, string]): Promise<[ContactRow | undefined, ContactRow | undefined]>;
  combine(tx: Tx, both: Both, prefer: ReadonlySet<MergeMember>, check: Precondition): Promise<Pair & { snapshots: Snapshots }>;
  separate(tx: Tx, both: Both, snapshots: Snapshots): Promise<Pair>;
}

/** Milliseconds. */
export function undoUntil({ created_at }: MergeRow): number {
  return created_at + UNDO_MS;
}

export function present(row: MergeRow): Merge {
  return {
    id: row.id,
    contact_id: row.survivor_id,
    merged: { id: row.merged_id, number: row.merged_number },
    actor: row.actor,
    undo_until: toTime(undoUntil(row)),
    undone_at: toTime(row.undone_at),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.undone_at ?? row.created_at),
  };
}
