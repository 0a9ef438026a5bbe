import { AppError } from "#src/core/errors.ts";
import type { ContactCondition } from "#src/modules/contacts/model.ts";
import type { TaskError } from "#src/modules/tasks/model.ts";
import type { Audience } from "./model.ts";
import type { BroadcastStore } from "./store.ts";

/** Recipients of a step. */
const ROWS_MAX = 200;

/** A contact, with its place in the order of making, and what tells its local time. */
interface Person {
  id: string;
  number: number;
  timezone: string | null;
  language: string | null;
}

/** Whom contacts are narrowed down to. */
type Who = { where: ContactCondition } | { tag: string };

/** The verbs that broadcasts use of contacts. */
export interface People {
  /** @throws AppError `validation_error` for a segment or a filter that is none */
  whoIs(env_id: number, audience: Exclude<Audience, { contact_ids: string[] }>): Promise<Who>;
  /** In the order of making. */
  page(env_id: number, who: Who, after: Pick<Person, "id" | "number"> | null, most: number): Promise<Person[]>;
  /** Those of these who are here. */
  several(env_id: number, ids: readonly string[]): Promise<Person[]>;
}

/** Who is read; of somebody who is not here no more is known. */
export type Place = Pick<Person, "id"> & Partial<Person>;

/** Where in an audience a long job is. */
export interface Reading {
  /** Read when it begins, so that a segment that is changed meanwhile is not half of each. */
  who: Who | null;
  after: Pick<Person, "id" | "number"> | null;
  /** Of a list: how many of it are done. */
  at: number;
}

/** The next of an audience, and where it goes on behind them. */
export type AudienceBatch = { people: readonly Place[]; next: Reading; isLast: boolean } | { error: TaskError };

export const beginning: Reading = { who: null, after: null, at: 0 };

export type AudienceReader = ReturnType<typeof createAudienceReader>;

/** Reads whom a broadcast is for, in steps keyed by contact. */
export function createAudienceReader({ store, people }: { store: Pick<BroadcastStore, "get">; people: People }) {
  async function listed(env_id: number, ids: readonly string[], reading: Reading): Promise<AudienceBatch> {
    const some = ids.slice(reading.at, reading.at + ROWS_MAX);
    const at = reading.at + some.length;
    const known = new Map((await people.several(env_id, some)).map((person) => [person.id, person]));
    return { people: some.map((id) => known.get(id) ?? { id }), next: { ...reading, at }, isLast: at >= ids.length };
  }

  return async (env_id: number, broadcast_id: string, reading: Reading): Promise<AudienceBatch> => {
    const row = await store.get(null, env_id, broadcast_id);
    if (row === undefined) return { error: { code: "not_found", message: "The broadcast is gone." } };
    const audience = JSON.parse(row.audience) as Audience;
    if ("contact_ids" in audience) return listed(env_id, audience.contact_ids, reading);
    try {
      const who = reading.who ?? (await people.whoIs(env_id, audience));
      const some = await people.page(env_id, who, reading.after, ROWS_MAX);
      const last = some.at(-1);
      const after = last === undefined ? reading.after : { id: last.id, number: last.number };
      return { people: some, next: { who, after, at: 0 }, isLast: some.length < ROWS_MAX };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "validation_error") throw error;
      return { error: { code: "validation_error", message: error.message } };
    }
  };
}
