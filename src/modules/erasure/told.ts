import type { Tx } from "#src/core/tx.ts";
import { emptiedDeed, emptiedEvent } from "./emptied.ts";
import type { ErasureStore, Kept } from "./store.ts";
import type { Person, State, Turn } from "./turn.ts";

/** Events of a step, so that requests wait for none longer than a few milliseconds. */
const ROWS_MAX = 50;

interface Needs {
  store: Pick<ErasureStore, "eventsOf" | "deedsOf" | "emptyEvent" | "isTaken">;
  forgetResponses(tx: Tx, env_id: number, event_ids: readonly string[]): Promise<void>;
}

/** Takes a person out of events that are not about one of their messages. */
export function createToldErasure({ store, forgetResponses }: Needs) {
  async function eraseEvents({ env_id, id }: Person, state: State): Promise<Turn> {
    const rows = await store.eventsOf(env_id, id, state.place, ROWS_MAX);
    if (rows.length === 0) return () => ({ ...state, phase: "deeds", place: "" });
    return emptyEvents(env_id, rows, emptiedEvent, state);
  }

  /** What the person did to messages of others, as in a group. */
  async function eraseDeeds({ env_id, telegram_id }: Person, state: State): Promise<Turn> {
    const isOwn = telegram_id !== null && !(await store.isTaken(env_id, "telegram_id", telegram_id));
    const rows = isOwn ? await store.deedsOf(env_id, telegram_id, state.place, ROWS_MAX) : [];
    if (rows.length === 0) return () => ({ ...state, phase: "audit", place: "" });
    return emptyEvents(env_id, rows, emptiedDeed, state);
  }

  function emptyEvents(env_id: number, rows: readonly Kept[], empty: (data: string) => string, state: State): Turn {
    return async (tx) => {
      for (const { id, data } of rows) await store.emptyEvent(tx, env_id, { id, data: empty(data) });
      await forgetResponses(
        tx,
        env_id,
        rows.map(({ id }) => id),
      );
      return { ...state, place: rows.at(-1)!.id, events: state.events + rows.length };
    };
  }

  return { eraseEvents, eraseDeeds };
}
