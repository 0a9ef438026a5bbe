import type { Database } from "#db/database.ts";
import type { LaneRow } from "#db/schema.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Component } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import type { JobKind } from "./job.ts";
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
  /** A refresh is over, whether or not it found anything. */
  onRefreshed(): void;
}

export interface Ownership extends Component {
  /** Looks at once for lanes that are new or have changed. */
  refresh(): void;
  /** Lanes are being looked for: there may be more of them in a moment. */
  isBusy(): boolean;
  /** A lane's row was changed by this process: what is being read of it may be older. */
  noteChange(): void;
}

/** Keeps the lanes that this process serves, and settles what their former owners left. */
export function createOwnership({ db, store, clock, log, leases, kinds, amSole, onLanes, onRefreshed }: OwnershipDeps): Ownership {
  /** SQLite has one process that serves; its leases need no renewal. */
  const renews = db.engine === "postgres";
  let cancelRenewal: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let changes = 0;

  async function claim(takeAll: boolean): Promise<void> {
    for (const { env_id, lane } of await leases.acquire(takeAll)) await rescue(env_id, lane);
    // What was paused or resumed while the rows were read is read again.
    for (let asOf = -1; asOf !== changes;) {
      asOf = changes;
      const rows = await leases.owned();
      if (asOf === changes) onLanes(rows);
    }
  }

  async function rescue(env_id: number, lane: string): Promise<void> {
    const jobs = await db.write(async (tx) => {
      let count = 0;
      for (const kind of kinds.values()) {
        const rescued = (await kind.rescue?.(tx, env_id, lane)) ?? [];
        const settled = rescued.map(({ id, outcome }) => ({ job: { env_id, id, lane, attempts: 0 }, outcome }));
        await settle(store, clock, tx, settled);
        count += rescued.length;
      }
      return count;
    });
    if (jobs > 0) log.warn("settled jobs that were running when the program broke off", { env_id, lane, jobs });
  }

  /** One at a time; who asks while one runs gets another after it. */
  function refresh(): void {
    if (running === undefined) void runClaim(false).catch(tellFailure);
    else again = true;
  }

  /** Two at once would take a lane for settled that the other has yet to settle. */
  function runClaim(takeAll: boolean): Promise<void> {
    const claiming = claim(takeAll).finally(() => {
      running = undefined;
      if (!again) return onRefreshed();
      again = false;
      refresh();
    });
    running = claiming.catch(() => {});
    return claiming;
  }

  function tellFailure(error: unknown): void {
    log.error("the lanes could not be leased; it is tried again", { error });
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
      const isSole = await amSole();
      for (let current = running; current !== undefined; current = running) await current;
      await runClaim(isSole);
      if (renews) renew();
    },
    async stop() {
      cancelRenewal?.();
      again = false;
      await running;
      await leases
        .release()
        .catch((error: unknown) => log.warn("the lanes could not be given back; they are free when their leases end", { error }));
    },
    refresh,
    isBusy: () => running !== undefined,
    noteChange: () => void changes++,
  };
}
