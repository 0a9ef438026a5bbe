import { AppError, invalidField } from "#src/core/errors.ts";
import { tidyText } from "#src/core/search-text.ts";
import type { Tx } from "#src/core/tx.ts";
import type { RunningTask, Step, TaskKind } from "#src/modules/tasks/model.ts";
import type { EnrollmentStore } from "./enrolled-sql.ts";
import type { Entrance } from "./enrolling.ts";
import type { Enroll } from "./model.ts";
import { createTally } from "./tally.ts";

export const ENROLL_TASK = "sequences.enroll";
/** Of a step. */
const CONTACTS_MAX = 50;

/** Whom a job lets in. */
export type Audience = { segment_id: string } | { filter: Record<string, unknown> } | { tag: string };

/** Of a request that names one. @throws AppError `validation_error` on `tag` */
export function readAudience({ segment_id, filter, tag = "" }: Pick<Enroll, "segment_id" | "filter" | "tag">): Audience {
  if (segment_id !== undefined) return { segment_id };
  if (filter !== undefined) return { filter };
  const tidy = tidyText(tag);
  if (tidy === "") throw invalidField("tag", "too_short", "A tag holds more than white space.");
  return { tag: tidy };
}

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

type Running = RunningTask<EnrollParams, State>;

interface Needs {
  store: EnrollmentStore;
  entrance: Entrance;
  /** Contacts of an audience as it is now, in the order of their making. */
  page(env_id: number, audience: Audience, after: Place | null, most: number): Promise<readonly Place[]>;
}

/** Lets all of an audience into a sequence: each once, whatever breaks it off. */
export function enrollKind({ store, entrance, page }: Needs): TaskKind<EnrollParams, State, readonly Place[] | AppError> {
  async function enterAll(tx: Tx, { env_id, params, state, progress }: Running, contacts: readonly Place[]): Promise<Step<State>> {
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
  }

  return {
    kind: ENROLL_TASK,
    begin: () => ({ after: null, enrolled: 0, skipped: {} }),
    prepare: ({ env_id, params, state }) => page(env_id, params.audience, state.after, CONTACTS_MAX).catch(orGone),
    async apply(tx: Tx, task, contacts): Promise<Step<State>> {
      // Who can't begin with the step is told of it before anybody else of the page has entered: nothing is written then.
      const step = contacts instanceof AppError ? contacts : await enterAll(tx, task, contacts).catch(orGone);
      if (!(step instanceof AppError)) return step;
      const { code, message } = step;
      return { kind: "failed", state: task.state, progress: task.progress, error: { code, message } };
    },
    result: ({ enrolled, skipped }) => ({ enrolled, skipped }),
  };
}

/** What the request named is gone meanwhile: the segment, a field of the filter, the step to begin with. */
function orGone(error: unknown): AppError {
  if (error instanceof AppError && error.code === "validation_error") return error;
  throw error;
}

/** Rows hold more than that. */
const placeOf = (contact: Place | undefined): Place | null => (contact === undefined ? null : { id: contact.id, number: contact.number });
