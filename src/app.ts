import { Elysia } from "elysia";
import type { Database } from "#db/database.ts";
import { auth, indexOperations } from "#plugins/auth/plugin.ts";
import { body, checkInput, type Upload } from "#plugins/body/plugin.ts";
import { docs } from "#plugins/docs/plugin.ts";
import { createAddressReader } from "#plugins/edge/address.ts";
import { createEdge, type Edge } from "#plugins/edge/edge.ts";
import { createBodyCheck } from "#plugins/errors/body-check.ts";
import { catalogue } from "#plugins/errors/catalogue.ts";
import { errors } from "#plugins/errors/plugin.ts";
import { health } from "#plugins/health/plugin.ts";
import { createUnitOfWork } from "#plugins/idempotency/unit-of-work.ts";
import type { Metrics } from "#plugins/metrics/plugin.ts";
import { telegramWebhook, type WebhookSecrets } from "#plugins/telegram-bot/webhook.ts";
import { describeRecipients } from "#plugins/sandbox/describe.ts";
import { createRateLimiter } from "#plugins/rate-limit/limiter.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { OperationDoc } from "#src/core/operation.ts";
import { loginRoutes } from "#src/modules/accounts/login-routes.ts";
import { accountRoutes } from "#src/modules/accounts/routes.ts";
import { activityRoutes } from "#src/modules/activity/routes.ts";
import { linkRoutes } from "#src/modules/broadcasts/link-routes.ts";
import { broadcastRoutes } from "#src/modules/broadcasts/routes.ts";
import { broadcastTrialRoutes } from "#src/modules/broadcasts/trial-routes.ts";
import { clockRoutes } from "#src/modules/clock/routes.ts";
import { contactRoutes } from "#src/modules/contacts/routes.ts";
import { duplicateRoutes } from "#src/modules/duplicates/routes.ts";
import { eventTypes } from "#src/modules/events/model.ts";
import { eventSchema, exampleEvent, payloads } from "#src/modules/events/payloads.ts";
import { eventRoutes } from "#src/modules/events/routes.ts";
import { fieldRoutes } from "#src/modules/fields/routes.ts";
import { fileRoutes } from "#src/modules/files/routes.ts";
import { importRoutes } from "#src/modules/imports/routes.ts";
import { keyRoutes } from "#src/modules/keys/routes.ts";
import { mergeRoutes } from "#src/modules/merges/routes.ts";
import { preflightRoutes } from "#src/modules/messages/preflight-routes.ts";
import { messageChangeRoutes } from "#src/modules/messages/change-routes.ts";
import { messageRoutes } from "#src/modules/messages/routes.ts";
import { sandboxRoutes } from "#src/modules/sandbox/routes.ts";
import { scoringRoutes } from "#src/modules/scoring/routes.ts";
import { describeSegments } from "#src/modules/segments/describe.ts";
import { segmentRoutes } from "#src/modules/segments/routes.ts";
import { enrollmentRoutes } from "#src/modules/sequences/enrollment-routes.ts";
import { sequenceRoutes } from "#src/modules/sequences/routes.ts";
import { suppressionRoutes } from "#src/modules/suppressions/routes.ts";
import { auditRoutes } from "#src/modules/audit/routes.ts";
import { tagRoutes } from "#src/modules/tags/routes.ts";
import { taskRoutes } from "#src/modules/tasks/routes.ts";
import { templateRoutes } from "#src/modules/templates/routes.ts";
import { threadRoutes } from "#src/modules/threads/routes.ts";
import { deliveryRoutes } from "#src/modules/webhooks/delivery-routes.ts";
import { webhookRoutes } from "#src/modules/webhooks/routes.ts";
import { workspaceRoutes } from "#src/modules/workspaces/routes.ts";
import type { Services } from "./services.ts";

export interface AppDeps {
  services: Services;
  db: Database;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  version: string;
  config: { public_url: string; trusted_proxies: readonly string[]; cors_origins: readonly string[] };
  /** What Telegram shows with the updates that it posts. */
  secretFor: WebhookSecrets;
  /** Throws while the program is not able to serve. */
  ready(): Promise<void>;
}

export interface App {
  /** Answers a request. @param peer address of the connection */
  fetch: Edge;
  /** Every operation there is, for the tests that walk them. */
  operations(): ReturnType<typeof indexOperations>;
}

/** Wires plugins and modules into one app; does not listen. */
export function createApp({ services, db, clock, log, metrics, version, config, secretFor, ready }: AppDeps): App {
  const limiter = createRateLimiter(clock);
  const { write, writeAsking } = createUnitOfWork(services.idempotency, services.clock.heed);
  const { authenticator } = services;
  const checkBody = createBodyCheck(routes);

  const elysia = new Elysia({ name: "posthouse", normalize: false })
    .use(errors({ log, public_url: config.public_url, methodsOf }))
    .use(body({ uploadAt }))
    .use(
      auth({
        authenticate(key, address) {
          heedOthers();
          return authenticator.authenticate(key, address);
        },
        ...limiter,
        checkInput(request, route, read) {
          checkInput(request, read);
          checkBody(request.method, route, read);
        },
        routes,
      }),
    )
    .use(health({ version, check: ready }))
    .use(metrics.plugin)
    .use(telegramWebhook({ secretFor, clock, log, take: services.connections.take }))
    .use(catalogue())
    .use(docs({ title: "Posthouse", version, server_url: config.public_url, routes: () => all().routes, ...reference }))
    .use(messageRoutes(services.messages, write, clock))
    .use(preflightRoutes(services.preflight, write))
    .use(messageChangeRoutes(services.changes, write))
    .use(broadcastRoutes(services.broadcasting.service, write))
    .use(linkRoutes(services.broadcasting.tracking, log))
    .use(broadcastTrialRoutes(services.broadcasting.trials, write))
    .use(fileRoutes(services.files, write, log))
    .use(threadRoutes(services.threads, write, clock))
    .use(sandboxRoutes(services.sandbox, write))
    .use(clockRoutes(services.clock, write))
    .use(contactRoutes(services.contacts, write, services.erase, { begin: services.exportContacts, log }))
    .use(activityRoutes(services.activity, log))
    .use(importRoutes(services.imports, write))
    .use(duplicateRoutes(services.duplicates))
    .use(mergeRoutes(services.merges, write))
    .use(fieldRoutes(services.fields, write))
    .use(scoringRoutes(services.scoring, write))
    .use(segmentRoutes(services.segments, write))
    .use(sequenceRoutes(services.sequencing.service, write))
    .use(enrollmentRoutes(services.sequencing.enrollments, services.sequencing.statistics, write))
    .use(tagRoutes(services.tags))
    .use(eventRoutes(services.events, services.streams))
    .use(accountRoutes(services.accounts, write, writeAsking))
    .use(loginRoutes(services.logins, writeAsking))
    .use(keyRoutes(services.keys, write))
    .use(workspaceRoutes(services.workspaces, write))
    .use(suppressionRoutes(services.suppressions, write))
    .use(auditRoutes(services.audit))
    .use(taskRoutes(services.tasks, write))
    .use(templateRoutes(services.templates, write))
    .use(webhookRoutes(services.webhooks.service, services.webhooks.statistics, write, writeAsking))
    .use(deliveryRoutes(services.webhooks.deliveries, write));

  let heeded = false;
  /** What a command beside this program did to keys counts at once; asked once for requests that arrive together. */
  function heedOthers(): void {
    if (heeded) return;
    heeded = true;
    setImmediate(() => (heeded = false));
    if (db.changedElsewhere()) authenticator.forget();
  }

  // Routes that are asked about before they are all there: the question comes with the first request.
  function all(): Pick<Elysia, "routes"> {
    return elysia;
  }

  function routes() {
    return all().routes as { method: string; path: string; hooks: { detail?: { "x-operation"?: OperationDoc }; body?: unknown } }[];
  }

  let uploads: Map<string, Upload> | undefined;
  function uploadAt(method: string, path: string): Upload | undefined {
    uploads ??= new Map(
      [...indexOperations(routes())].flatMap(([at, { upload, uploadBytesMax = null }]) =>
        upload === undefined ? [] : [[at, { types: Object.keys(upload), bytes_max: uploadBytesMax }] as const],
      ),
    );
    return uploads.get(`${method} ${path}`);
  }

  function methodsOf(path: string): string[] {
    const parts = path.replace(/\/$/, "").split("/");
    const fits = (pattern: string) => {
      const wanted = pattern.split("/");
      return wanted.length === parts.length && wanted.every((part, at) => part.startsWith(":") || part === parts[at]);
    };
    return [
      ...new Set(
        routes()
          .filter((route) => fits(route.path))
          .map((route) => route.method),
      ),
    ];
  }

  indexOperations(routes());
  return {
    fetch: createEdge({
      handle: elysia.fetch,
      log,
      cors_origins: config.cors_origins,
      addressOf: createAddressReader(config.trusted_proxies),
      tellStranger: limiter.tellStranger,
      onRequest(operation, status, seconds) {
        services.loop.makeWay();
        services.sequencing.loop.makeWay();
        services.broadcasting.loop.makeWay();
        metrics.requests.observe(operation, status, seconds);
      },
    }),
    operations: () => indexOperations(routes()),
  };
}

const webhooks = Object.fromEntries(
  eventTypes.map((type) => {
    const { summary, description } = payloads[type];
    return [type, { summary, description, tag: "Events", schema: eventSchema(type), example: exampleEvent(type) }];
  }),
);

const reference = {
  webhooks,
  description:
    "Your own Telegram CRM and message relay. Every request carries `Authorization: Bearer <key>`; every error is a problem document with a stable `code`; every write takes an `Idempotency-Key`.",
  tags: {
    Messages: `One POST is one Telegram message: queued durably, sent once, at the account's own pace. In a test environment nothing reaches anybody: any recipient is someone, and these play every outcome.\n\n${describeRecipients()}`,
    Broadcasts:
      "One message to many: to a segment, to those with a tag, to a list. A draft is tried first; once it is sent its recipients are noted, and each gets one message, however often the program breaks off. Messages are made while those before them leave, so that pausing and canceling take hold at once.",
    Threads:
      "Conversations: an account, a chat, and in a forum a topic. Each has what was written from both sides, how much of it is unread, and notes for colleagues.",
    Files: "What messages are sent with, and what came with those that were received.",
    Sandbox: "People who write to you, played in a test environment, and its time, which can be moved ahead.",
    Contacts: "People: who the messages go to, found by any of their identities.",
    Imports: "Files of contacts, of any size: tried first with a dry run, taken back within 30 days.",
    Merges:
      "Two contacts that are one person. Their history is one from then on: messages, activity, and all that is held on them. Whoever keeps a mirror takes the contact out of `contact.merged`, forgets its `merged_id`, and takes both contacts out of two `contact.unmerged`.",
    Fields: "Custom fields of contacts: typed, checked, and good to filter by. A field keeps its values when its key changes.",
    Scoring:
      "Lead scoring: rules give contacts points for what happens to them, which can fade, and for what is known of them. A contact shows its score and why; `lead.scored` tells when a score rises past a threshold.",
    Segments: describeSegments(),
    Sequences:
      "Messages in steps: sends, waits in the contact's local time, branches, changes of the contact. Checked as a whole before anybody enters; every change is a version, and who is in the middle finishes on theirs.",
    Accounts:
      "Who sends and hears: bots, user accounts, and in test environments the sandbox account 7421. A bot can't write first; a user account can, and so has caps: 50 sends a day, 10 of them to people whom it has not written with, 2 to 6 seconds apart, until you set others.",
    Events:
      "Everything that changes, in the order in which it was committed: as a list that is followed with `after`, as a live stream, and what receivers of webhooks are sent. Events are kept for 30 days (`EVENTS_RETENTION_DAYS`).",
    Webhooks:
      "Endpoints of yours to which events are posted, signed, and tried again until they are accepted. Their `filter` compares members of an event by their path; a member that isn't there counts as null, texts are compared by their characters, and `exists` asks whether a member is there and not null. Every attempt is logged; what was given up is a dead letter, to be replayed or purged.",
    Keys: "API keys: scoped, shown once, rotated without downtime.",
    Workspace: "The workspace of the key, its plan and its environments.",
    Audit:
      "Who changed what: keys, accounts, contacts, segments, suppressions, the workspace and its environments. Kept for as long as the environment.",
    Jobs: "Work that takes long, such as an import, answers 202 with a job: how far it is, and what it has come to. A key sees the jobs that its scopes can read or could have started.",
    Service: "Health, metrics, and this reference.",
    Suppressions:
      "Who must not be written to: opt-outs and the like, by person and channel. Every send heeds them in the moment in which it would leave, so an opt-out also stops what was queued before it: that ends as `recipient_suppressed`. A suppression belongs to no contact and outlives the erasure of one. A bot that has met a person's chat knows the `@username` and the numeric id as one person, and either is heeded.",
    Templates: "Texts with conditions and variables, kept under a name, with every version that they have had.",
  },
};
