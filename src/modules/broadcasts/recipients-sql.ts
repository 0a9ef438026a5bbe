import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { countRows } from "#db/paging.ts";
import type { BroadcastRecipientRow } from "#db/schema-broadcasts.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

interface Key {
  env_id: number;
  broadcast_id: string;
}

/** What is to be done with one that is due. */
export type DueRecipient = Pick<BroadcastRecipientRow, "contact_id" | "variant">;
/** A recipient whose message still waits. */
export type WaitingMessage = Pick<BroadcastRecipientRow, "contact_id" | "variant"> & { message_id: string };
export type RecipientWithMessage = BroadcastRecipientRow & { error_code: string | null; sent_at: number | null };

type Settled = Key & Pick<BroadcastRecipientRow, "contact_id" | "status" | "account_id" | "message_id" | "reason">;

export function createRecipientStore(db: Database) {
  const add = db.prepare<BroadcastRecipientRow>((q, v) =>
    q
      .insertInto("broadcast_recipients")
      .values({
        env_id: v("env_id"),
        broadcast_id: v("broadcast_id"),
        contact_id: v("contact_id"),
        status: v("status"),
        variant: v("variant"),
        due_at: v("due_at"),
        account_id: v("account_id"),
        message_id: v("message_id"),
        reason: v("reason"),
        replied_at: v("replied_at"),
        clicked_at: v("clicked_at"),
      })
      .onConflict((clash) => clash.columns(["env_id", "broadcast_id", "contact_id"]).doNothing()),
  );
  const due = db.prepare<Key & { now: number; most: number }, DueRecipient>((q, v) =>
    q
      .selectFrom("broadcast_recipients")
      .select(["contact_id", "variant"])
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("status", "=", sql.lit("waiting"))
      .where("due_at", "<=", v("now"))
      .orderBy("due_at")
      .orderBy("contact_id")
      .limit(v("most") as never),
  );
  const firstDue = db.prepare<Key, { due_at: number }>((q, v) =>
    q
      .selectFrom("broadcast_recipients")
      .select("due_at")
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("status", "=", sql.lit("waiting"))
      .orderBy("due_at")
      .limit(1),
  );
  // A recipient that waits is settled once, whoever comes.
  const settle = db.prepare<Settled>((q, v) =>
    q
      .updateTable("broadcast_recipients")
      .set({
        status: v("status"),
        due_at: null,
        account_id: v("account_id"),
        message_id: v("message_id"),
        reason: v("reason"),
      })
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("status", "=", sql.lit("waiting")),
  );
  const putOff = db.prepare<Key & { contact_id: string; due_at: number; reason: string }>((q, v) =>
    q
      .updateTable("broadcast_recipients")
      .set({ due_at: v("due_at"), reason: v("reason") })
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("status", "=", sql.lit("waiting")),
  );
  const reply = db.prepare<Key & { contact_id: string; replied_at: number }>((q, v) =>
    q
      .updateTable("broadcast_recipients")
      .set({ replied_at: v("replied_at") })
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("replied_at", "is", null),
  );
  const end = db.prepare<Key & { contact_id: string; message_id: string; status: string }>((q, v) =>
    q
      .updateTable("broadcast_recipients")
      .set({ status: v("status") })
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("status", "=", sql.lit("queued"))
      .where("message_id", "=", v("message_id")),
  );
  const endByMessage = db.prepare<Key & { message_id: string; status: string }>((q, v) =>
    q
      .updateTable("broadcast_recipients")
      .set({ status: v("status") })
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("status", "=", sql.lit("queued"))
      .where("message_id", "=", v("message_id")),
  );
  const find = db.prepare<Key & { contact_id: string }, BroadcastRecipientRow>((q, v) =>
    q
      .selectFrom("broadcast_recipients")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("contact_id", "=", v("contact_id")),
  );
  const ofBroadcast = ({ env_id, broadcast_id }: Key, status: string | undefined) =>
    db.read
      .selectFrom("broadcast_recipients as r")
      .where("r.env_id", "=", env_id)
      .where("r.broadcast_id", "=", broadcast_id)
      .$if(status !== undefined, (q) => q.where("r.status", "=", status!));

  return {
    /** @returns whether they were not noted before */
    async addRecipient(tx: Tx, row: BroadcastRecipientRow): Promise<boolean> {
      return (await add.run(tx, row)) === 1;
    },
    due: (tx: Tx, key: Key, now: number, most: number): Maybe<DueRecipient[]> => due.all(tx, { ...key, now, most }),
    /** When the first falls due that waits, in the time of its environment (ms); null when none does. */
    firstDue: async (tx: Tx, key: Key): Promise<number | null> => (await firstDue.one(tx, key))?.due_at ?? null,
    /** @returns whether it still waited */
    async settle(tx: Tx, row: Settled): Promise<boolean> {
      return (await settle.run(tx, row)) === 1;
    },
    /** Has a recipient wait longer. */
    putOff: async (tx: Tx, row: Key & { contact_id: string; due_at: number; reason: string }) => void (await putOff.run(tx, row)),
    /** A recipient is another contact from now on, who is none yet. */
    async rename(tx: Tx, { env_id, broadcast_id }: Key, from: string, contact_id: string): Promise<void> {
      await db
        .in(tx)
        .updateTable("broadcast_recipients")
        .set({ contact_id })
        .where("env_id", "=", env_id)
        .where("broadcast_id", "=", broadcast_id)
        .where("contact_id", "=", from)
        .execute();
    },
    /** @returns whether it is their first answer */
    reply: async (tx: Tx, key: Key, contact_id: string, replied_at: number): Promise<boolean> =>
      (await reply.run(tx, { ...key, contact_id, replied_at })) > 0,
    /** Whether some wait for a variant to win. */
    async hasHeld(tx: Tx, { env_id, broadcast_id }: Key): Promise<boolean> {
      const held = db
        .in(tx)
        .selectFrom("broadcast_recipients")
        .select("contact_id")
        .where("env_id", "=", env_id)
        .where("broadcast_id", "=", broadcast_id)
        .where("status", "=", "held")
        .limit(1);
      return (await held.executeTakeFirst()) !== undefined;
    },
    /** What came of a recipient's message. @param contact_id as the message has it, which a merge may have changed */
    async end(tx: Tx, key: Key, status: string, message_id: string, contact_id: string | null): Promise<void> {
      if (contact_id !== null && (await end.run(tx, { ...key, contact_id, message_id, status })) > 0) return;
      await endByMessage.run(tx, { ...key, message_id, status });
    },
    recipient: (tx: Tx | null, key: Key, contact_id: string): Maybe<BroadcastRecipientRow | undefined> =>
      find.one(tx, { ...key, contact_id }),
    /** Some whose messages have not left. */
    waitingMessages: (tx: Tx, { env_id, broadcast_id }: Key, most: number): Promise<WaitingMessage[]> =>
      db
        .in(tx)
        .selectFrom("broadcast_recipients as r")
        .innerJoin("messages as m", (join) => join.onRef("m.env_id", "=", "r.env_id").onRef("m.id", "=", "r.message_id"))
        .select(["r.contact_id", "r.variant", "m.id as message_id"])
        .where("r.env_id", "=", env_id)
        .where("r.broadcast_id", "=", broadcast_id)
        .where("r.status", "=", "queued")
        .where("m.env_id", "=", env_id)
        .where("m.status", "=", "queued")
        .limit(most)
        .execute(),
    /** Puts recipients back whose messages were taken back. */
    async returnSome(tx: Tx, { env_id, broadcast_id }: Key, contact_ids: readonly string[], due_at: number): Promise<void> {
      if (contact_ids.length === 0) return;
      await db
        .in(tx)
        .updateTable("broadcast_recipients")
        .set({ status: "waiting", due_at, message_id: null, account_id: null })
        .where("env_id", "=", env_id)
        .where("broadcast_id", "=", broadcast_id)
        .where("contact_id", "in", contact_ids)
        .execute();
    },
    /** Gives up to `most` recipients of one state another. @returns how many */
    async moveSome(
      tx: Tx,
      { env_id, broadcast_id }: Key,
      from: string,
      to: Pick<BroadcastRecipientRow, "status" | "due_at"> & { variant?: string },
      most: number,
    ): Promise<number> {
      const some = db
        .in(tx)
        .selectFrom("broadcast_recipients")
        .select("contact_id")
        .where("env_id", "=", env_id)
        .where("broadcast_id", "=", broadcast_id)
        .where("status", "=", from)
        .limit(most);
      const { numUpdatedRows } = await db
        .in(tx)
        .updateTable("broadcast_recipients")
        .set(to)
        .where("env_id", "=", env_id)
        .where("broadcast_id", "=", broadcast_id)
        .where("contact_id", "in", some)
        .executeTakeFirstOrThrow();
      return Number(numUpdatedRows);
    },
    /** In the order of their contacts' making. */
    recipients: (
      key: Key,
      status: string | undefined,
      after: string | null,
      offset: number,
      most: number,
    ): Promise<RecipientWithMessage[]> =>
      db.slowly(
        ofBroadcast(key, status)
          .leftJoin("messages as m", (join) => join.onRef("m.env_id", "=", "r.env_id").onRef("m.id", "=", "r.message_id"))
          .selectAll("r")
          .select(["m.error_code", "m.sent_at"])
          .$if(after !== null, (q) => q.where("r.contact_id", ">", after!))
          .orderBy("r.contact_id")
          .offset(offset)
          .limit(most),
      ),
    /** Up to TOTAL_MAX. */
    countRecipients: (key: Key, status: string) => countRows(db, ofBroadcast(key, status) as never, true),
  };
}
