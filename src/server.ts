import { join } from "node:path";
import { version } from "#package.json";
import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import { migrate } from "#db/migrate.ts";
import { openDatabase } from "#db/open.ts";
import { createFileFolder } from "#plugins/files/folder.ts";
import { createMetrics } from "#plugins/metrics/plugin.ts";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { createSandboxChannel } from "#plugins/sandbox/channel.ts";
import { createTelegramBotChannel } from "#plugins/telegram-bot/channel.ts";
import { createTelegramUser } from "#plugins/telegram-user/telegram-user.ts";
import { createBotGate } from "#plugins/telegram-bot/check-token.ts";
import { createBotConnector } from "#plugins/telegram-bot/connector.ts";
import { createWebhookSecrets } from "#plugins/telegram-bot/webhook.ts";
import { createCipher } from "#src/core/cipher.ts";
import { systemClock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import { newId } from "#src/core/ids.ts";
import { lifecycle } from "#src/core/lifecycle.ts";
import type { Log } from "#src/core/log.ts";
import { createMovedClock } from "#src/core/moved-clock.ts";
import type { NewJob } from "#src/jobs/job.ts";
import { purgeUpdatesAt } from "#src/modules/connections/job.ts";
import { sweepAt } from "#src/modules/erasure/service.ts";
import { purgeEventsAt } from "#src/modules/events/job.ts";
import { sweepFilesAt } from "#src/modules/files/job.ts";
import { purgeAt } from "#src/modules/idempotency/job.ts";
import { fadeAt } from "#src/modules/scoring/job.ts";
import { sweepImportsAt } from "#src/modules/imports/sweep.ts";
import { createTicks } from "#src/schedule/ticks.ts";
import { createApp } from "./app.ts";
import { createBell } from "./bell.ts";
import type { Config } from "./config.ts";
import { type Listener, listen } from "./listener.ts";
import { createServices, type Services } from "./services.ts";
import { readDataCentre } from "./telegram-dc.ts";

/** Telegram answers a send within a second or two; past this the outcome is unknown. */
const TELEGRAM_MS_MAX = 30_000;
/** How long requests under way may take when the program is asked to stop. */
const DRAIN_MS_MAX = 2_000;

export interface RunningServer {
  /** Where it listens: `http://127.0.0.1:5110`. */
  url: string;
  services: Services;
  db: Database;
  /** Reads the certificate anew. @throws Error when it can't be used; then the one before stays */
  reloadTls(): void;
  /** Drains, finishes what is on the wire, closes the database; under 10 seconds. */
  stop(): Promise<void>;
}

/**
 * The database and the business on it, as commands need them: without the API and without the loop running.
 * @param alone as `migrate` has it; left out by a caller that has the data folder for itself
 */
export async function openServices(config: Config, secret: string, log: Log, alone?: () => () => void) {
  const clock = createMovedClock(systemClock);
  const metrics = createMetrics({ version });
  const dc = config.telegram_dc_file === null ? null : readDataCentre(config.telegram_dc_file);
  const app = config.telegram_app;
  const users = createTelegramUser({ api_id: app?.api_id ?? null, api_hash: app?.api_hash ?? "", dc, clock, log });
  const db = openDatabase(config.database_url, log, { onCommit: metrics.commits.observe });
  try {
    const backupPath = (from: number) => join(config.data_dir, `before-schema-${from + 1}-${clock.now()}.db`);
    await migrate(db, { now: clock.now(), backupPath, ...(alone === undefined ? {} : { alone }) });
  } catch (error) {
    await db.close();
    throw error;
  }
  const bell = createBell(config, newId("copy"), log);
  const wire = { apiRoot: config.telegram_api_root, timeoutMs: TELEGRAM_MS_MAX };
  const http = createHttpSender({ clock, allowPrivate: config.allow_private_webhooks });
  const services = createServices({
    db,
    clock,
    log,
    cipher: createCipher(secret),
    channels: [createSandboxChannel(clock), createTelegramBotChannel(wire), users.channel],
    connectors: [
      createBotConnector({ ...wire, clock, log, webhookBase: webhookBaseOf(config), secretFor: createWebhookSecrets(secret) }),
      ...(app === null ? [] : [users.connector]),
    ],
    userGate: app === null ? null : users.gate,
    gate: createBotGate(wire),
    linkBase: linkBaseOf(config),
    files: { folder: createFileFolder(join(config.data_dir, "files")), cacheBytesMax: config.files_cache_bytes },
    http,
    events_retention_days: config.events_retention_days,
    onAttempt: ({ stage, duration_ms }) => metrics.attempts.observe(stage, duration_ms / 1_000),
    onOutcome: (kind, outcome) => metrics.jobs.count(kind, outcome.kind),
    ring: bell.ring,
    tellCopies: bell.tellCopies,
    amSole: bell.amSole,
  });
  const close = async () => {
    await bell.close();
    await users.close();
    await http.close();
    await db.close();
  };
  try {
    await services.clock.reload();
  } catch (error) {
    await close();
    throw error;
  }
  return { db, clock, services, metrics, bell, close };
}

/** Starts everything and listens. @throws Error in words for the person who starts it */
export async function startServer(config: Config, secret: string, log: Log): Promise<RunningServer> {
  const { db, clock, services, metrics, bell, close } = await openServices(config, secret, log);
  let stopping = false;
  addGauges(metrics, services);
  const app = createApp({
    services,
    db,
    clock,
    log,
    metrics,
    version,
    config,
    secretFor: createWebhookSecrets(secret),
    async ready() {
      if (stopping || !services.loop.isRunning()) throw new AppError("unavailable", "The program is starting or stopping.");
      await db.read.selectFrom("counters").select("name").limit(1).execute();
    },
  });

  let listener: Listener;
  try {
    await services.accounts.trySecret();
    await services.webhooks.service.trySecrets();
    listener = listen(config, app.fetch);
  } catch (error) {
    await close();
    throw error;
  }
  const ticks = [
    // What falls due wakes its loop by itself; this is for what another program has written, or a clock that was set.
    { pattern: "* * * * * *", enqueue: () => Promise.resolve(services.sequencing.loop.wake()) },
    { pattern: "7 * * * *", enqueue: () => enqueueOnce(db, services, purgeAt(clock.now())) },
    { pattern: "37 * * * *", enqueue: () => enqueueOnce(db, services, sweepAt(clock.now())) },
    { pattern: "52 * * * *", enqueue: () => enqueueOnce(db, services, fadeAt(clock.now())) },
    { pattern: "14 * * * *", enqueue: () => enqueueOnce(db, services, purgeEventsAt(clock.now())) },
    { pattern: "44 * * * *", enqueue: () => enqueueOnce(db, services, purgeUpdatesAt(clock.now())) },
    { pattern: "22 * * * *", enqueue: () => enqueueOnce(db, services, sweepImportsAt(clock.now())) },
    { pattern: "29 * * * *", enqueue: () => enqueueOnce(db, services, sweepFilesAt(clock.now())) },
  ];
  const background = lifecycle([
    // Before the loop, which gives it its accounts: so it ends after what is on the wire.
    services.connections,
    services.loop,
    services.broadcasting.loop,
    services.feed,
    services.relay,
    services.sequencing.loop,
    services.sequencing.following,
    bell.listen(services.rescan, services.feed.rescan),
    createTicks(ticks, log),
  ]);
  const end = async () => {
    try {
      await background.stop();
      await services.files.stop();
    } finally {
      await listener.close();
      await close();
    }
  };
  try {
    await background.start();
  } catch (error) {
    await end();
    throw error;
  }

  return {
    url: listener.url,
    services,
    db,
    reloadTls: listener.reloadTls,
    async stop() {
      if (stopping) return;
      stopping = true;
      services.streams.stop();
      // Requests first, so that nothing is taken that the loop would not see; then what is on the wire.
      await Promise.race([listener.drain(), new Promise((resolve) => setTimeout(resolve, DRAIN_MS_MAX).unref())]);
      await end();
    },
  };
}

/** Telegram posts to https alone, and to no address of this machine's own. */
function webhookBaseOf({ public_url }: Config): string | null {
  return new URL(public_url).protocol === "https:" ? linkBaseOf({ public_url }) : null;
}

/** Under which others reach this program; null where only this machine does. */
function linkBaseOf({ public_url }: Pick<Config, "public_url">): string | null {
  return /^(localhost|127\..*|\[::1\])$/.test(new URL(public_url).hostname) ? null : public_url;
}

/** Several copies tick at once: the job's id lets one of them in. */
async function enqueueOnce(db: Database, { loop }: Services, job: NewJob): Promise<void> {
  try {
    await db.write((tx) => loop.enqueue(tx, job));
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
  }
}

function addGauges(metrics: ReturnType<typeof createMetrics>, { loop, relay, streams, connections }: Services): void {
  metrics.gauge("posthouse_accounts_connected", "Accounts that this process hears.", () => connections.stats().open);
  metrics.gauge("posthouse_event_streams", "Live streams of events that are open.", streams.count);
  metrics.gauge("posthouse_lanes", "Accounts whose queues this process serves.", () => loop.stats().lanes);
  metrics.gauge("posthouse_lanes_held", "Accounts that are paused or told to wait.", () => loop.stats().held);
  metrics.gauge("posthouse_webhook_endpoints", "Endpoints that this process delivers to.", () => relay.stats().endpoints);
  metrics.gauge("posthouse_webhook_attempts_running", "Attempts at deliveries that are under way.", () => relay.stats().inFlight);
  metrics.gauge("posthouse_jobs_running", "Jobs that are on the wire.", () => loop.stats().running);
  metrics.gauge("posthouse_jobs_buffered", "Jobs that are read ahead.", () => loop.stats().buffered);
}
