import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import type { JobRow, LaneRow } from "#db/schema.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Job, NewJob } from "./job.ts";
import type { Lane, LaneReader } from "./lane.ts";

const columns = ["env_id", "id", "kind", "lane", "chat", "run_at", "attempts", "payload"] as const;

/** The only SQL of the job loop, and its one system door: the loop serves every environment. */
export interface JobStore extends LaneReader {
  insert(tx: Tx, job: NewJob): void;
  /** Which of these lanes have another owner by now. On SQLite there is no other. */
  lanesLost(tx: Tx, env_id: number, lanes: readonly string[], owner: string): Promise<ReadonlySet<string>>;
  /** Takes jobs of one environment out of the queue. */
  remove(tx: Tx, env_id: number, ids: string[]): Maybe<number>;
  /** Takes a job out of the queue. @returns whether it was there */
  withdraw(tx: Tx, env_id: number, id: string): Promise<boolean>;
  setAttempts(tx: Tx, env_id: number, id: string, attempts: number): Promise<void>;
  /** A job without a lane waits again, until `run_at`. */
  repeat(tx: Tx, env_id: number, id: string, attempts: number, run_at: number): Promise<void>;
  hold(tx: Tx, env_id: number, lane: string, until: number, reason: string): Promise<void>;
  /** Ends a hold that has this reason. @returns whether there was one */
  release(tx: Tx, env_id: number, lane: string, reason: string): Promise<boolean>;
  pause(tx: Tx, env_id: number, lane: string, paused: boolean): Promise<void>;
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  lanes(): Promise<LaneRow[]>;
  lane(env_id: number, lane: string): Promise<LaneRow | undefined>;
  /** Due jobs without a lane, leased until `leaseUntil`, among them those whose earlier lease has ended. */
  takeFree(tx: Tx, now: number, leaseUntil: number, most: number): Promise<Job[]>;
  /** When the next job without a lane is due, or the lease of one ends that somebody took and did not finish. */
  nextFree(now: number): Promise<number | null>;
  /** Forgets leases of jobs without a lane: only for the sole copy, at its start. */
  expireFreeLeases(tx: Tx): Promise<void>;
  /** The eta of the last job of a lane that is due by now, for telling the next one's. */
  lastEta(tx: Tx, env_id: number, lane: string, now: number): Maybe<{ eta: number | null } | undefined>;
}

export function createJobStore(db: Database): JobStore {
  const insert = db.prepare<JobRow>((q, v) =>
    q.insertInto("jobs").values({
      env_id: v("env_id"),
      id: v("id"),
      kind: v("kind"),
      lane: v("lane"),
      chat: v("chat"),
      run_at: v("run_at"),
      running: v("running"),
      attempts: v("attempts"),
      payload: v("payload"),
      eta: v("eta"),
      lease_until: v("lease_until"),
    }),
  );
  const remove = db.prepare<{ env_id: number; ids: string }>((q, v) =>
    q
      .deleteFrom("jobs")
      .where("env_id", "=", v("env_id"))
      .where("id", "in", listOf(db.engine, v("ids"))),
  );
  const after = db.prepare<{ env_id: number; lane: string; run_at: number; id: string; most: number }, Job>((q, v) =>
    q
      .selectFrom("jobs")
      .select(columns)
      .where("env_id", "=", v("env_id"))
      .where("lane", "=", v("lane"))
      .where(sql<boolean>`(run_at, id) > (${v("run_at")}, ${v("id")})`)
      .orderBy("run_at")
      .orderBy("id")
      .limit(v("most")),
  );
  const lastEta = db.prepare<{ env_id: number; lane: string; now: number }, { eta: number | null }>((q, v) =>
    q
      .selectFrom("jobs")
      .select("eta")
      .where("env_id", "=", v("env_id"))
      .where("lane", "=", v("lane"))
      .where("run_at", "<=", v("now"))
      .orderBy("run_at", "desc")
      .orderBy("id", "desc")
      .limit(1),
  );

  const ofLane = (lane: Lane) => db.read.selectFrom("jobs").select(columns).where("env_id", "=", lane.env_id).where("lane", "=", lane.name);
  const jobRow = (tx: Tx, env_id: number, id: string) => db.in(tx).updateTable("jobs").where("env_id", "=", env_id).where("id", "=", id);
  const laneRow = (tx: Tx, env_id: number, lane: string) =>
    db.in(tx).updateTable("lanes").where("env_id", "=", env_id).where("lane", "=", lane);

  return {
    insert: (tx, job) => insert.later(tx, { ...job, running: 0, attempts: 0, lease_until: null }),
    async lanesLost(tx, env_id, lanes, owner) {
      if (db.engine === "sqlite" || lanes.length === 0) return new Set();
      const query = db.in(tx).selectFrom("lanes").select("lane").where("env_id", "=", env_id).where("lane", "in", lanes);
      const kept = await query.where("owner", "=", owner).forShare().execute();
      return new Set(lanes).difference(new Set(kept.map(({ lane }) => lane)));
    },
    remove: (tx, env_id, ids) => remove.run(tx, { env_id, ids: JSON.stringify(ids) }),
    withdraw: async (tx, env_id, id) => (await remove.run(tx, { env_id, ids: JSON.stringify([id]) })) > 0,
    async setAttempts(tx, env_id, id, attempts) {
      await jobRow(tx, env_id, id).set({ attempts }).execute();
    },
    async repeat(tx, env_id, id, attempts, run_at) {
      await jobRow(tx, env_id, id).set({ attempts, run_at, running: 0, lease_until: null }).execute();
    },
    after(lane, place, most) {
      const { run_at, id } = place ?? { run_at: -1, id: "" };
      return after.all(null, { env_id: lane.env_id, lane: lane.name, run_at, id, most });
    },
    ofChat: (lane, chat, from, to, most) =>
      ofLane(lane)
        .where("chat", "=", chat)
        .where(sql<boolean>`(run_at, id) >= (${from.run_at}, ${from.id})`)
        .where(sql<boolean>`(run_at, id) <= (${to.run_at}, ${to.id})`)
        .orderBy("run_at")
        .orderBy("id")
        .limit(most)
        .execute(),
    async hold(tx, env_id, lane, until, reason) {
      await laneRow(tx, env_id, lane).set({ held_until: until, hold_reason: reason }).execute();
    },
    async release(tx, env_id, lane, reason) {
      const query = laneRow(tx, env_id, lane).set({ held_until: null, hold_reason: null });
      return (await query.where("hold_reason", "=", reason).executeTakeFirst()).numUpdatedRows > 0n;
    },
    async pause(tx, env_id, lane, paused) {
      await laneRow(tx, env_id, lane)
        .set({ paused: paused ? 1 : 0 })
        .execute();
    },
    async addLane(tx, env_id, lane) {
      await db
        .in(tx)
        .insertInto("lanes")
        .values({ env_id, lane, paused: 0, held_until: null, hold_reason: null, owner: null, lease_until: null, fence: 0 })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    lanes: () => db.read.selectFrom("lanes").selectAll().execute(),
    lane: (env_id, lane) =>
      db.read.selectFrom("lanes").selectAll().where("env_id", "=", env_id).where("lane", "=", lane).executeTakeFirst(),
    async takeFree(tx, now, leaseUntil, most) {
      const due = await db
        .in(tx)
        .selectFrom("jobs")
        .select(columns)
        .where("lane", "is", null)
        .where("run_at", "<=", now)
        .where((where) => where.or([where("running", "=", 0), where("lease_until", "<=", now)]))
        .orderBy("run_at")
        .limit(most)
        .$if(db.engine === "postgres", (query) => query.forUpdate().skipLocked())
        .execute();
      for (const { env_id, id } of due)
        await db
          .in(tx)
          .updateTable("jobs")
          .set({ running: 1, lease_until: leaseUntil })
          .where("env_id", "=", env_id)
          .where("id", "=", id)
          .execute();
      return due;
    },
    async nextFree(now) {
      const free = db.read.selectFrom("jobs").where("lane", "is", null);
      const waiting = free.select(({ fn }) => fn.min<number | null>("run_at").as("at")).where("running", "=", 0);
      // What is leased was due: that keeps this to few rows of the index.
      const leased = free
        .select(({ fn }) => fn.min<number | null>("lease_until").as("at"))
        .where("run_at", "<=", now)
        .where("running", "=", 1);
      const rows = await Promise.all([waiting.executeTakeFirst(), leased.executeTakeFirst()]);
      const moments = rows.map((row) => row?.at ?? null).filter((at) => at !== null);
      return moments.length === 0 ? null : Math.min(...moments);
    },
    async expireFreeLeases(tx) {
      await db.in(tx).updateTable("jobs").set({ lease_until: 0 }).where("lane", "is", null).where("running", "=", 1).execute();
    },
    lastEta: (tx, env_id, lane, now) => lastEta.one(tx, { env_id, lane, now }),
  };
}
