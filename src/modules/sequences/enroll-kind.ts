import type { Tx } from "#src/core/tx.ts";
import type { Step, TaskKind } from "#src/modules/tasks/model.ts";
import type { EnrollmentStore } from "./enrolled-sql.ts";
import type { Entrance } from "./enrolling.ts";
import { createTally } from "./tally.ts";

export const ENROLL_TASK = "sequences.enroll";
/** Of a step. */
const CONTACTS_MAX = 50;

/** Whom a job lets in. */
export type Audience = { segment_id: string } | { filter: Record<string, unknown> } | { tag: string };

export interface EnrollParams {
  sequence_id: string;
  audience: Audience;
  start_at: string | null;
  actor: string;
}

/** Where the next step goes on, in the order in which contacts were made. */
interface Place {
  id: string;
  number: number;
}

interface State {
  after: Place | null;
  enrolled: number;
  /** How many did not get in, by why. */
  skipped: Record<string, number>;
}

interface Needs {
  store: EnrollmentStore;
  entrance: Entrance;
  /** Contacts of an audience as it is now, in the order of their making. */
  page(env_id: number, audience: Audience, after: Place | null, most: number): Promise<readonly Place[]>;
}

/** Lets all of an audience into a sequence: each once, whatever breaks it off. */
export function enrollKind({ store, entrance, page }: Needs): TaskKind<EnrollParams, State, readonly Place[]> {
  return {
    kind: ENROLL_TASK,
    begin: () => ({ after: null, enrolled: 0, skipped: {} }),
    prepare: ({ env_id, params, state }) => page(env_id, params.audience, state.after, CONTACTS_MAX),
    async apply(tx: Tx, { env_id, params, state, progress }, contacts): Promise<Step<State>> {
      const tally = createTally(store);
      const { sequence_id, start_at, actor } = params;
      const skipped = { ...state.skipped };
      let { enrolled } = state;
      for (const { id: contact_id } of contacts) {
        const entered = await entrance.enter(tx, { env_id, sequence_id, contact_id, start_at: start_at ?? undefined, actor }, tally);
        if ("row" in entered) enrolled++;
        else skipped[entered.refusal.reason] = (skipped[entered.refusal.reason] ?? 0) + 1;
      }
      tally.write(tx);
      const kind = contacts.length < CONTACTS_MAX ? "done" : "more";
      const done = progress.done + contacts.length;
      return {
        kind,
        state: { after: placeOf(contacts.at(-1)) ?? state.after, enrolled, skipped },
        progress: { done, total: kind === "done" ? done : null },
      };
    },
    result: ({ enrolled, skipped }) => ({ enrolled, skipped }),
  };
}

/** Rows hold more than that. */
const placeOf = (contact: Place | undefined): Place | null => (contact === undefined ? null : { id: contact.id, number: contact.number });
