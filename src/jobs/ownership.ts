import type { Database } from "#db/database.ts";
import type { LaneRow } from "#db/schema.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { Job, JobKind } from "./job.ts";
import { type Leases, RENEW_MS } from "./leases.ts";
import { settle } from "./settle.ts";
import type { JobStore } from "./store.ts";

interface OwnershipDeps {
  db: Database;
  store: JobStore;
  clock: Clock;
  log: Log;
  leases: Leases;
  kinds: ReadonlyMap<string, JobKind>;
  amSole(): Promise<boolean>;
  /** The lanes that are ours from now on: all of them, each time. */
  onLanes(rows: LaneRow[]): void;
}

export interface Ownership extends Component {
  /** Looks at once for lanes that are new or have changed. */
  refresh(): void;
}

/** Keeps the lanes that this process serves, and settles what their former owners left. */
export function createOwnership({ db, store, clock, log, leases, kinds, amSole, onLanes }: OwnershipDeps): Ownership {
  /** SQLite has one process that serves; its leases need no renewal. */
  const renews = db.engine === "postgres";
  let cancelRenewal: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let again = false;

  async function claim(takeAll: boolean): Promise<void> {
    const { owned, gained } = await leases.acquire(takeAll);
    for (const { env_id, lane } of gained) await rescue(env_id, lane);
    onLanes(owned);
  }

  async function rescue(env_id: number, lane: string): Promise<void> {
    const jobs = await db.write(async (tx) => {
      const left = await store.running(tx, env_id, lane);
      for (const [name, ofKind] of Map.groupBy(left, (job: Job) => job.kind)) {
        const outcomes = await kinds.get(name)!.rescue(tx, ofKind);
        for (const [at, job] of ofKind.entries()) await settle(store, clock, tx, job, outcomes[at]!);
      }
      return left.length;
    });
    if (jobs > 0) log.warn("settled jobs that were running when the program broke off", { env_id, lane, jobs });
  }

  /** One at a time; who asks while one runs gets another after it. */
  function refresh(): void {
    if (running !== undefined) {
      again = true;
      return;
    }
    running = claim(false)
      .catch((error: unknown) => log.error("the lanes could not be leased; it is tried again", { error }))
      .finally(() => {
        running = undefined;
        if (!again) return;
        again = false;
        refresh();
      });
  }

  function renew(): void {
    cancelRenewal = clock.at(clock.now() + RENEW_MS, () => {
      refresh();
      renew();
    });
  }

  return {
    name: "lane ownership",
    async start() {
      await claim(await amSole());
      if (renews) renew();
    },
    async stop() {
      cancelRenewal?.();
      again = false;
      await running;
      await leases.release();
    },
    refresh,
  };
}
