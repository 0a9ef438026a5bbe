import { createFileFolder } from "#plugins/files/folder.ts";
import { createMetrics } from "#plugins/metrics/plugin.ts";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { createSandboxChannel } from "#plugins/sandbox/channel.ts";
import { createTelegramBotChannel } from "#plugins/telegram-bot/channel.ts";
import { createBotGate } from "#plugins/telegram-bot/check-token.ts";
import { createBotConnector } from "#plugins/telegram-bot/connector.ts";
import { createWebhookSecrets } from "#plugins/telegram-bot/webhook.ts";
import type { Database } from "#db/database.ts";
import { type App, createApp } from "#src/app.ts";
import { createCipher } from "#src/core/cipher.ts";
import { createLog } from "#src/core/log.ts";
import { scopes as allScopes } from "#src/core/principal.ts";
import type { UserGate } from "#src/modules/accounts/model.ts";
import type { Connector } from "#src/modules/connections/model.ts";
import type { Channel } from "#src/modules/messages/channel.ts";
import type { NewKey } from "#src/modules/keys/model.ts";
import type { TaskKind } from "#src/modules/tasks/model.ts";
import type { HttpSender } from "#src/modules/webhooks/sender.ts";
import type { Plan } from "#src/modules/workspaces/model.ts";
import { createServices, type Services } from "#src/services.ts";
import { type Caller, type Client, createClient } from "./client.ts";
import { engines, freshDatabase, type TestEngine } from "./databases.ts";
import { tempFolder } from "./temp-folder.ts";
import { createTestClock, movingOn, type TestClock } from "./test-clock.ts";

export const SECRET = "a secret of thirty-two characters";
const PUBLIC_URL = "http://127.0.0.1:5110";

/** What the API is tested on: beside SQLite a real PostgreSQL, where one is given, since requests are concurrent. */
export const appEngines = engines().filter((engine) => engine !== "pglite");

interface Options {
  engine?: TestEngine;
  /** How much of received files is kept. */
  filesCacheBytes?: number;
  /** A Bot API server; without one Telegram can't be reached. */
  apiRoot?: string;
  corsOrigins?: readonly string[];
  trustedProxies?: readonly string[];
  /** Channels instead of the real ones. */
  channels?: (clock: TestClock) => Channel[];
  /** Where addresses of webhooks lead; anywhere that may be dialled without it. */
  judge?: HttpSender["judge"];
  /** Kinds of long jobs, since the program has none of its own. */
  taskKinds?: (db: Database) => readonly TaskKind[];
  /** Logs user accounts in; without it there is no api_id. */
  userGate?: UserGate;
  /** Null as where recipients can't reach the program. */
  linkBase?: string | null;
  /** What a test breaks on purpose, such as a disk that is full. */
  wrapDatabase?: (db: Database) => Database;
  /** Whether webhooks are delivered, to receivers on this machine alone; where nothing is said they are only kept. */
  delivers?: boolean;
  /** Whether bots hear what happens to them; where nothing is said they only send. */
  listens?: boolean;
  /** Connectors instead of the real ones; accounts are kept connected then too. */
  connectors?: readonly Connector[];
  /** Where Telegram posts updates; without it they are fetched. */
  webhookBase?: string;
  /** Begins anew on the database of one that is no more, as after a crash; that one still has to go with its scope. */
  after?: TestApp;
  /** Answers that break the contract are then only told by `client.breaches`. */
  lenient?: boolean;
}

/** An environment with a key that may do everything in it. */
export interface Tenant extends Caller {
  env_id: number;
  name: string;
  mode: "live" | "test";
  workspace_id: number;
}

interface TestWorkspace {
  id: number;
  name: string;
  live: Tenant;
  sandbox: Tenant;
}

export interface TestApp extends TestWorkspace, AsyncDisposable {
  db: Database;
  clock: TestClock;
  /** Where files are kept. */
  filesFolder: string;
  services: Services;
  client: Client;
  operations: App["operations"];
  /** Takes a request as it comes from a listener. */
  fetch: App["fetch"];
  /** Every line that was logged. */
  log: readonly string[];
  makeWorkspace(name: string, plan?: Plan | null): Promise<TestWorkspace>;
  /** A further key of an environment. */
  makeKey(tenant: Pick<Tenant, "env_id" | "name" | "mode">, ask?: Partial<NewKey>): Promise<Caller>;
  /** Resolves when the job loop has nothing left that is due. */
  settled(): Promise<void>;
  /** Moves the clock from one timer to the next, and lets the job loop settle at each. */
  advance(ms: number): Promise<void>;
  /** Moves the clock in one go, and lets the job loop settle: for long times in which nothing happens. */
  leap(ms: number): Promise<void>;
  /** Stops the program, and leaves its database as it is. */
  stop(): Promise<void>;
}

const everything: NewKey = { name: "everything", scopes: [...allScopes], rate_limit: 1_000_000_000 };

/** A whole app over a fresh database, with a clock that stands still: `await using app = await setup()`. */
export async function setup(options: Options = {}): Promise<TestApp> {
  const before = options.after;
  const fresh = before === undefined ? await freshDatabase(options.engine ?? "sqlite") : undefined;
  const given = before?.db ?? fresh!.db;
  const db = options.wrapDatabase?.(given) ?? given;
  const clock = before?.clock ?? createTestClock();
  const lines: string[] = [];
  const log = createLog({ level: "debug", format: "json", now: clock.now, write: (line) => lines.push(line) });
  const secretFor = createWebhookSecrets(SECRET);
  const wire = { apiRoot: options.apiRoot ?? "http://127.0.0.1:1", timeoutMs: 5_000 };
  const metrics = createMetrics({ version: "test" });
  const sender = createHttpSender({ clock, allowPrivate: options.delivers ?? false, resolve: () => Promise.resolve([]) });
  const http = options.judge === undefined ? sender : { ...sender, judge: options.judge };
  const folder = tempFolder();
  const services = createServices({
    db,
    clock,
    log,
    cipher: createCipher(SECRET),
    channels: options.channels?.(clock) ?? [createSandboxChannel(clock), createTelegramBotChannel(wire)],
    connectors:
      options.connectors ??
      (options.listens === true ? [createBotConnector({ ...wire, clock, log, webhookBase: options.webhookBase ?? null, secretFor })] : []),
    gate: createBotGate(wire),
    userGate: options.userGate ?? null,
    linkBase: options.linkBase === undefined ? PUBLIC_URL : options.linkBase,
    files: { folder: createFileFolder(folder.path), cacheBytesMax: options.filesCacheBytes ?? 1_000_000_000 },
    events_retention_days: 30,
    taskKinds: options.taskKinds?.(db) ?? [],
    http,
    onOutcome: (kind, outcome) => metrics.jobs.count(kind, outcome.kind),
    ring: () => services.rescan(),
    tellCopies: () => {},
    amSole: () => Promise.resolve(db.engine === "sqlite"),
  });
  const config = { public_url: PUBLIC_URL, trusted_proxies: options.trustedProxies ?? [], cors_origins: options.corsOrigins ?? [] };
  const ready = async () => void (await db.read.selectFrom("counters").select("name").execute());
  const app = createApp({ services, db, clock, log, metrics, version: "test", config, secretFor, ready });
  const client = await createClient(app.fetch, { lenient: options.lenient ?? false });
  await services.loop.start();
  await services.broadcasting.loop.start();
  await services.connections.start();
  await services.feed.start();
  if (options.delivers === true) await services.relay.start();
  await services.sequencing.loop.start();
  await services.sequencing.following.start();
  const settled = () => settle(services);

  async function makeKey({ env_id, name, mode }: Pick<Tenant, "env_id" | "name" | "mode">, ask: Partial<NewKey> = {}): Promise<Caller> {
    const maker = { env_id, mode, environment: name, plan: null, scopes: null };
    const { key } = await db.write((tx) => services.keys.create(tx, maker, { ...everything, ...ask }));
    return client.as(key);
  }

  async function makeWorkspace(name: string, plan: Plan | null = null): Promise<TestWorkspace> {
    const { workspace, environments } = await db.write((tx) => services.workspaces.create(tx, name, plan));
    const [live, sandbox] = await Promise.all(
      environments.map(async ({ id: env_id, name, mode }) => {
        const tenant = { env_id, name, mode: mode as Tenant["mode"], workspace_id: workspace.id };
        return { ...tenant, ...(await makeKey(tenant)) };
      }),
    );
    return { id: workspace.id, name, live: live!, sandbox: sandbox! };
  }

  /** Requests of a tenant come to this program. */
  const again = (tenant: Tenant): Tenant => ({ ...tenant, ...client.as(tenant.key) });

  async function advance(ms: number): Promise<void> {
    await settled();
    const until = clock.now() + ms;
    for (let at = clock.nextTimer(); at !== null && at <= until; at = clock.nextTimer()) {
      clock.advance(Math.max(0, at - clock.now()));
      await settled();
    }
    clock.advance(until - clock.now());
    await settled();
  }

  async function leap(ms: number): Promise<void> {
    await settled();
    clock.advance(ms);
    await settled();
  }

  async function stop(wait: <T>(work: Promise<T>) => Promise<T> = (work) => work): Promise<void> {
    services.streams.stop();
    await services.feed.stop();
    await services.sequencing.following.stop();
    await services.sequencing.loop.stop();
    await wait(services.relay.stop());
    await wait(services.connections.stop());
    await services.broadcasting.loop.stop();
    await wait(services.loop.stop());
    await services.files.stop();
    await http.close();
  }

  const { id, name, live, sandbox } = before ?? (await makeWorkspace("First"));
  return {
    ...{ id, name, live: again(live), sandbox: again(sandbox), stop: () => stop() },
    db,
    clock,
    filesFolder: folder.path,
    services,
    client,
    operations: app.operations,
    fetch: app.fetch,
    log: lines,
    makeWorkspace,
    makeKey,
    settled,
    advance,
    leap,
    async [Symbol.asyncDispose]() {
      // What plays a slow recipient waits for the clock.
      await stop((work) => movingOn(clock, work));
      folder[Symbol.dispose]();
      await fresh?.[Symbol.asyncDispose]();
      client.checkLog(lines);
    },
  };
}

/** What one of them does can be work for another: until all have rested in turn. */
async function settle({ loop, sequencing, broadcasting }: Services): Promise<void> {
  let turns: number;
  do {
    turns = broadcasting.loop.turns();
    for (let rounds = 0; rounds < 3; rounds++) {
      await loop.settled();
      await sequencing.following.settled();
      await sequencing.loop.settled();
      await broadcasting.loop.settled();
    }
    await loop.settled();
    // Broadcasts make messages whose outcomes let them make more.
  } while (turns !== broadcasting.loop.turns());
}
