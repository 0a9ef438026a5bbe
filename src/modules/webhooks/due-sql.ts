import type { Database } from "#db/database.ts";
import { isAfterPlace } from "#db/place.ts";
import type { Move } from "#src/core/due-source.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Place } from "#src/modules/events/model.ts";

/** An endpoint that something is sent to, and its place in the log. */
export interface OpenEndpoint extends Place {
  id: string;
  /** JSON list of event names, `*` for all. */
  events: string;
}

export type DueStore = ReturnType<typeof createDueStore>;

/** The SQL of deliveries that fall due in one environment, for whoever moves its clock. */
export function createDueStore(db: Database) {
  const from = (tx: Tx | null) => (tx === null ? db.read : db.in(tx));
  const firstDue = (tx: Tx | null, env_id: number, webhook_id: string, after: number) =>
    from(tx)
      .selectFrom("deliveries")
      .select("next_attempt_at as at")
      .where("env_id", "=", env_id)
      .where("webhook_id", "=", webhook_id)
      .where("next_attempt_at", ">", after)
      .orderBy("next_attempt_at")
      .limit(1)
      .executeTakeFirst();
  const open = (tx: Tx | null, env_id: number): Promise<OpenEndpoint[]> =>
    from(tx)
      .selectFrom("webhooks")
      .innerJoin("webhook_states", (join) =>
        join.onRef("webhook_states.env_id", "=", "webhooks.env_id").onRef("webhook_states.webhook_id", "=", "webhooks.id"),
      )
      .select(["webhooks.id", "webhooks.events", "tx_id", "seq"])
      .where("webhooks.env_id", "=", env_id)
      .where("paused", "=", 0)
      .where("disabled_at", "is", null)
      .where("deleted_at", "is", null)
      .execute();

  return {
    open,
    /** Where the log ends. */
    async newest(env_id: number): Promise<Place> {
      const query = db.read.selectFrom("events").select(["tx_id", "seq"]).where("env_id", "=", env_id);
      const row = await query.orderBy("tx_id", "desc").orderBy("seq", "desc").limit(1).executeTakeFirst();
      return row ?? { tx_id: 0, seq: 0 };
    },
    async nextAt(tx: Tx, { env_id, now }: Move): Promise<number | null> {
      let next: number | null = null;
      for (const { id } of await open(tx, env_id)) {
        const at = (await firstDue(tx, env_id, id, now))?.at ?? null;
        if (at !== null) next = Math.min(next ?? at, at);
      }
      return next;
    },
    async shift(tx: Tx, { env_id, now }: Move, by_ms: number): Promise<void> {
      await db
        .in(tx)
        .updateTable("deliveries")
        .set((row) => ({ next_attempt_at: row("next_attempt_at", "-", by_ms) }))
        .where("env_id", "=", env_id)
        .where("next_attempt_at", ">", now)
        .execute();
    },
    /** Nothing that the endpoint asks for stands behind its place, and nothing is due. */
    async isSettled({ env_id, now }: Move, { id, events, tx_id, seq }: OpenEndpoint): Promise<boolean> {
      const due = await firstDue(null, env_id, id, -1);
      if ((due?.at ?? Number.POSITIVE_INFINITY) <= now) return false;
      const types = JSON.parse(events) as string[];
      const behind = await db.read
        .selectFrom("events")
        .select("seq")
        .where("env_id", "=", env_id)
        .where(isAfterPlace(db.engine, { tx_id, seq }))
        .$if(!types.includes("*"), (query) => query.where("type", "in", types))
        .limit(1)
        .executeTakeFirst();
      return behind === undefined;
    },
  };
}
