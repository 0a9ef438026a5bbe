import { version } from "#package.json";
import type { Database } from "#db/database.ts";
import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { EventFeed } from "#src/modules/events/feed.ts";
import { createLoggedEvent } from "#src/modules/events/logged-event.ts";
import type { NewTask, Task, TaskKind } from "#src/modules/tasks/model.ts";
import { createDeliveryService } from "#src/modules/webhooks/deliveries.ts";
import { createDeliveryLogStore } from "#src/modules/webhooks/deliveries-sql.ts";
import { forgetJob } from "#src/modules/webhooks/job.ts";
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
  http: Pick<HttpSender, "judge">;
  feed: EventFeed;
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  enqueue: Enqueue;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** All of webhooks: a part of the services that only they use. */
export function createWebhooks({ db, clock, cipher, http, feed, addLane, enqueue, createTask, audit }: Needs) {
  const store = createWebhookStore(db);
  const log = createDeliveryLogStore(db);
  /** Who follows the log looks again, in this process or the one that serves. */
  const changed = (tx: Tx, env_id: number, _webhook_id: string) => feed.appended(tx, env_id);
  const deliveries = createDeliveryService({
    ...{ store: log, webhooks: store, clock, cipher, kinds, changed, createTask },
    userAgent: `Posthouse/${version}`,
    bodyOf: (row) => createLoggedEvent(row).body,
  });
  return {
    kinds: [
      replayKind({ store: log, webhooks: store, clock, kinds, changed, eventOf: (row) => createLoggedEvent(row).event }) as TaskKind,
      purgeKind(log) as TaskKind,
    ],
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
