import type { Clock } from "#src/core/clock.ts";
import { invalidField } from "#src/core/errors.ts";
import { newId } from "#src/core/ids.ts";
import { type Scope, scopes as allScopes } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import { type EventType, eventTypes, type NewEvent } from "./model.ts";
import { presentEvent } from "./present.ts";
import type { EventRow, EventStore } from "./store.ts";

/** Which scopes let a key read an event, by what it is about. */
const readers: Record<string, readonly Scope[]> = {
  message: ["read:messages"],
  account: ["read:messages", "write:messages", "manage:accounts"],
  subscription: ["manage:keys"],
  contact: ["read:contacts"],
  lead: ["read:contacts"],
  webhook: ["manage:webhooks"],
  // Each job has scopes of its own, which are looked at one by one.
  job: allScopes,
};

interface Needs {
  store: EventStore;
  clock: Clock;
  /** Something was written in this environment. */
  appended(tx: Tx, env_id: number): void;
  /** Which of these jobs a key with these scopes can see. */
  reachableJobs(env_id: number, ids: readonly string[], scopes: ReadonlySet<string>): Promise<ReadonlySet<string>>;
}

export type EventService = ReturnType<typeof createEventService>;

/** The one log of everything that changes. */
export function createEventService({ store, clock, appended, reachableJobs }: Needs) {
  async function withoutHidden(env_id: number, rows: EventRow[], scopes: ReadonlySet<string>): Promise<EventRow[]> {
    const jobs = rows.filter(isOfJob).map(({ subject }) => subject);
    if (jobs.length === 0) return rows;
    const seen = await reachableJobs(env_id, jobs, scopes);
    return rows.filter((row) => !isOfJob(row) || seen.has(row.subject));
  }

  return {
    /** Writes an event down in the transaction of its change. */
    append(tx: Tx, env_id: number, event: NewEvent): void {
      const created_at = clock.now();
      const { type, subject, actor, data } = event;
      store.append(tx, { env_id, id: newId("evt", created_at), type, subject, actor, data: JSON.stringify(data), created_at });
      appended(tx, env_id);
    },

    /**
     * Events in the order of commits, those that the scopes may read.
     * @param after id of the last event seen; from the beginning without it
     * @throws AppError `validation_error` when there is no such event here
     */
    async list(env_id: number, scopes: ReadonlySet<string>, ask: { after?: string; limit: number }) {
      const types = eventTypes.filter((type) => mayRead(type, scopes));
      const place = ask.after === undefined ? { tx_id: -1, seq: -1 } : await store.place(env_id, ask.after);
      if (place === undefined) throw invalidField("after", "not_found", "There is no such event here: begin without after.");
      const rows = types.length === 0 ? [] : await store.after(env_id, place, types, ask.limit + 1);
      const page = rows.slice(0, ask.limit);
      const items = (await withoutHidden(env_id, page, scopes)).map(presentEvent);
      // Who follows goes on behind what was hidden too.
      return { items, limit: ask.limit, has_more: rows.length > ask.limit, next_cursor: page.at(-1)?.id ?? ask.after ?? null };
    },
  };
}

const isOfJob = ({ type }: EventRow) => type.startsWith("job.");

function mayRead(type: EventType, scopes: ReadonlySet<string>): boolean {
  return readers[type.slice(0, type.indexOf("."))]!.some((scope) => scopes.has(scope));
}
