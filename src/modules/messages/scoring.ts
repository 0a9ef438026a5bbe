import type { Tx } from "#src/core/tx.ts";
import type { EventType } from "#src/modules/events/model.ts";
import { type LeadNote, scoredEvents } from "#src/modules/scoring/model.ts";
import type { MessageRow } from "./store.ts";

/** The verb that sending uses of lead scoring. */
export interface Scoring {
  noted(tx: Tx, by: { env_id: number; actor: string }, notes: readonly LeadNote[]): Promise<void>;
}

/** What has happened to contacts in a transaction. */
export type Told = (LeadNote & { env_id: number })[];

const scored: ReadonlySet<EventType> = new Set(scoredEvents);
const isScored = (type: EventType): type is LeadNote["type"] => scored.has(type);

/** Of a message's events those that its contact can get points for. */
export function notesOf({ env_id, contact_id }: MessageRow, events: readonly EventType[]): Told {
  return contact_id === null ? [] : events.filter(isScored).map((type) => ({ env_id, contact_id, type }));
}

/** Once for all that a transaction has recorded. */
export async function score(scoring: Scoring, tx: Tx, told: Told): Promise<void> {
  for (const [env_id, notes] of Map.groupBy(told, (note) => note.env_id)) await scoring.noted(tx, { env_id, actor: "job" }, notes);
}
