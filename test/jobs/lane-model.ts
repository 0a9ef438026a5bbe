import type { Job, Limit } from "#src/jobs/job.ts";
import { Lane, type LaneReader, type Place } from "#src/jobs/lane.ts";

/** A queue as the database keeps it, and a lane on it, driven by hand. */
export interface World {
  lane: Lane;
  now: number;
  /** Waiting and running jobs, as rows. */
  rows: Map<string, Job>;
  inFlight: Set<Job>;
  /** When each job left, in order. */
  departures: { job: Job; at: number }[];
  /** Departures that overtook an older job of the same chat, or left beside one. */
  overtakings: { job: Job; other: Job }[];
  /** Rows that the reader gave out so far. */
  read: number;
  /** Called within the next read, between the look at the rows and the answer, as if PostgreSQL took its time. */
  meanwhile: (() => void)[];
  /** The next reads fail, so many of them. */
  failures: number;
  enqueue(chat: string | null, run_at: number, id?: string): Job;
  /** Reads and takes what may run now, as the loop does. */
  collect(most?: number): Promise<Job[]>;
  finish(job: Job): void;
  putBack(job: Job): void;
  drop(job: Job): void;
}

const isAfter = (a: Place, b: Place) => a.run_at > b.run_at || (a.run_at === b.run_at && a.id > b.id);

export function createWorld(limits: { lane: readonly Limit[]; chat: readonly Limit[] }): World {
  let lastId = 0;
  const lane = new Lane(1, "account:1", { running: () => Number.POSITIVE_INFINITY, lane: () => limits.lane, chat: () => limits.chat });

  const sorted = () => [...world.rows.values()].toSorted((a, b) => (isAfter(a, b) ? 1 : -1));

  async function answer(jobs: Job[]): Promise<Job[]> {
    world.read += jobs.length;
    const copies = jobs.map((job) => ({ ...job }));
    await Promise.resolve();
    for (const happen of world.meanwhile.splice(0)) happen();
    if (world.failures > 0) {
      world.failures--;
      throw new Error("the database is away");
    }
    return copies;
  }

  const reader: LaneReader = {
    after: (_lane, place, most) =>
      answer(
        sorted()
          .filter((job) => place === null || isAfter(job, place))
          .slice(0, most),
      ),
    ofChat: (_lane, chat, from, to, most) =>
      answer(
        sorted()
          .filter((job) => job.chat === chat && !isAfter(from, job) && !isAfter(job, to))
          .slice(0, most),
      ),
  };

  const isRunning = ({ id }: Job) => [...world.inFlight].some((job) => job.id === id);

  function leave(job: Job): void {
    world.inFlight.delete(job);
    world.rows.delete(job.id);
  }

  const world: World = {
    lane,
    now: 1_000_000,
    rows: new Map(),
    inFlight: new Set(),
    departures: [],
    overtakings: [],
    read: 0,
    meanwhile: [],
    failures: 0,
    enqueue(chat, run_at, id = newId()) {
      const job: Job = { env_id: 1, id, kind: "test", lane: "account:1", chat, run_at, attempts: 0, payload: "" };
      world.rows.set(id, job);
      lane.added({ run_at, id }, world.now);
      return job;
    },
    async collect(most = 64) {
      await lane.readAhead(reader, world.now);
      const taken: Job[] = [];
      for (let job = lane.take(world.now); job !== undefined; job = taken.length < most ? lane.take(world.now) : undefined) taken.push(job);
      for (const job of taken) {
        const others = [...world.rows.values()].filter((row) => row.id !== job.id && row.chat !== null && row.chat === job.chat);
        for (const other of others) if (isRunning(other) || isAfter(job, other)) world.overtakings.push({ job, other });
        world.inFlight.add(job);
        lane.dispatched(job, world.now);
        world.departures.push({ job, at: world.now });
      }
      return taken;
    },
    finish(job) {
      leave(job);
      lane.finished(job, world.now);
    },
    putBack(job) {
      world.inFlight.delete(job);
      lane.putBack(job, world.now, true);
    },
    drop(job) {
      leave(job);
      lane.finished(job, world.now);
    },
  };

  /** In order of creation, as ids of one process are. */
  function newId(): string {
    return `job_${String(++lastId).padStart(8, "0")}`;
  }

  return world;
}

/** Runs on until nothing is left, going from one moment to the next as the lane names them. @throws Error when it names none */
export async function drain(world: World, durationMs = 0): Promise<void> {
  for (let turn = 0; world.rows.size > 0; turn++) {
    if (turn > 100_000) throw new Error(`${world.rows.size} jobs do not come to an end`);
    await world.collect();
    if (world.inFlight.size > 0) {
      world.now += durationMs;
      for (const job of [...world.inFlight]) world.finish(job);
      continue;
    }
    const next = world.lane.nextAt(world.now);
    if (next === Number.POSITIVE_INFINITY) throw new Error(`${world.rows.size} jobs wait, and the lane waits for nothing`);
    world.now = Math.max(world.now, next);
  }
}
