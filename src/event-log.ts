import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import { createEventFeed } from "#src/modules/events/feed.ts";
import { eventPurgeJob } from "#src/modules/events/job.ts";
import { createEventPurge } from "#src/modules/events/purge-sql.ts";
import type { Principal } from "#src/core/principal.ts";
import { createEventService } from "#src/modules/events/service.ts";
import { createEventStore } from "#src/modules/events/store.ts";
import { createEventStreams } from "#src/modules/events/streams.ts";
import { createDeliveryPurge } from "#src/modules/webhooks/purge-sql.ts";

interface Needs {
  db: Database;
  clock: Clock;
  log: Log;
  /** How long events are kept. */
  keptDays: number;
  ring(): void;
  tellCopies(): void;
  reachableJobs(env_id: number, ids: readonly string[], scopes: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  stillOpens(principal: Principal): Promise<boolean>;
}

/** The one log of everything that changes: who writes it, who reads it and who follows it. */
export function createEventLog({ db, clock, log, keptDays, ring, tellCopies, reachableJobs, stillOpens }: Needs) {
  const store = createEventStore(db);
  const feed = createEventFeed({ store, clock, log, ring, tellCopies });
  const events = createEventService({ store, clock, keptDays, appended: feed.appended, reachableJobs });
  const [old, oldDeliveries] = [createEventPurge(db), createDeliveryPurge(db)];
  const purgeJob = eventPurgeJob({
    environments: old.environments,
    purges: [oldDeliveries.deliveries, oldDeliveries.hours, old.events],
    ...{ keptDays, clock, write: db.write, calm: db.calm },
  });
  return { feed, events, purgeJob, streams: createEventStreams({ store, feed, events, clock, log, stillOpens }) };
}
