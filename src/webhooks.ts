import type { Database } from "#db/database.ts";
import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Log } from "#src/core/log.ts";
import type { Enqueue, JobLoop, LaneServer } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { EventFeed } from "#src/modules/events/feed.ts";
import type { EventService } from "#src/modules/events/service.ts";
import { createLoggedEvent } from "#src/modules/events/logged-event.ts";
import type { NewTask, Task, TaskKind } from "#src/modules/tasks/model.ts";
import { createDeliveryService } from "#src/modules/webhooks/deliveries.ts";
import { createDeliveryLogStore } from "#src/modules/webhooks/deliveries-sql.ts";
import { createDeliveringStore } from "#src/modules/webhooks/delivering-sql.ts";
import { forgetJob } from "#src/modules/webhooks/job.ts";
import { createDueDeliveries } from "#src/modules/webhooks/due-source.ts";
import { createDueStore } from "#src/modules/webhooks/due-sql.ts";
import { LANE_PREFIX } from "#src/modules/webhooks/lane.ts";
import type { Attempt } from "#src/modules/webhooks/model.ts";
import { createRelay } from "#src/modules/webhooks/relay.ts";
import { purgeKind } from "#src/modules/webhooks/purge.ts";
import { replayKind } from "#src/modules/webhooks/replay.ts";
import type { HttpSender } from "#src/modules/webhooks/sender.ts";
import { createWebhookService } from "#src/modules/webhooks/service.ts";
import { createStatistics } from "#src/modules/webhooks/statistics.ts";
import { createWebhookStore } from "#src/modules/webhooks/store.ts";
import { eventKinds as kinds } from "./event-kinds.ts";

interface Needs {
  db: Database;
  clock: Clock;
  cipher: Cipher;
  log: Log;
  http: HttpSender;
  feed: EventFeed;
  appendEvent: EventService["append"];
  lanesLost: JobLoop["lanesLost"];
  refreshLanes: JobLoop["refreshLanes"];
  ring(): void;
  onAttempt(attempt: Attempt): void;
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  enqueue: Enqueue;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** All of webhooks: a part of the services that only they use. */
export function createWebhooks({ addLane, enqueue, createTask, audit, ...rest }: Needs) {
  const { db, clock, cipher, http, feed } = rest;
  const store = createWebhookStore(db);
  const log = createDeliveryLogStore(db);
  const relay = createRelay({
    ...rest,
    store: createDeliveringStore(db),
    sender: http,
    random: Math.random,
    write: db.write,
  });
  const { changed } = relay;
  const deliveries = createDeliveryService({
    ...{ store: log, webhooks: store, clock, cipher, kinds, changed, createTask },
    bodyOf: (row) => createLoggedEvent(row).body,
  });
  return {
    kinds: [
      replayKind({ store: log, webhooks: store, clock, kinds, changed, eventOf: (row) => createLoggedEvent(row).event }) as TaskKind,
      purgeKind(log) as TaskKind,
    ],
    /** What brings events to endpoints, and the lanes that the job loop leases it for that. */
    relay,
    lanes: { prefix: LANE_PREFIX, serve: relay.serve } satisfies LaneServer,
    due: createDueDeliveries(createDueStore(db), relay),
    forgetJob: forgetJob({ forget: store.forget, write: db.write }),
    deliveries,
    statistics: createStatistics({ store, log, clock, kinds }),
    service: createWebhookService({
      ...{ store, clock, cipher, kinds, changed, addLane, enqueue, audit },
      judge: (url) => http.judge(url),
      head: (tx, env_id) => feed.head(tx, env_id),
    }),
  };
}
