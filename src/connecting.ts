import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { JobLoop } from "#src/jobs/job.ts";
import { laneOf } from "#src/modules/accounts/changes.ts";
import type { createAccounts } from "./accounts.ts";
import { purgeJob } from "#src/modules/connections/job.ts";
import type { Connector } from "#src/modules/connections/model.ts";
import { createConnections } from "#src/modules/connections/service.ts";
import { createConnectionStore } from "#src/modules/connections/store.ts";

const LANE_PREFIX = "account:";

interface Needs {
  db: Database;
  clock: Clock;
  log: Log;
  connectors: readonly Connector[];
  accounts: Pick<ReturnType<typeof createAccounts>, "vault" | "changes">;
  happened: Parameters<typeof createConnections>[0]["happened"];
  lanesLost: JobLoop["lanesLost"];
}

/** What keeps accounts connected: those whose lanes the job loop has. */
export function createConnecting({ db, clock, log, connectors, accounts, happened, lanesLost }: Needs) {
  const store = createConnectionStore(db);
  const connections = createConnections({
    ...{ store, clock, log, write: db.write, connectors, happened, secrets: accounts.vault },
    isShared: db.engine === "postgres",
    disconnect: accounts.changes.disconnect,
    isLost: async (tx, env_id, id) => (await lanesLost(tx, env_id, [laneOf(id)])).size > 0,
  });
  return {
    connections,
    purgeJob: purgeJob({ forget: store.forgetUpdates, write: db.write, clock }),
    onLanes(lanes: readonly { env_id: number; lane: string }[]): void {
      const ours = lanes.filter(({ lane }) => lane.startsWith(LANE_PREFIX));
      connections.serve(ours.map(({ env_id, lane }) => ({ env_id, id: Number(lane.slice(LANE_PREFIX.length)) })));
    },
  };
}
