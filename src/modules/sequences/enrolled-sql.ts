import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { countRows } from "#db/paging.ts";
import type { AutomationCountRow, EnrollmentRow, SequenceRow, SequenceVersionRow } from "#db/schema-sequences.ts";
import { lowestId } from "#src/core/ids.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

/** A list's filter, in the store's terms. */
export interface Narrowed {
  status?: string;
  contact_id?: string;
  step?: string;
}

type Sent = { created_at: number };

const open = sql<boolean>`status in ('active', 'paused')`;
const columns = [
  ...(["env_id", "id", "sequence_id", "version", "contact_id", "status", "step", "due_at", "why", "waits_for", "state"] as const),
  ...(["actor", "reason", "entered_at", "ended_at", "updated_at"] as const),
] satisfies readonly (keyof EnrollmentRow)[];
const changing = [
  ...(["version", "contact_id", "status", "step", "due_at", "why", "waits_for", "state", "reason", "ended_at", "updated_at"] as const),
] satisfies readonly (keyof EnrollmentRow)[];

/** Who is in which sequence, and what is to be done with them when. */
export function createEnrollmentStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  // The engine's own look, over all environments: what is due, in order of time. Another copy's are passed over.
  const due = db.prepare<{ now: number; most: number }, EnrollmentRow>((q, v) => {
    const found = q
      .selectFrom("enrollments")
      .selectAll()
      .where("due_at", "is not", null)
      .where("due_at", "<=", v("now"))
      .orderBy("due_at")
      .orderBy("env_id")
      .orderBy("id")
      .limit(v("most"));
    return isSqlite ? found : found.forUpdate().skipLocked();
  });
  const nextDue = db.prepare<{ most: number }, { due_at: number | null }>((q, v) =>
    q.selectFrom("enrollments").select("due_at").where("due_at", "is not", null).orderBy("due_at").limit(v("most")),
  );
  const insert = db.prepare<EnrollmentRow, { id: string }>((q, v) =>
    q
      .insertInto("enrollments")
      .values(Object.fromEntries(columns.map((name) => [name, v(name)])) as unknown as EnrollmentRow)
      .onConflict((conflict) => conflict.doNothing())
      .returning("id"),
  );
  const update = db.prepare<Pick<EnrollmentRow, "env_id" | "id" | (typeof changing)[number]>>((q, v) =>
    q
      .updateTable("enrollments")
      .set(Object.fromEntries(changing.map((name) => [name, v(name)])))
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );
  const openOf = db.prepare<{ env_id: number; contact_ids: string }, EnrollmentRow>((q, v) => {
    const found = q
      .selectFrom("enrollments")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("contact_id", "in", listOf(db.engine, v("contact_ids")))
      .where(open)
      .orderBy("id");
    return isSqlite ? found : found.forUpdate();
  });
  const last = db.prepare<{ env_id: number; contact_id: string; sequence_id: string }, EnrollmentRow>((q, v) =>
    q
      .selectFrom("enrollments")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("sequence_id", "=", v("sequence_id"))
      .orderBy("id", "desc")
      .limit(1),
  );
  const definition = db.prepare<{ env_id: number; sequence_id: string; version: number }, Pick<SequenceVersionRow, "definition">>((q, v) =>
    q
      .selectFrom("sequence_versions")
      .select("definition")
      .where("env_id", "=", v("env_id"))
      .where("sequence_id", "=", v("sequence_id"))
      .where("version", "=", v("version")),
  );
  const sequence = db.prepare<{ env_id: number; id: string }, SequenceRow>((q, v) =>
    q.selectFrom("sequences").selectAll().where("env_id", "=", v("env_id")).where("id", "=", v("id")),
  );
  const held = db.prepare<{ env_id: number; id: string }, SequenceRow>((q, v) => {
    const found = q.selectFrom("sequences").selectAll().where("env_id", "=", v("env_id")).where("id", "=", v("id"));
    return isSqlite ? found : found.forShare();
  });
  const sends = db.prepare<{ env_id: number; contact_id: string; since: string; most: number }, Sent>((q, v) =>
    q
      .selectFrom("messages")
      .select("created_at")
      .where("env_id", "=", v("env_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("id", ">=", v("since"))
      .where("origin", "is not", null)
      .where("status", "not in", [sql.lit("failed"), sql.lit("canceled")])
      .orderBy("id", "desc")
      .limit(v("most")),
  );
  const unsent = db.prepare<{ env_id: number; contact_id: string; since: string; made_by: string }, { id: string }>((q, v) =>
    q
      .selectFrom("messages")
      .select("id")
      .where("env_id", "=", v("env_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("id", ">=", v("since"))
      .where("origin", "like", v("made_by"))
      // Said so that nobody looks through all that are queued.
      .where("status", "not in", [
        sql.lit("sending"),
        sql.lit("sent"),
        sql.lit("delivered"),
        sql.lit("read"),
        sql.lit("failed"),
        sql.lit("canceled"),
      ])
      .orderBy("id"),
  );
  const count = db.prepare<AutomationCountRow>((q, v) =>
    q
      .insertInto("automation_counts")
      .values({
        env_id: v("env_id"),
        subject_id: v("subject_id"),
        day: v("day"),
        step: v("step"),
        what: v("what"),
        n: v("n"),
      })
      .onConflict((conflict) =>
        conflict.columns(["env_id", "subject_id", "day", "step", "what"]).doUpdateSet({ n: sql<number>`automation_counts.n + excluded.n` }),
      ),
  );
  const all = (env_id: number, sequence_id: string) =>
    db.read.selectFrom("enrollments").where("env_id", "=", env_id).where("sequence_id", "=", sequence_id);
  const narrow = (env_id: number, sequence_id: string, by: Narrowed) =>
    all(env_id, sequence_id)
      .$if(by.status !== undefined, (q) => q.where("status", "=", by.status!))
      .$if(by.contact_id !== undefined, (q) => q.where("contact_id", "=", by.contact_id!))
      .$if(by.step !== undefined, (q) => q.where("step", "=", by.step!));

  return {
    /** When the first of all falls due, in real time (ms). */
    nextDue: async (): Promise<number | null> => (await nextDue.one(null, { most: 1 }))?.due_at ?? null,
    /** What is due at `now` (real time, ms), in order of time; nobody else takes it until the transaction ends. */
    due: (tx: Tx, now: number, most: number): Maybe<EnrollmentRow[]> => due.all(tx, { now, most }),
    /** @returns false where the contact is in the sequence already, let in by another transaction just now */
    insert: async (tx: Tx, row: EnrollmentRow): Promise<boolean> => (await insert.one(tx, row)) !== undefined,
    update: (tx: Tx, row: EnrollmentRow): void =>
      update.later(tx, {
        ...{ env_id: row.env_id, id: row.id, version: row.version, contact_id: row.contact_id, status: row.status, step: row.step },
        ...{ due_at: row.due_at, why: row.why, waits_for: row.waits_for, state: row.state, reason: row.reason },
        ...{ ended_at: row.ended_at, updated_at: row.updated_at },
      }),
    /** Those that have not ended, of all sequences; they are the caller's alone. */
    openOf: (tx: Tx, env_id: number, contact_ids: readonly string[]): Maybe<EnrollmentRow[]> =>
      openOf.all(tx, { env_id, contact_ids: JSON.stringify(contact_ids) }),
    /** The one that a contact entered last. */
    last: (tx: Tx, env_id: number, contact_id: string, sequence_id: string): Maybe<EnrollmentRow | undefined> =>
      last.one(tx, { env_id, contact_id, sequence_id }),
    /** Those of a contact that left for a reason; they are the caller's alone. */
    endedBy: (tx: Tx, env_id: number, contact_id: string, reason: string): Promise<EnrollmentRow[]> =>
      db
        .in(tx)
        .selectFrom("enrollments")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("contact_id", "=", contact_id)
        .where("reason", "=", reason)
        .where("status", "=", "exited")
        .orderBy("id")
        .$if(!isSqlite, (q) => q.forUpdate())
        .execute(),
    sequence: (tx: Tx | null, env_id: number, id: string): Maybe<SequenceRow | undefined> => sequence.one(tx, { env_id, id }),
    /** A sequence that nobody pauses or archives until the transaction ends. */
    held: (tx: Tx, env_id: number, id: string): Maybe<SequenceRow | undefined> => held.one(tx, { env_id, id }),
    definition: async (tx: Tx, env_id: number, sequence_id: string, version: number): Promise<string | undefined> =>
      (await definition.one(tx, { env_id, sequence_id, version }))?.definition,
    get: (tx: Tx | null, env_id: number, sequence_id: string, id: string): Promise<EnrollmentRow | undefined> =>
      (tx === null ? db.read : db.in(tx))
        .selectFrom("enrollments")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .where("sequence_id", "=", sequence_id)
        .$if(tx !== null && !isSqlite, (q) => q.forUpdate())
        .executeTakeFirst(),
    page(env_id: number, sequence_id: string, by: Narrowed, before: string | null, offset: number, most: number): Promise<EnrollmentRow[]> {
      const rows = narrow(env_id, sequence_id, by)
        .selectAll()
        .$if(before !== null, (q) => q.where("id", "<", before!))
        .orderBy("id", "desc")
        .offset(offset)
        .limit(most);
      // Those of a state or at a step may be few among very many.
      return Object.keys(by).length > 0 || offset > 0 ? db.slowly(rows) : rows.execute();
    },
    countAll: (env_id: number, sequence_id: string, by: Narrowed) =>
      countRows(db, narrow(env_id, sequence_id, by), Object.keys(by).length > 0),
    /** When sequences and broadcasts wrote to a contact since a time (ms), the newest `most` of them. */
    sendsSince: (tx: Tx, env_id: number, contact_id: string, since: number, most: number): Maybe<Sent[]> =>
      sends.all(tx, { env_id, contact_id, since: lowestId("msg", since), most }),
    /** Messages that an enrollment has made and that have not left. */
    async unsent(tx: Tx, { env_id, id, contact_id, entered_at }: EnrollmentRow): Promise<string[]> {
      const rows = await unsent.all(tx, { env_id, contact_id, since: lowestId("msg", entered_at), made_by: `%:${id}` });
      return rows.map((row) => row.id);
    },
    count: (tx: Tx, row: AutomationCountRow): void => count.later(tx, row),
    /** @param from the first day @param to the last */
    counts: (env_id: number, subject_id: string, from: string, to: string): Promise<AutomationCountRow[]> =>
      db.slowly(
        db.read
          .selectFrom("automation_counts")
          .selectAll()
          .where("env_id", "=", env_id)
          .where("subject_id", "=", subject_id)
          .where("day", ">=", from)
          .where("day", "<=", to),
      ),
    /** How many are in which state. */
    statuses: (env_id: number, sequence_id: string): Promise<{ status: string; n: number }[]> =>
      db.slowly(
        db.read
          .selectFrom("enrollments")
          .select(["status", sql<number>`count(*)`.as("n")])
          .where("env_id", "=", env_id)
          .where("sequence_id", "=", sequence_id)
          .groupBy("status"),
      ),
  };
}

export type { EnrollmentRow, SequenceRow };
export type EnrollmentStore = ReturnType<typeof createEnrollmentStore>;
