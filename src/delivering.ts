import type { Database } from "#db/database.ts";
import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { JobLoop, LaneServer } from "#src/jobs/job.ts";
import type { EventService } from "#src/modules/events/service.ts";
import type { Attempt } from "#src/modules/webhooks/model.ts";
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
  appendEvent: EventService["append"];
  lanesLost: JobLoop["lanesLost"];
  refreshLanes: JobLoop["refreshLanes"];
  ring(): void;
  onAttempt(attempt: Attempt): void;
}

/** What brings events to endpoints. The job loop leases it the lanes of those. */
export function createDelivering({ db, http, ...rest }: Needs): { relay: Relay; lanes: LaneServer } {
  const relay = createRelay({
    ...rest,
    store: createDeliveringStore(db),
    sender: http,
    random: Math.random,
    write: db.write,
  });
  return { relay, lanes: { prefix: laneOf(""), serve: relay.serve } };
}
