import type { LaneRow } from "#db/schema.ts";
import type { Job } from "./job.ts";
import { Lane, type LaneLimits, type LaneReader } from "./lane.ts";

/** Of one lane, between being marked and being recorded. */
const LANE_RUNNING_MAX = 64;

/** The lanes that this process serves, and which of them may have something to do. */
export interface LaneSet {
  of(job: Pick<Job, "env_id" | "lane">): Lane | undefined;
  /** The lane that the job was taken from, while that is ours; what is lost and won again meanwhile begins anew. */
  takenFrom(job: Job): Lane | undefined;
  /** Makes the set be these. */
  become(rows: LaneRow[]): void;
  update(env_id: number, name: string, paused: boolean, heldUntil: number): void;
  /** Something has happened to the lane: look at it with the next collection. */
  rouse(lane: Lane): void;
  rescan(): void;
  /** What an environment's lanes wait for is by so much nearer (ms). */
  moved(env_id: number, now: number, by_ms: number): void;
  /** Jobs of an environment that were taken and are not settled. */
  inFlight(env_id: number): number;
  /** Takes up to `room` jobs that may run now, each lane in its turn. */
  collect(reader: LaneReader, now: number, room: number): Promise<Job[]>;
  /** When the next job can be collected (ms); Infinity when only an event can change that. */
  nextAt(): number;
  stats(now: number): { lanes: number; held: number; buffered: number };
}

export function createLaneSet(limits: LaneLimits): LaneSet {
  /** By environment, then by name: looked up for every job, without making a key. */
  const lanes = new Map<number, Map<string, Lane>>();
  /** The others wait for an event. */
  const active = new Set<Lane>();
  const ofEnvironment = (env_id: number) => [...(lanes.get(env_id)?.values() ?? [])];
  const all = () => [...lanes.values()].flatMap((ofEnv) => [...ofEnv.values()]);

  function rouse(lane: Lane): void {
    lane.sleepUntil = 0;
    active.add(lane);
  }

  function update(env_id: number, name: string, paused: boolean, heldUntil: number): void {
    let ofEnv = lanes.get(env_id);
    if (ofEnv === undefined) lanes.set(env_id, (ofEnv = new Map()));
    let lane = ofEnv.get(name);
    if (lane === undefined) ofEnv.set(name, (lane = new Lane(env_id, name, limits)));
    lane.paused = paused;
    lane.heldUntil = Math.max(lane.heldUntil, heldUntil);
    rouse(lane);
  }

  function takeFrom(lane: Lane, now: number, batch: Job[], most: number): void {
    for (let taken = 0; taken < most && lane.inFlight < LANE_RUNNING_MAX; taken++) {
      const job = lane.take(now);
      if (job === undefined) {
        lane.sleepUntil = lane.nextAt(now);
        return;
      }
      batch.push(job);
    }
    if (lane.inFlight >= LANE_RUNNING_MAX) lane.sleepUntil = Number.POSITIVE_INFINITY;
  }

  async function serve(lane: Lane, reader: LaneReader, now: number, batch: Job[], most: number): Promise<void> {
    if (lane.paused || lane.heldUntil > now) lane.sleepUntil = lane.nextAt(now);
    else {
      await lane.readAhead(reader, now);
      takeFrom(lane, now, batch, most);
    }
    // Served lanes go to the end of the set, so that each has its turn.
    active.delete(lane);
    if (lane.sleepUntil < Number.POSITIVE_INFINITY) active.add(lane);
  }

  const of = ({ env_id, lane }: Pick<Job, "env_id" | "lane">) => (lane === null ? undefined : lanes.get(env_id)?.get(lane));

  return {
    of,
    takenFrom(job) {
      const lane = of(job);
      return lane?.hasTaken(job) === true ? lane : undefined;
    },
    become(rows) {
      const stay = new Map<number, Set<string>>();
      for (const [env_id, ofEnv] of Map.groupBy(rows, (row) => row.env_id)) stay.set(env_id, new Set(ofEnv.map((row) => row.lane)));
      for (const lane of all()) {
        if (stay.get(lane.env_id)?.has(lane.name) === true) continue;
        lanes.get(lane.env_id)!.delete(lane.name);
        active.delete(lane);
      }
      for (const row of rows) update(row.env_id, row.lane, row.paused === 1, row.held_until ?? 0);
    },
    update,
    rouse,
    rescan() {
      for (const lane of all()) {
        lane.rescan();
        rouse(lane);
      }
    },
    moved(env_id, now, by_ms) {
      for (const lane of ofEnvironment(env_id)) {
        if (lane.heldUntil > now) lane.heldUntil -= by_ms;
        lane.rescan();
        rouse(lane);
      }
    },
    inFlight: (env_id) => ofEnvironment(env_id).reduce((sum, lane) => sum + lane.inFlight, 0),
    async collect(reader, now, room) {
      const batch: Job[] = [];
      const awake = [...active].filter((lane) => lane.sleepUntil <= now);
      for (const ofEnv of Map.groupBy(awake, (lane) => lane.env_id).values()) {
        // What an environment queued together lies side by side on disk: a little of each of its lanes touches the fewest pages.
        const share = Math.ceil((room - batch.length) / ofEnv.length);
        for (const lane of ofEnv) {
          if (batch.length >= room) return batch;
          await serve(lane, reader, now, batch, Math.min(share, room - batch.length));
        }
      }
      return batch;
    },
    nextAt: () => [...active].reduce((soonest, lane) => Math.min(soonest, lane.sleepUntil), Number.POSITIVE_INFINITY),
    stats(now) {
      const each = all();
      const held = each.filter((lane) => lane.paused || lane.heldUntil > now).length;
      return { lanes: each.length, held, buffered: each.reduce((sum, lane) => sum + lane.buffered, 0) };
    },
  };
}
