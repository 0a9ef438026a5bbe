import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import { createFreeJobs } from "./free-jobs.ts";
import type { Job, JobKind, JobLoop, LaneServer, NewJob, Outcome } from "./job.ts";
import type { Lane } from "./lane.ts";
import { createLaneSet } from "./lane-set.ts";
import { createLeases } from "./leases.ts";
import { createOwnership } from "./ownership.ts";
import { createRunner, type RunnerDeps } from "./runner.ts";
import { moveOn } from "./settle.ts";
import { createJobStore } from "./store.ts";

/** Jobs that are marked together, and share their fsync and the pages that they write. */
const GROUP_JOBS_MAX = 768;
/** While requests come in: none waits longer than so many jobs take, some milliseconds. */
const POLITE_JOBS_MAX = 8;
const POLITE_MS = 1_000;
/** Jobs between being marked and being recorded. */
const RUNNING_MAX = 1_536;
/** What is on the wire may take this long when the program is asked to stop, and then its outcome to be written. */
const STOP_MS_MAX = 5_500;
const RECORD_MS_MAX = 1_000;

interface LoopDeps {
  db: Database;
  clock: Clock;
  log: Log;
  /** Unique for this process. */
  owner: string;
  kinds: JobKind[];
  /** Who serves lanes without jobs. */
  laneServer?: LaneServer;
  /** Told of all lanes that are this process's, each time that they are looked at. */
  onLanes?(lanes: readonly { env_id: number; lane: string }[]): void;
  onOutcome?(kind: string, outcome: Outcome): void;
  /** As the runner has it. */
  heed?: RunnerDeps["heed"];
  /** Tells the other programs on this database that there is something for them: a lane that is theirs has changed. */
  ring(): void;
  /** Whether no other process serves these data: then every lane is free to take at the start. */
  amSole(): Promise<boolean>;
}

/** The in-process job loop: claims due jobs lane by lane, in order and at the lane's pace. Sleeps when nothing is due. */
export function createJobLoop({ db, clock, log, owner, kinds: kindList, ring, amSole, ...hooks }: LoopDeps): JobLoop {
  const { laneServer, onLanes, onOutcome, heed } = hooks;
  const store = createJobStore(db);
  const kinds = new Map(kindList.map((kind) => [kind.kind, kind]));
  const free = createFreeJobs(db, store);
  const lanes = createLaneSet({
    lane: (job) => kinds.get(job.kind)!.laneLimits(job),
    chat: (job) => kinds.get(job.kind)!.chatLimits(job),
    running: (job) => kinds.get(job.kind)!.laneRunningMax?.(job) ?? Number.POSITIVE_INFINITY,
  });
  let running = 0;
  /** Groups on their way to being marked. The next one waits, so that few writes stand before a request's. */
  let beginning = 0;
  let blockedUntil = 0;
  let politeUntil = 0;
  let started = false;
  /** Its lanes are known. */
  let ready = false;
  let scheduled = false;
  let ticking = false;
  let lastTick: Promise<void> = Promise.resolve();
  let cancelTimer: (() => void) | undefined;
  const waiters: (() => void)[] = [];
  const drained: (() => void)[] = [];

  const ownership = createOwnership({
    db,
    store,
    clock,
    log,
    leases: createLeases(db, clock, owner),
    kinds,
    amSole,
    onLanes(rows) {
      const isServed = ({ lane }: { lane: string }) => laneServer !== undefined && lane.startsWith(laneServer.prefix);
      laneServer?.serve(rows.filter(isServed));
      const own = rows.filter((row) => !isServed(row));
      lanes.become(own);
      onLanes?.(own);
      schedule();
    },
    onRefreshed: schedule,
  });

  const runner = createRunner({
    ...{ db, store, clock, log, owner, kinds, heed },
    events: {
      dispatched: (job) => lanes.takenFrom(job)?.dispatched(job, clock.now()),
      settled(job, outcome, wasDispatched) {
        onOutcome?.(job.kind, outcome);
        leave(job, (lane) => {
          moveOn(lane, clock, job, outcome, wasDispatched);
          if (outcome.kind !== "stop") return;
          ownership.noteChange();
          lane.paused = true;
        });
      },
      gone: (job) => leave(job, (lane) => lane.dropped(job)),
      lost(job) {
        leave(job, (lane) => {
          lane.dropped(job);
          lane.rescan();
        });
        ownership.refresh();
        // It was put into the queue when the lane was still taken for ours: its owner has not heard of it.
        ring();
      },
      untouched: (job) => leave(job, (lane) => lane.putBack(job, clock.now(), false)),
      blocked: (until) => (blockedUntil = Math.max(blockedUntil, until)),
    },
  });

  function leave(job: Job, update: (lane: Lane) => void): void {
    running--;
    const lane = lanes.takenFrom(job);
    if (job.lane === null) free.left(job);
    else if (lane !== undefined) {
      update(lane);
      lanes.rouse(lane);
    }
    schedule();
    if (running === 0) for (const done of drained.splice(0)) done();
  }

  function schedule(): void {
    if (scheduled || !started) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (started && !ticking) lastTick = tick();
    });
  }

  async function tick(): Promise<void> {
    ticking = true;
    try {
      const now = clock.now();
      if (blockedUntil <= now && hasRoom()) await startDue(now);
    } catch (error) {
      log.error("the job loop could not read its queue; it tries again", { error });
      blockedUntil = clock.now() + 1_000;
    } finally {
      ticking = false;
    }
    arm();
    if (isSettled()) for (const done of waiters.splice(0)) done();
  }

  async function startDue(now: number): Promise<void> {
    start(await free.collect(now));
    const most = now < politeUntil ? POLITE_JOBS_MAX : GROUP_JOBS_MAX;
    if (started) start(await lanes.collect(store, now, Math.min(most, RUNNING_MAX - running)));
  }

  function start(jobs: Job[]): void {
    if (jobs.length === 0) return;
    running += jobs.length;
    beginning++;
    void runner.run(jobs).finally(() => {
      beginning--;
      schedule();
    });
  }

  const hasRoom = () => beginning === 0 && running < RUNNING_MAX;

  /** Sleeps until the next thing falls due; an event wakes it earlier. */
  function arm(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    if (!started || scheduled) return;
    const now = clock.now();
    let at = Math.min(lanes.nextAt(), free.nextAt());
    if (at === Number.POSITIVE_INFINITY || !hasRoom()) return;
    at = Math.max(at, blockedUntil);
    if (at <= now) schedule();
    else cancelTimer = clock.at(at, schedule);
  }

  function isSettled(): boolean {
    if (scheduled || ticking || running > 0 || ownership.isBusy()) return false;
    return Math.min(free.nextAt(), lanes.nextAt()) > clock.now();
  }

  function wake(job: NewJob): void {
    const now = clock.now();
    if (!started) return ring();
    if (job.lane === null) free.added(job.run_at);
    else {
      const lane = lanes.of(job);
      if (lane === undefined) return ring();
      lane.added(job, now);
      lanes.rouse(lane);
    }
    schedule();
  }

  /** Resolves when nothing runs any more, or when what runs can't be brought to an end. */
  async function drain(): Promise<void> {
    if (running === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    drained.push(resolve);
    const abortAt = clock.now() + STOP_MS_MAX;
    const cancels = [clock.at(abortAt, () => runner.abort()), clock.at(abortAt + RECORD_MS_MAX, resolve)];
    await promise;
    for (const cancel of cancels) cancel();
    const lost = runner.giveUp();
    if (lost > 0) log.error("outcomes are not recorded; the next start settles their jobs", { jobs: lost });
  }

  return {
    name: "job loop",
    async start() {
      if (started) return;
      started = true;
      if (db.engine === "sqlite") await db.write((tx) => store.expireFreeLeases(tx));
      await ownership.start();
      // What was put there while it stood still.
      free.rescan();
      ready = true;
      schedule();
    },
    async stop() {
      if (!started) return;
      started = false;
      ready = false;
      cancelTimer?.();
      // It may be about to take something.
      await lastTick;
      await drain();
      await ownership.stop();
      // They may be another's until the next start: what is known of them then counts for nothing.
      lanes.become([]);
      laneServer?.serve([]);
      onLanes?.([]);
    },
    enqueue(tx, job) {
      store.insert(tx, job);
      tx.afterCommit(() => wake(job));
    },
    withdraw: (tx, env_id, id) => store.withdraw(tx, env_id, id),
    async addLane(tx, env_id, lane) {
      await store.addLane(tx, env_id, lane);
      tx.afterCommit(() => {
        if (!started) return ring();
        ownership.refresh();
      });
    },
    async pauseLane(tx, env_id, lane, paused) {
      await store.pause(tx, env_id, lane, paused);
      tx.afterCommit(() => {
        ownership.noteChange();
        if (lanes.of({ env_id, lane }) === undefined) return ring();
        lanes.update(env_id, lane, paused, 0);
        schedule();
      });
    },
    async releaseLane(tx, env_id, lane, reason) {
      if (!(await store.release(tx, env_id, lane, reason))) return;
      tx.afterCommit(() => {
        ownership.noteChange();
        const own = lanes.of({ env_id, lane });
        if (own === undefined) return ring();
        own.heldUntil = 0;
        lanes.rouse(own);
        schedule();
      });
    },
    lanesLost: (tx, env_id, names) => store.lanesLost(tx, env_id, names, owner),
    refreshLanes: () => ownership.refresh(),
    lastEta: async (tx, env_id, lane, now) => (await store.lastEta(tx, env_id, lane, now))?.eta ?? null,
    makeWay: () => void (politeUntil = clock.now() + POLITE_MS),
    rescan() {
      if (!started) return;
      free.rescan();
      lanes.rescan();
      schedule();
      ownership.refresh();
    },
    moved(env_id, by_ms) {
      if (!started) return;
      free.rescan();
      lanes.moved(env_id, clock.now(), by_ms);
      schedule();
    },
    inFlight: lanes.inFlight,
    settled: () => (isSettled() ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
    isRunning: () => started && ready,
    stats: () => ({ ...lanes.stats(clock.now()), running }),
  };
}
