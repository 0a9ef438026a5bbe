import type { Database } from "#db/database.ts";
import { AppError } from "#src/core/errors.ts";
import { createLog } from "#src/core/log.ts";
import type { Begun, Job, JobKind, JobLoop, Limit, NewJob, Outcome } from "#src/jobs/job.ts";
import { createJobLoop } from "#src/jobs/loop.ts";
import { freshDatabase, type TestEngine } from "#test/support/databases.ts";
import { createTestClock, movingOn, type TestClock } from "#test/support/test-clock.ts";

export const ENV = 1;

/** What a job is to do; what is left out is done at once. */
interface Part {
  /** One for each run, the last one for all that follow. */
  outcomes?: Outcome[];
  /** Stays on the wire until it is let go, or until the loop breaks it off. */
  hangs?: boolean;
  /** Throws where it should not, this many times. */
  fails?: { at: "begin" | "run" | "end"; times: number };
}

/** A copy of the executable, as far as the job loop goes. */
export interface Copy {
  loop: JobLoop;
  clock: TestClock;
  /** What it did, such as `begin a1`, `run a1`, `end a1 1` (attempts so far), `abort a1`, `rescue lane:a`. */
  did: string[];
  /** Lets a hanging job go on. */
  letGo(id: string): void;
  /** From now on writes of this copy are refused, as with a full disk. @param after so many more that go well */
  breakWrites(broken: boolean, after?: number): void;
}

export interface Stage extends AsyncDisposable {
  db: Database;
  parts: Record<string, Part>;
  open(options?: { clock?: TestClock; limits?: { lane: Limit[]; chat: Limit[] }; isSole?: boolean }): Copy;
  /** Makes a lane known to the copy's loop. */
  addLane(copy: Copy, lane: string): Promise<void>;
  /** Puts jobs named after their lane (`a1` is in `lane:a`; `free1` in none) into the queue, in one transaction. */
  enqueue(copy: Copy, ids: string[], more?: Partial<NewJob>): Promise<void>;
  /** Ids of what is in the queue. */
  queued(): Promise<string[]>;
  log: string[];
}

export async function openStage(engine: TestEngine): Promise<Stage> {
  const fresh = await freshDatabase(engine);
  const parts: Record<string, Part> = {};
  const copies: Copy[] = [];
  const log: string[] = [];

  return {
    db: fresh.db,
    parts,
    log,
    open({ clock = createTestClock(), limits = { lane: [], chat: [] }, isSole = copies.length === 0 } = {}) {
      const did: string[] = [];
      const gates = new Map<string, () => void>();
      let writesLeft = Number.POSITIVE_INFINITY;
      const refuse = () => Promise.reject(new AppError("unavailable", "The disk is full.", { retryAfter: 1 }));
      const db: Database = { ...fresh.db, write: (work) => (writesLeft-- > 0 ? fresh.db.write(work) : refuse()) };
      const loop = createJobLoop({
        db,
        clock,
        log: createLog({ level: "info", format: "json", now: clock.now, write: (line) => log.push(line) }),
        owner: `copy ${copies.length + 1}`,
        kinds: [scriptedKind({ db, parts, limits, did, gates })],
        ring: () => copies.forEach((copy) => copy.loop !== loop && copy.loop.rescan()),
        amSole: () => Promise.resolve(isSole),
      });
      const letGo = (id: string) => gates.get(id)?.();
      const copy: Copy = {
        loop,
        clock,
        did,
        letGo,
        breakWrites: (broken, after = 0) => void (writesLeft = broken ? after : Number.POSITIVE_INFINITY),
      };
      copies.push(copy);
      return copy;
    },
    addLane: ({ loop }, lane) => fresh.db.write((tx) => loop.addLane(tx, ENV, lane)),
    async enqueue({ loop, clock }, ids, more = {}) {
      await fresh.db.write((tx) => {
        for (const id of ids) {
          const lane = id.startsWith("free") ? null : `lane:${id[0]}`;
          loop.enqueue(tx, {
            env_id: ENV,
            id,
            kind: "test",
            lane,
            chat: lane === null ? null : id,
            run_at: clock.now(),
            payload: "",
            eta: null,
            ...more,
          });
        }
      });
    },
    queued: async () => (await fresh.db.read.selectFrom("jobs").select("id").orderBy("id").execute()).map(({ id }) => id),
    async [Symbol.asyncDispose]() {
      for (const copy of copies) {
        copy.breakWrites(false);
        await movingOn(copy.clock, copy.loop.stop());
      }
      await fresh[Symbol.asyncDispose]();
    },
  };
}

interface Script {
  db: Database;
  parts: Record<string, Part>;
  limits: { lane: Limit[]; chat: Limit[] };
  did: string[];
  gates: Map<string, () => void>;
}

function scriptedKind({ db, parts, limits, did, gates }: Script): JobKind<Job, string> {
  const runs = new Map<string, number>();

  function stumble(id: string, at: "begin" | "run" | "end"): void {
    const fails = parts[id]?.fails;
    if (fails?.at !== at || fails.times === 0) return;
    fails.times--;
    throw new Error(`${id} stumbles at its ${at}`);
  }

  function outcomeOf(id: string): Outcome {
    const turn = runs.get(id) ?? 0;
    runs.set(id, turn + 1);
    const outcomes = parts[id]?.outcomes ?? [];
    return outcomes[turn] ?? outcomes.at(-1) ?? { kind: "done" };
  }

  return {
    kind: "test",
    laneLimits: () => limits.lane,
    chatLimits: () => limits.chat,
    async begin(tx, jobs) {
      const ids = jobs.map(({ id }) => id);
      const rows = await db.in(tx).selectFrom("jobs").select("id").where("env_id", "=", ENV).where("id", "in", ids).execute();
      const present = new Set(rows.map(({ id }) => id));
      for (const id of ids) stumble(id, "begin");
      return jobs.map((job): Begun<Job> => {
        if (!present.has(job.id)) return null;
        did.push(`begin ${job.id}`);
        return { ready: job };
      });
    },
    async run({ id }, signal) {
      did.push(`run ${id}`);
      stumble(id, "run");
      if (parts[id]?.hangs !== true) return id;
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.set(id, resolve);
      signal.addEventListener("abort", () => {
        did.push(`abort ${id}`);
        resolve();
      });
      await promise;
      return id;
    },
    end(_tx, ran) {
      for (const { job } of ran) stumble(job.id, "end");
      return ran.map(({ job }) => {
        did.push(`end ${job.id} ${job.attempts}`);
        return outcomeOf(job.id);
      });
    },
    giveUp(_tx, { id }) {
      did.push(`give up ${id}`);
      return { kind: "discard", code: "internal_error" };
    },
    rescue(_tx, _env_id, lane) {
      did.push(`rescue ${lane}`);
      return [];
    },
  };
}
