import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { rowsOfContact } from "#db/of-contact.ts";
import { countRows } from "#db/paging.ts";
import type { EventRow } from "#db/schema.ts";
import type { DeliveryRow } from "#db/schema-webhooks.ts";
import { lowestId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";
import type { DeliveryStatus } from "./delivery-model.ts";

/** All but what can be long. */
export const summaryColumns = [
  ...["env_id", "id", "webhook_id", "event_id", "event_type", "status", "tries", "next_attempt_at"],
  ...["response_status", "is_test", "replayed_at", "created_at", "updated_at"],
] as ("env_id" | keyof Omit<DeliveryRow, "body" | "attempts">)[];

export type DeliverySummary = Omit<DeliveryRow, "body" | "attempts">;

/** A list's filter, in the store's terms. */
export interface Narrowed {
  webhook_id?: string;
  status?: DeliveryStatus;
  event_type?: string;
  /** Where the deliveries of one event can be. */
  ids?: readonly string[];
  created_after?: number;
  created_before?: number;
}

/** Events of a time, some of which are to be sent again. */
export interface EventSpan {
  env_id: number;
  /** Milliseconds; before the second. */
  since: number;
  until: number;
  /** Behind this event. */
  after: string;
  /** null for all. */
  types: readonly string[] | null;
  contact_id: string | null;
}

/** In the words of the indexes. */
const isUnsettled = sql<boolean>`status <> 'delivered'`;

export function createDeliveryLogStore(db: Database) {
  const { engine } = db;
  const json = (texts: readonly string[]) => listOf(engine, JSON.stringify(texts));
  const again = { status: "pending", tries: 0 } as const;
  const upsert = db.prepare<DeliveryRow>((q, v) =>
    q
      .insertInto("deliveries")
      .values(
        Object.fromEntries(
          [...summaryColumns, "body", "attempts"].map((name) => [name, v(name as keyof DeliveryRow)]),
        ) as unknown as DeliveryRow,
      )
      .onConflict((conflict) =>
        conflict.columns(["env_id", "id"]).doUpdateSet((set) => ({
          ...again,
          next_attempt_at: set.ref("excluded.next_attempt_at"),
          replayed_at: set.ref("excluded.replayed_at"),
          updated_at: set.ref("excluded.updated_at"),
        })),
      ),
  );

  const narrow = (env_id: number, by: Narrowed, deleted: readonly string[]) =>
    db.read
      .selectFrom("deliveries")
      .where("env_id", "=", env_id)
      .$if(deleted.length > 0, (q) => q.where("webhook_id", "not in", [...deleted]))
      .$if(by.webhook_id !== undefined, (q) => q.where("webhook_id", "=", by.webhook_id!))
      .$if(by.status !== undefined, (q) => q.where("status", "=", sql.lit(by.status!)))
      .$if(by.status !== undefined && by.status !== "delivered", (q) => q.where(isUnsettled))
      .$if(by.event_type !== undefined, (q) => q.where("event_type", "=", by.event_type!))
      .$if(by.ids !== undefined, (q) => q.where("id", "in", json(by.ids!)))
      .$if(by.created_after !== undefined, (q) => q.where("id", ">=", lowestId("dlv", by.created_after!)))
      .$if(by.created_before !== undefined, (q) => q.where("id", "<", lowestId("dlv", by.created_before!)));

  return {
    /** @param tx null reads the last committed snapshot */
    get: (tx: Tx | null, env_id: number, id: string): Promise<DeliveryRow | undefined> =>
      (tx === null ? db.read : db.in(tx))
        .selectFrom("deliveries")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .executeTakeFirst(),
    /** On PostgreSQL it waits for whoever changes it. */
    lock: (tx: Tx, env_id: number, id: string): Promise<DeliveryRow | undefined> =>
      db
        .in(tx)
        .selectFrom("deliveries")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(engine === "postgres", (query) => query.forUpdate())
        .executeTakeFirst(),
    insert: async (tx: Tx, row: DeliveryRow): Promise<void> => {
      await db.in(tx).insertInto("deliveries").values(row).execute();
    },
    async remove(tx: Tx, env_id: number, id: string): Promise<void> {
      await db.in(tx).deleteFrom("deliveries").where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    /**
     * Newest first, without what can be long.
     * @param deleted endpoints whose deliveries are not shown
     * @param slow beside the main thread, where it may have to pass over many
     */
    page(env_id: number, by: Narrowed, deleted: readonly string[], before: string | null, offset: number, most: number, slow: boolean) {
      const query = narrow(env_id, by, deleted)
        .select(summaryColumns)
        .$if(before !== null, (q) => q.where("id", "<", before!))
        .orderBy("id", "desc")
        .offset(offset)
        .limit(most);
      return slow ? db.slowly<DeliverySummary>(query) : query.execute();
    },
    count: (env_id: number, by: Narrowed, deleted: readonly string[]) => countRows(db, narrow(env_id, by, deleted), true),
    /** What waits for a further attempt. */
    pending: (env_id: number, webhook_id: string) =>
      countRows(
        db,
        db.read
          .selectFrom("deliveries")
          .where("env_id", "=", env_id)
          .where("webhook_id", "=", webhook_id)
          .where("next_attempt_at", "is not", null),
        true,
      ),

    /** An event of the log, as long as it is kept. @param tx null reads the last committed snapshot */
    event: (tx: Tx | null, env_id: number, id: string): Promise<EventRow | undefined> =>
      (tx === null ? db.read : db.in(tx))
        .selectFrom("events")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .executeTakeFirst(),
    events: (env_id: number, ids: readonly string[]): Promise<EventRow[]> =>
      db.read.selectFrom("events").selectAll().where("env_id", "=", env_id).where("id", "in", json(ids)).execute(),
    /** In the order of their ids, read beside the main thread. Of a contact's those are among them that may be about it. */
    eventsWithin({ env_id, since, until, after, types, contact_id }: EventSpan, most: number): Promise<EventRow[]> {
      const isOfContacts = types !== null && types.length > 0 && types.every((type) => type.startsWith("contact."));
      const from = contact_id !== null && isOfContacts ? rowsOfContact(db).events(env_id, contact_id) : null;
      const query = (from ?? db.read.selectFrom("events").where("env_id", "=", env_id))
        .selectAll()
        .where("id", ">=", lowestId("evt", since))
        .where("id", "<", lowestId("evt", until))
        .where("id", ">", after)
        .$if(types !== null, (q) => q.where("type", "in", [...types!]))
        .$if(from === null && contact_id !== null, (q) =>
          q.where((where) => where.or([where("subject", "=", contact_id!), where("data", "like", `%"${contact_id}"%`)])),
        )
        .orderBy("id")
        .limit(most);
      return db.slowly<EventRow>(query);
    },
    /** What has failed in a time, dead letters and what is tried again, in the order of ids; no test events. */
    failedWithin(
      { env_id, since, until, after, types }: Omit<EventSpan, "contact_id">,
      webhook_id: string,
      most: number,
    ): Promise<Pick<DeliveryRow, "id" | "event_id">[]> {
      const query = db.read
        .selectFrom("deliveries")
        .select(["id", "event_id"])
        .where("env_id", "=", env_id)
        .where("webhook_id", "=", webhook_id)
        .where("id", ">=", lowestId("dlv", since))
        .where("id", "<", lowestId("dlv", until))
        .where("id", ">", after)
        .where("status", "in", ["dead_letter", "pending"])
        .where("is_test", "=", 0)
        .$if(types !== null, (q) => q.where("event_type", "in", [...types!]))
        .orderBy("id")
        .limit(most);
      return db.slowly(query);
    },
    /** Has those that have failed and whose events are kept attempted at once. @param due when that is in real time @returns how many */
    async replayFailed(tx: Tx, env_id: number, ids: readonly string[], { now, due }: { now: number; due: number }): Promise<number> {
      const { numUpdatedRows } = await db
        .in(tx)
        .updateTable("deliveries")
        .set({ ...again, next_attempt_at: due, replayed_at: now, updated_at: now })
        .where("env_id", "=", env_id)
        .where("id", "in", json(ids))
        .where((where) =>
          where.or([where("status", "=", "dead_letter"), where.and([where("status", "=", "pending"), where("tries", ">", 0)])]),
        )
        .where((where) =>
          where.exists(
            where
              .selectFrom("events")
              .select("events.id")
              .whereRef("events.env_id", "=", "deliveries.env_id")
              .whereRef("events.id", "=", "deliveries.event_id"),
          ),
        )
        .executeTakeFirst();
      return Number(numUpdatedRows);
    },
    /** Has an event attempted at once, whether it was delivered before or not; what was attempted stays noted. */
    async replay(tx: Tx, row: DeliveryRow): Promise<void> {
      await upsert.run(tx, row);
    },

    deadLetters(env_id: number, by: Narrowed, after: string, most: number): Promise<{ id: string }[]> {
      const query = narrow(env_id, { ...by, status: "dead_letter" }, [])
        .select("id")
        .where("id", ">", after)
        .orderBy("id")
        .limit(most);
      return db.slowly(query);
    },
    /** @returns how many of them were dead letters still */
    async purge(tx: Tx, env_id: number, ids: readonly string[]): Promise<number> {
      const { numDeletedRows } = await db
        .in(tx)
        .deleteFrom("deliveries")
        .where("env_id", "=", env_id)
        .where("id", "in", json(ids))
        .where("status", "=", "dead_letter")
        .executeTakeFirst();
      return Number(numDeletedRows);
    },

    /** Those of these deliveries that there are, locked, with their attempts. */
    attemptsOf: (tx: Tx, env_id: number, ids: readonly string[]): Promise<Pick<DeliveryRow, "id" | "attempts">[]> =>
      db
        .in(tx)
        .selectFrom("deliveries")
        .select(["id", "attempts"])
        .where("env_id", "=", env_id)
        .where("id", "in", json(ids))
        .orderBy("id")
        .$if(engine === "postgres", (query) => query.forUpdate())
        .execute(),
    async setAttempts(tx: Tx, env_id: number, id: string, attempts: string): Promise<void> {
      await db.in(tx).updateTable("deliveries").set({ attempts }).where("env_id", "=", env_id).where("id", "=", id).execute();
    },
  };
}

export type { DeliveryRow, EventRow };
export type DeliveryLogStore = ReturnType<typeof createDeliveryLogStore>;
