import type { Database } from "#db/database.ts";
import type { Cipher } from "#src/core/cipher.ts";
import { newId } from "#src/core/ids.ts";
import type { Log } from "#src/core/log.ts";
import type { MovedClock } from "#src/core/moved-clock.ts";
import type { Tx } from "#src/core/tx.ts";
import { createQuiet } from "#src/core/quiet.ts";
import type { JobLoop, Outcome } from "#src/jobs/job.ts";
import { createJobLoop } from "#src/jobs/loop.ts";
import type { BotGate, UserGate } from "#src/modules/accounts/model.ts";
import { createAuditService } from "#src/modules/audit/service.ts";
import { createAuditStore } from "#src/modules/audit/store.ts";
import { purgeJob } from "#src/modules/idempotency/job.ts";
import { createIdempotencyService } from "#src/modules/idempotency/service.ts";
import { createIdempotencyStore } from "#src/modules/idempotency/store.ts";
import type { Channel } from "#src/modules/messages/channel.ts";
import { createMessageStore } from "#src/modules/messages/store.ts";
import { createSuppressionService } from "#src/modules/suppressions/service.ts";
import { createSuppressionStore } from "#src/modules/suppressions/store.ts";
import type { TaskKind } from "#src/modules/tasks/model.ts";
import type { TaskService } from "#src/modules/tasks/service.ts";
import { createTaskStore } from "#src/modules/tasks/store.ts";
import { createTemplateService } from "#src/modules/templates/service.ts";
import { createTemplateStore } from "#src/modules/templates/store.ts";
import type { Attempt } from "#src/modules/webhooks/model.ts";
import type { HttpSender } from "#src/modules/webhooks/sender.ts";
import type { Connector } from "#src/modules/connections/model.ts";
import { createAccounts } from "./accounts.ts";
import { createActivity } from "./activity.ts";
import { createBroadcasting } from "./broadcasting.ts";
import { createConnecting } from "./connecting.ts";
import { createErasing } from "./erasing.ts";
import { createEventLog } from "./event-log.ts";
import { createFiling, type FilesPlace } from "./filing.ts";
import { createImporting } from "./importing.ts";
import { createMessaging } from "./messaging.ts";
import { createReceiving } from "./receiving.ts";
import { createRehearsing, inEnvironmentTime } from "./rehearsing.ts";
import { createSequencing } from "./sequencing.ts";
import { createTasking } from "./tasking.ts";
import { createTenancy } from "./tenancy.ts";
import { createPeople } from "./people.ts";
import { createPlacing } from "#src/modules/threads/placing.ts";
import { createPlacingStore } from "#src/modules/threads/placing-sql.ts";
import { createWebhooks } from "./webhooks.ts";

export interface ServiceDeps {
  db: Database;
  clock: MovedClock;
  log: Log;
  cipher: Cipher;
  channels: readonly Channel[];
  /** Keep accounts connected that hear from Telegram; without any they only send. */
  connectors?: readonly Connector[];
  gate: BotGate;
  /** Logs user accounts in; there is none where the program has no api_id. */
  userGate?: UserGate | null;
  /** Under which recipients reach this program; null where they can't. */
  linkBase?: string | null;
  /** Where the bytes of files are, and how many of received ones may be. */
  files: FilesPlace;
  /** How long events and what was delivered of them are kept. */
  events_retention_days: number;
  /** Kinds of long jobs beside those of the program. */
  taskKinds?: readonly TaskKind[];
  /** The door through which webhooks leave. */
  http: HttpSender;
  onAttempt?(attempt: Attempt): void;
  onOutcome?(kind: string, outcome: Outcome): void;
  /** Tells the other programs on this database to look for work. */
  ring(): void;
  /** Tells the other copies that serve these data that there are events; there are none on SQLite. */
  tellCopies(): void;
  /** Whether no other process serves these data. */
  amSole(): Promise<boolean>;
}

export type Services = ReturnType<typeof createServices>;

/** Makes the business of Posthouse out of its parts; the API and the command line both stand on it. */
export function createServices({ db, clock, log, cipher, gate, http, ring, tellCopies, amSole, ...given }: ServiceDeps) {
  const {
    channels: channelList,
    connectors = [],
    userGate = null,
    linkBase = null,
    files: filesPlace,
    events_retention_days: keptDays,
  } = given;
  const { taskKinds = [], onAttempt = () => {}, onOutcome } = given;
  const quiet = createQuiet(clock);
  const channels = new Map(channelList.map((channel) => [channel.kind, channel]));
  const taskStore = createTaskStore(db);
  const audit = createAuditService({ store: createAuditStore(db), clock });
  const messageStore = createMessageStore(db);
  const idempotencyStore = createIdempotencyStore(db);

  // What makes accounts and writes events stands on keys itself.
  const { authenticator, keys, workspaces, nextNumber } = createTenancy({
    ...{ db, clock, log, audit: audit.record },
    appendEvent: (...args) => eventLog.events.append(...args),
    furnishSandbox: (...args) => accounts.furnishSandbox(...args),
  });
  const { stillOpens } = authenticator;
  const eventLog = createEventLog({ db, clock, log, keptDays, ring, tellCopies, reachableJobs: taskStore.reachable, stillOpens });
  const { feed } = eventLog;
  const appendEvent = eventLog.events.append;
  // The loop and the long jobs are made further down: the loop's kinds need what uses it.
  const addLane: JobLoop["addLane"] = (...args) => loop.addLane(...args);
  const { enqueue, lastEta } = inEnvironmentTime(clock, () => loop);
  const createTask: TaskService["create"] = (...args) => tasks.create(...args);

  const accounting = createAccounts({
    ...{ db, clock, cipher, gate, userGate, random: Math.random, nextNumber, appendEvent, audit: audit.record, addLane },
    pauseLane: (...args) => loop.pauseLane(...args),
    releaseLane: (...args) => loop.releaseLane(...args),
    changed: (tx) => tx.afterCommit(() => connecting.connections.look()),
  });
  const accounts = accounting.service;

  const filing = createFiling({ db, clock, channels, accounts, ...filesPlace });
  const suppressions = createSuppressionService({ store: createSuppressionStore(db), clock, channels: channelList, audit: audit.record });

  const people = createPeople({ db, clock, enqueue, isQuiet: quiet.isQuiet, appendEvent, audit: audit.record });
  const { contacts, requested, fields, fieldSource, mergeStore, scorer, segments } = people;
  const threads = createPlacing({ store: createPlacingStore(db), clock });
  const receiving = createReceiving({
    ...{ store: messageStore, clock, channels, accounts, contacts, contactStore: people.store, scoring: scorer, suppressions, appendEvent },
    hearsReplies: workspaces.hearsReplies,
    async answered(...args) {
      await sequencing.answered(...args);
      await broadcasting.heard(...args);
    },
    ...{ threads, keepFile: filing.keepFile },
  });
  const connecting = createConnecting({
    ...{ db, clock, log, connectors, accounts: accounting, happened: receiving.happened },
    lanesLost: (...args) => loop.lanesLost(...args),
  });
  const importing = createImporting({
    ...{ db, clock, store: people.store, fields: fieldSource, scoring: scorer, addValue: fieldSource.addValue },
    ...{ isQuiet: quiet.isQuiet, enqueue, createTask, audit: audit.record },
  });
  const webhooks = createWebhooks({
    ...{ db, clock, log, cipher, http, feed, audit: audit.record, appendEvent, addLane, enqueue, createTask, ring, onAttempt },
    lanesLost: (...args) => loop.lanesLost(...args),
    refreshLanes: () => loop.refreshLanes(),
  });
  const erasing = createErasing({
    ...{ db, clock, merges: mergeStore, points: scorer, removeContact: requested.remove, createTask },
    // Messages are made further down: they need the templates.
    cancelMessage: (...args) => messages.cancel(...args),
    forgetImports: importing.forgetContact,
    forgetResponses: webhooks.deliveries.forgetResponses,
    forgetFiles: filing.service.forget,
  });

  const heed = (tx: Tx, env_id: number) => rehearsing.heed?.(tx, env_id);
  const broadcasting = createBroadcasting({
    ...{ db, clock, log, contacts: people.store, segments, createTask, appendEvent, audit: audit.record },
    // Messages are made further down, and tell broadcasts what they come to.
    messaging: () => messaging,
    messageStore,
    accountRow: accounts.row,
    heed,
    linkBase,
    places: {
      templateLacks: (...args) => templates.lacking(...args),
      fields: fields.definitions,
      hasSegment: segments.has,
      checkFilter: segments.checkFilter,
    },
  });

  const templates = createTemplateService({ store: createTemplateStore(db), clock, contactVariables: contacts.facts });

  const messaging = createMessaging({
    ...{ store: messageStore, clock, channels, accounts, contacts, met: receiving.met, scoring: scorer, suppressions, threads },
    ...{ db, onUnknown: workspaces.onUnknown, enqueue, appendEvent, templates, files: filing.service, happened: receiving.happened },
    outcomes: broadcasting.outcomes,
    withdraw: (...args) => loop.withdraw(...args),
    lastEta,
  });
  const { messages } = messaging;
  const sequencing = createSequencing({
    ...{ db, clock, log, feed, channels, accounts, files: filing.service, templates, segments, fields: fields.definitions },
    ...{
      contacts,
      contactStore: people.store,
      scoring: scorer,
      messages,
      reach: messaging.reach,
      createTask,
      appendEvent,
      audit: audit.record,
      heed,
    },
  });

  const rehearsing = createRehearsing({
    ...{ db, clock, log, ring, createTask, due: [webhooks.due, sequencing.due, broadcasting.due], loop: () => loop },
    isRunning: taskStore.isRunning,
  });

  const { running, runTask, tasks } = createTasking({
    ...{ db, store: taskStore, clock, log, appendEvent, enqueue, withdraw: (...args) => loop.withdraw(...args) },
    kinds: [erasing.kind, rehearsing.kind, ...importing.kinds, ...webhooks.kinds, ...sequencing.kinds, ...broadcasting.kinds, ...taskKinds],
  });

  const loop = createJobLoop({
    db,
    clock,
    log,
    owner: newId("copy"),
    kinds: [
      purgeJob({ purge: (tx, now, most) => idempotencyStore.purge(tx, now, most), write: db.write, clock }),
      ...messaging.jobs,
      ...people.jobs,
      erasing.service.sweepJob,
      importing.sweepJob,
      filing.sweepJob,
      eventLog.purgeJob,
      webhooks.forgetJob,
      connecting.purgeJob,
      running,
    ],
    ring,
    heed: rehearsing.heed,
    laneServer: webhooks.lanes,
    onLanes: connecting.onLanes,
    amSole,
    ...(onOutcome === undefined ? {} : { onOutcome }),
  });

  return {
    loop,
    /** Others may have written anything. */
    rescan() {
      loop.rescan();
      feed.rescan();
      webhooks.relay.rescan();
      sequencing.rescan();
      broadcasting.loop.wake();
      connecting.connections.look();
      rehearsing.rescan();
    },
    clock: rehearsing.service,
    runTask,
    ...eventLog,
    relay: webhooks.relay,
    contacts: requested,
    erase: erasing.service.erase,
    exportContacts: people.exportContacts,
    imports: importing.service,
    broadcasting,
    accounts,
    logins: accounting.logins,
    connections: connecting.connections,
    workspaces,
    authenticator,
    keys,
    suppressions,
    webhooks,
    idempotency: createIdempotencyService({ store: idempotencyStore, clock, cipher, write: quiet.noting(db.write) }),
    messages,
    threads: messaging.threadService,
    changes: messaging.changes,
    preflight: messaging.preflight,
    happened: receiving.happened,
    files: filing.service,
    sandbox: receiving.sandbox,
    activity: createActivity({ db, clock, points: scorer.held, merges: mergeStore, presentContact: contacts.present }),
    audit,
    tasks,
    templates,
    fields,
    scoring: people.scoring,
    segments,
    sequencing,
    tags: people.tags,
    merges: people.merges,
    duplicates: people.duplicates,
  };
}
