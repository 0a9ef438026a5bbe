import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { createDueLoop } from "#src/jobs/due-loop.ts";
import type { AccountRow } from "#src/modules/accounts/store.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import { createAudienceReader, type People } from "#src/modules/broadcasts/audience.ts";
import { type ContentPlaces, createContentCheck } from "#src/modules/broadcasts/content.ts";
import { createCourse } from "#src/modules/broadcasts/course.ts";
import { createDueBroadcasts } from "#src/modules/broadcasts/due-sql.ts";
import { dryRunKind, type Forecaster } from "#src/modules/broadcasts/dry-run.ts";
import { createEngine } from "#src/modules/broadcasts/engine.ts";
import { createMaking, type Messages } from "#src/modules/broadcasts/making.ts";
import { prepareKind } from "#src/modules/broadcasts/noting.ts";
import { createBroadcastService } from "#src/modules/broadcasts/service.ts";
import { createStarting } from "#src/modules/broadcasts/starting.ts";
import { createBroadcastStore } from "#src/modules/broadcasts/store.ts";
import { createTracking } from "#src/modules/broadcasts/tracking.ts";
import { createTrials, type TrialMessages } from "#src/modules/broadcasts/trials.ts";
import type { ContactStore } from "#src/modules/contacts/store.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { Ended } from "#src/modules/messages/model.ts";
import type { MessageStore } from "#src/modules/messages/store.ts";
import type { SegmentService } from "#src/modules/segments/service.ts";
import type { NewTask, Task, TaskKind } from "#src/modules/tasks/model.ts";
import type { createMessaging } from "./messaging.ts";

interface Needs {
  db: Database;
  clock: Clock;
  log: Log;
  messaging(): ReturnType<typeof createMessaging>;
  messageStore: Pick<MessageStore, "madeSince" | "originsTo">;
  contacts: ContactStore;
  segments: SegmentService;
  accountRow(tx: Tx, env_id: number, id: number): Maybe<AccountRow | undefined>;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
  /** Goes by the time that an environment has on disk. */
  heed(tx: Tx, env_id: number): Maybe<void>;
  places: ContentPlaces;
  /** Under which recipients reach this program; null where they can't. */
  linkBase: string | null;
}

/** All of broadcasts: a part of the services that only they use. */
export function createBroadcasting({ db, clock, log, contacts, segments, createTask, appendEvent, audit, ...needs }: Needs) {
  const { messaging, messageStore } = needs;
  const store = createBroadcastStore(db);
  const wake = (tx: Tx) => tx.afterCommit(() => loop.wake());
  const messages: Messages & TrialMessages & Forecaster = {
    send: (...args) => messaging().messages.send(...args),
    sendBatch: (...args) => messaging().messages.sendBatch(...args),
    takeBack: (...args) => messaging().messages.takeBack(...args),
    reach: (...args) => messaging().reach(...args),
    rooms: (...args) => messaging().rooms(...args),
    forecast: (...args) => messaging().forecast(...args),
    preview: (...args) => messaging().previewText(...args),
    madeSince: messageStore.madeSince,
  };
  const hasAccount = async (tx: Tx, env_id: number, id: number) => (await needs.accountRow(tx, env_id, id))?.deleted_at === null;
  const course = createCourse({ store, clock, appendEvent, messagesTo: messageStore.originsTo, wake });
  const starting = createStarting({ store, clock, createTask });
  const tracking = createTracking({ store, clock, linkBase: needs.linkBase, write: db.write });
  const making = createMaking({ store, clock, messages, tracking });
  const engine = createEngine({ store, clock, course, making, messages, starting, heed: needs.heed });
  let turns = 0;
  const perform: typeof engine.perform = (...args) => {
    turns += 1;
    return engine.perform(...args);
  };
  const loop = createDueLoop({ name: "broadcasts", db, clock, log, work: { ...engine, perform } });
  const people: People = {
    whoIs: async (env_id, audience) => {
      if ("tag" in audience) return audience;
      if ("segment_id" in audience) return { where: await segments.condition(env_id, audience.segment_id) };
      return { where: await segments.conditionOf(env_id, audience.filter) };
    },
    page: (env_id, who, after, most) =>
      contacts.page(env_id, who, "created_at", after === null ? null : { id: after.id, at: after.number }, 0, most),
    async several(env_id, ids) {
      const rows = await Promise.all(ids.map(async (id) => contacts.byId(null, env_id, id)));
      return rows.filter((row) => row !== undefined);
    },
  };
  const read = createAudienceReader({ store, people });
  return {
    loop: {
      ...loop,
      /** How often it has looked for something to do. */
      turns: () => turns,
    },
    due: createDueBroadcasts({ db, wake: loop.wake }),
    outcomes: {
      recorded: (tx: Tx, ended: readonly Ended[]) =>
        course.recorded(
          tx,
          ended.filter(({ origin }) => origin.type === "broadcast"),
        ),
    },
    heard: course.heard,
    tracking,
    kinds: [prepareKind({ store, read, clock, course, wake }) as TaskKind, dryRunKind({ store, read, clock, messages }) as TaskKind],
    trials: createTrials({ store, messages, createTask }),
    service: createBroadcastService({
      store,
      clock,
      starting,
      tracking,
      checkContent: createContentCheck(needs.places),
      hasAccount,
      wake,
      audit,
    }),
  };
}
