import type { Database } from "#db/database.ts";
import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { JobLoop, LaneServer } from "#src/jobs/job.ts";
import type { EventService } from "#src/modules/events/service.ts";
import type { KeptAttempt } from "#src/modules/webhooks/attempt.ts";
import type { Feed } from "#src/modules/webhooks/courier.ts";
import { createDeliveringStore } from "#src/modules/webhooks/delivering-sql.ts";
import { laneOf } from "#src/modules/webhooks/recorder.ts";
import { createRelay, type Relay } from "#src/modules/webhooks/relay.ts";
import type { HttpSender } from "#src/modules/webhooks/sender.ts";

interface Needs {
  db: Database;
  clock: Clock;
  log: Log;
  cipher: Cipher;
  feed: Feed;
  http: HttpSender;
  version: string;
  appendEvent: EventService["append"];
  lanesLost: JobLoop["lanesLost"];
  refreshLanes: JobLoop["refreshLanes"];
  ring(): void;
  onAttempt(attempt: KeptAttempt): void;
}

/** What brings events to endpoints. The job loop leases it the lanes of those. */
export function createDelivering({ db, http, version, ...rest }: Needs): { relay: Relay; lanes: LaneServer } {
  const relay = createRelay({
    ...rest,
    store: createDeliveringStore(db),
    sender: http,
    userAgent: `Posthouse/${version}`,
    random: Math.random,
    write: db.write,
  });
  return { relay, lanes: { prefix: laneOf(""), serve: relay.serve } };
}
