import type { Maybe, Tx } from "#src/core/tx.ts";
import type { ContactRow } from "./store.ts";

export interface Counts {
  contacts: number;
  messages: number;
  events: number;
}

/** Between two steps; holds nothing of the person, since a job is kept. */
export interface State extends Counts {
  /** Whose turn it is; null before the first and after each. */
  contact_id: string | null;
  phase: "lapse" | "merges" | "messages" | "events" | "deeds" | "audit" | "answers" | "rest";
  /** Of `answering`, while in that phase. */
  operation: number;
  /** Id or key of the last row that was looked at. */
  place: string;
  /** Steps in a row in which nothing could be done. */
  waits: number;
}

/** Who is erased: of one that was merged long ago only the id is left. */
export type Person = Pick<ContactRow, "env_id" | "id" | "telegram_id" | "username" | "phone"> & { row: number | null };

/** What a step will do with what was read for it. */
export type Turn = (tx: Tx) => Maybe<State | null>;
