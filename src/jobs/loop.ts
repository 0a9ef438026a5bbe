import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Job, JobKind, NewJob, Outcome } from "./job.ts";
import { Lane } from "./lane.ts";
import { createLeases, RENEW_MS } from "./leases.ts";
import { rescueLane } from "./rescue.ts";
import { createRunner } from "./runner.ts";
import { isFinal } from "./settle.ts";
import { createJobStore } from "./store.ts";

/** Jobs that are marked together: one fsync for all of them, and no request waits longer than they take. */
const GROUP_JOBS_MAX = 128;
/** Jobs between being marked and being recorded, over all lanes and in one of them. */
const RUNNING_MAX = 1_024;
const LANE_RUNNING_MAX = 64;
const FREE_JOBS_MAX = 32;
const FREE_LEASE_MS = 60_000;
/** What is on the wire may take this long when the program is asked to stop. */
const STOP_MS_MAX = 7_000;

export interface JobLoop extends Component {
  /** Puts a job into the queue; the loop looks at it after the commit. */
  enqueue(tx: Tx, job: NewJob): Promise<void>;
  /** Takes a waiting job out of the queue. @returns false when it runs already or is gone */
  withdraw(tx: Tx, env_id: number, id: string): Promise<boolean>;
  /** Makes a lane known; to be called where its account is made. */
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  pauseLane(tx: Tx, env_id: number, lane: string, paused: boolean, reason: string | null): Promise<void>;
  lastEta(tx: Tx, env_id: number, lane: string, now: number): Promise<number | null>;
  /** Another program has written to the queue or to the lanes: look everywhere. */
  rescan(): void;
  /** Resolves when nothing is due and nothing runs: for tests and for stopping. */
  settled(): Promise<void>;
  stats(): { lanes: number; held: number; buffered: number; running: number };
}

interface LoopDeps {
  db: Database;
  clock: Clock;
  log: Log;
  /** Unique for this process. */
  owner: string;
  kinds: JobKind[];
  onOutcome?(kind: string, outcome: Outcome): void;
}

/** The in-process job loop: claims due jobs lane by lane, in order and at the lane's pace. Sleeps when nothing is due. */
export function createJobLoop({ db, clock, log, owner, kinds: kindList, onOutcome }: LoopDeps): JobLoop {
  const store = createJobStore(db);
  const leases = createLeases(db, clock, owner);
  const kinds = new Map(kindList.map((kind) => [kind.kind, kind]));
  const lanes = new Map<string, Lane>();
  /** Lanes that may have something to do; the others wait for an event. */
  const active = new Set<Lane>();
  let running = 0;
  let freeRunning = 0;
  let freeDueAt = 0;
  let blockedUntil = 0;
  let started = false;
  let scheduled = false;
  let ticking = false;
  let cancelTimer: (() => void) | undefined;
  let cancelRenewal: (() => void) | undefined;
  const waiters: (() => void)[] = [];
  const drained: (() => void)[] = [];

  const limits = {
    lane: (job: Job) => kinds.get(job.kind)!.laneLimits(job),
    chat: (job: Job) => kinds.get(job.kind)!.chatLimits(job),
  };
  const keyOf = (env_id: number, lane: string) => `${env_id} ${lane}`;
  const laneOf = (job: Job) => (job.lane === null ? undefined : lanes.get(keyOf(job.env_id, job.lane)));

  const runner = createRunner({
    db,
    store,
    clock,
    log,
    owner,
    kinds,
    events: {
      dispatched: (job) => laneOf(job)?.dispatched(job, clock.now()),
      settled(job, outcome, wasDispatched) {
        onOutcome?.(job.kind, outcome);
        leave(job, (lane) => {
          if (!isFinal(outcome)) lane.putBack({ ...job, attempts: job.attempts + (outcome.kind === "retry" ? 1 : 0) }, clock.now(), wasDispatched);
          else if (wasDispatched) lane.finished(job, clock.now());
          else lane.dropped(job);
          if (outcome.kind === "snooze" || outcome.kind === "retry") lane.heldUntil = Math.max(lane.heldUntil, clock.now() + outcome.ms);
          if (outcome.kind === "stop") lane.paused = true;
        });
      },
      gone: (job) => leave(job, (lane) => lane.dropped(job)),
      untouched: (job) => leave(job, (lane) => lane.putBack(job, clock.now(), false)),
      blocked: (until) => (blockedUntil = Math.max(blockedUntil, until)),
    },
  });

  function leave(job: Job, update: (lane: Lane) => void): void {
    running--;
    const lane = laneOf(job);
    if (job.lane === null) freeRunning--;
    else if (lane !== undefined) {
      update(lane);
      rouse(lane);
    }
    schedule();
    if (running === 0) for (const done of drained.splice(0)) done();
  }

  function schedule(): void {
    if (scheduled || !started) return;
    scheduled = true;
    setImmediate(tick);
  }

  async function tick(): Promise<void> {
    scheduled = false;
    if (ticking) return;
    ticking = true;
    try {
      const now = clock.now();
      if (blockedUntil <= now) {
        await startFree(now);
        await startLaned(now);
      }
    } catch (error) {
      log.error("the job loop could not read its queue; it tries again", { error });
      blockedUntil = clock.now() + 1_000;
    } finally {
      ticking = false;
    }
    arm();
    if (isSettled()) for (const done of waiters.splice(0)) done();
  }

  async function startLaned(now: number): Promise<void> {
    const batch: Job[] = [];
    const room = Math.min(GROUP_JOBS_MAX, RUNNING_MAX - running);
    for (const lane of [...active]) {
      if (batch.length >= room) break;
      if (lane.sleepUntil > now) continue;
      await lane.fill(store, now);
      takeFrom(lane, now, batch, room);
      // Served lanes go to the end of the set, so that each has its turn.
      active.delete(lane);
      if (lane.sleepUntil < Number.POSITIVE_INFINITY) active.add(lane);
    }
    if (batch.length === 0) return;
    running += batch.length;
    void runner.run(batch);
    schedule();
  }

  function takeFrom(lane: Lane, now: number, batch: Job[], room: number): void {
    while (batch.length < room && lane.inFlight < LANE_RUNNING_MAX) {
      const job = lane.take(now);
      if (job === undefined) {
        lane.sleepUntil = lane.nextAt(now);
        return;
      }
      batch.push(job);
    }
    if (lane.inFlight >= LANE_RUNNING_MAX) lane.sleepUntil = Number.POSITIVE_INFINITY;
  }

  function rouse(lane: Lane): void {
    lane.sleepUntil = 0;
    active.add(lane);
  }

  async function startFree(now: number): Promise<void> {
    if (freeDueAt > now || freeRunning >= FREE_JOBS_MAX || !started) return;
    const taken = await db.write((tx) => store.takeFree(tx, now, now + FREE_LEASE_MS, FREE_JOBS_MAX));
    freeDueAt = taken.length > 0 ? now : ((await store.nextFree()) ?? Number.POSITIVE_INFINITY);
    if (taken.length === 0) return;
    running += taken.length;
    freeRunning += taken.length;
    const jobs = taken.map(({ job }) => job);
    void runner.run(jobs, true);
    schedule();
  }

  /** Sleeps until the next thing falls due; an event wakes it earlier. */
  function arm(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    if (!started || scheduled) return;
    const now = clock.now();
    let at = freeRunning < FREE_JOBS_MAX ? freeDueAt : Number.POSITIVE_INFINITY;
    for (const lane of active) at = Math.min(at, lane.sleepUntil);
    if (at === Number.POSITIVE_INFINITY || running >= RUNNING_MAX) return;
    at = Math.max(at, blockedUntil);
    if (at <= now) schedule();
    else cancelTimer = clock.at(at, schedule);
  }

  function isSettled(): boolean {
    if (scheduled || ticking || running > 0) return false;
    const now = clock.now();
    if (freeDueAt <= now) return false;
    for (const lane of active) if (lane.sleepUntil <= now) return false;
    return true;
  }

  /** Takes over lanes, and settles what their former owners left. */
  async function claimLanes(sole: boolean): Promise<void> {
    const { owned, gained } = await leases.acquire(sole);
    for (const { env_id, lane } of gained) {
      const rescued = await rescueLane(db, store, clock, kinds, env_id, lane);
      if (rescued > 0) log.warn("settled jobs that were running when the program broke off", { env_id, lane, jobs: rescued });
    }
    const keys = new Set(owned.map((row) => keyOf(row.env_id, row.lane)));
    for (const key of lanes.keys()) if (!keys.has(key)) forget(key);
    for (const row of owned) remember(row.env_id, row.lane, row.paused === 1, row.held_until);
  }

  function remember(env_id: number, name: string, paused: boolean, heldUntil: number | null): void {
    const key = keyOf(env_id, name);
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(env_id, name, limits);
      lanes.set(key, lane);
    }
    lane.paused = paused;
    lane.heldUntil = heldUntil ?? 0;
    rouse(lane);
    schedule();
  }

  function forget(key: string): void {
    const lane = lanes.get(key);
    if (lane === undefined) return;
    lanes.delete(key);
    active.delete(lane);
  }

  function renew(sole: boolean): void {
    cancelRenewal = clock.at(clock.now() + RENEW_MS, () => {
      void claimLanes(sole)
        .catch((error: unknown) => log.error("leases could not be renewed", { error }))
        .finally(() => {
          if (started) renew(sole);
        });
    });
  }

  function wake(job: NewJob): void {
    const now = clock.now();
    if (job.lane === null) freeDueAt = Math.min(freeDueAt, job.run_at);
    else {
      const lane = lanes.get(keyOf(job.env_id, job.lane));
      if (lane === undefined) return;
      lane.added(job.run_at, now);
      rouse(lane);
    }
    schedule();
  }

  return {
    name: "job loop",
    async start() {
      if (started) return;
      started = true;
      const sole = db.engine === "sqlite";
      if (sole) await db.write((tx) => store.expireFreeLeases(tx));
      await claimLanes(sole);
      if (!sole) renew(sole);
      schedule();
    },
    async stop() {
      if (!started) return;
      started = false;
      cancelTimer?.();
      cancelRenewal?.();
      const cancelAbort = clock.at(clock.now() + STOP_MS_MAX, () => runner.abort());
      if (running > 0) await new Promise<void>((resolve) => drained.push(resolve));
      cancelAbort();
      await leases.release();
    },
    async enqueue(tx, job) {
      await store.insert(tx, job);
      tx.afterCommit(() => wake(job));
    },
    withdraw: (tx, env_id, id) => store.withdraw(tx, env_id, id),
    async addLane(tx, env_id, lane) {
      await store.addLane(tx, env_id, lane);
      tx.afterCommit(() => {
        if (started) void claimLanes(false).catch((error: unknown) => log.error("a new lane could not be leased", { error }));
      });
    },
    async pauseLane(tx, env_id, lane, paused, reason) {
      await store.pause(tx, env_id, lane, paused, reason);
      tx.afterCommit(() => {
        const own = lanes.get(keyOf(env_id, lane));
        if (own !== undefined) remember(env_id, lane, paused, own.heldUntil);
      });
    },
    lastEta: async (tx, env_id, lane, now) => (await store.lastEta(tx, env_id, lane, now))?.eta ?? null,
    rescan() {
      freeDueAt = 0;
      for (const lane of lanes.values()) {
        lane.rescan();
        rouse(lane);
      }
      if (started) void claimLanes(false).catch((error: unknown) => log.error("lanes could not be read", { error }));
    },
    settled: () => (isSettled() ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
    stats() {
      const all = [...lanes.values()];
      const now = clock.now();
      const held = all.filter((lane) => lane.paused || lane.heldUntil > now).length;
      return { lanes: all.length, held, buffered: all.reduce((sum, lane) => sum + lane.buffered, 0), running };
    },
  };
}
