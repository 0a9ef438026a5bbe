import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { WebhookStatistics } from "#src/modules/webhooks/model.ts";
import type { Caller } from "#test/support/client.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { makeWebhook } from "#test/support/webhooks.ts";
import { connect, eventually } from "./api.ts";
import { type Kind, kinds, type Receivers, spawnReceivers } from "./chaos-receivers.ts";
import { startEventLoad } from "./event-load.ts";
import { type Launched, launchPosthouse, runPosthouse, startPosthouse } from "./posthouse.ts";
import { type ChaosEndpoint, reckonWebhooks, type WebhookReckoning } from "./webhook-records.ts";

interface ChaosPlan {
  /** How many endpoints of each kind. */
  endpoints: Record<Kind, number>;
  /** Requests to the API, each of which makes an event or some. */
  requests: number;
  kills: number;
  /** What a connection waits between two requests (ms). */
  pauseMs: number;
}

export interface ChaosFigures extends WebhookReckoning {
  endpoints: number;
  kills: number;
  arrivals: number;
  seconds: number;
  /** Answers to requests that were neither a success nor a 503. */
  unexpected: readonly string[];
}

const fullPlan: ChaosPlan = {
  endpoints: { healthy: 24, flaky: 14, refusing: 4, hanging: 4, dead: 4 },
  ...{ requests: 8_000, kills: 40, pauseMs: 60 },
};
export const smallPlan: ChaosPlan = {
  endpoints: { healthy: 4, flaky: 3, refusing: 1, hanging: 1, dead: 1 },
  ...{ requests: 600, kills: 5, pauseMs: 60 },
};

/** What each kind asks for. An attempt that hangs takes ten seconds, so that it gets what happens seldom. */
const types: Readonly<Record<Kind, readonly string[]>> = {
  healthy: ["*"],
  flaky: ["contact.created", "contact.updated", "message.sent"],
  refusing: ["contact.created", "contact.updated"],
  hanging: ["contact.deleted"],
  dead: ["contact.created", "message.queued"],
};
const maxAttempts: Readonly<Record<Kind, number>> = { healthy: 20, flaky: 4, refusing: 6, hanging: 2, dead: 3 };
const DELAY_S = 1;
const CONNECTIONS = 8;
const ROUND_MS = { min: 800, max: 3_500 };
/** In one round of so many it is killed while it starts, too. */
const EARLY_EVERY = 4;
const EARLY_MS_MAX = 250;
const SETTLE_MS_MAX = 900_000;
const SCOPES = "manage:webhooks,write:contacts,write:messages";

/** Kills a server again and again while it delivers to receivers that fail in every way, and reckons what became of each event. */
export async function webhookChaos(plan: ChaosPlan, report?: (line: string) => void): Promise<ChaosFigures> {
  await using stack = new AsyncDisposableStack();
  const beganAt = performance.now();
  const { path: folder } = stack.use(tempFolder());
  const receivers = stack.use(await spawnReceivers());
  const options = { folder, env: { ALLOW_PRIVATE_WEBHOOKS: "true" } };
  let server = stack.use(await startPosthouse(options));
  const caller = (await connect(server)).as(await makeTestKey(folder, options.env));
  const endpoints: ChaosEndpoint[] = [];
  for (const kind of kinds)
    for (let number = 0; number < plan.endpoints[kind]; number++)
      endpoints.push(await addEndpoint(caller, receivers, kind, String(number)));

  let serving = Promise.withResolvers<string>();
  serving.resolve(server.url);
  const load = startEventLoad({
    ...{ key: caller.key, url: () => serving.promise, requests: plan.requests, connections: CONNECTIONS, pauseMs: plan.pauseMs },
  });
  const kills: number[] = [];

  async function kill(victim: Launched): Promise<void> {
    await victim.stop("SIGKILL");
    kills.push(Date.now());
  }

  for (let round = 1; kills.length < plan.kills; round++) {
    await wait(randomInt(ROUND_MS.min, ROUND_MS.max));
    serving = Promise.withResolvers();
    await kill(server);
    if (round % EARLY_EVERY === 0) {
      const starting = await launchPosthouse(options);
      await wait(randomInt(EARLY_MS_MAX));
      await kill(starting);
    }
    server = stack.use(await startPosthouse(options));
    serving.resolve(server.url);
    if (round === 2) {
      const now = (await connect(server)).as(caller.key);
      endpoints.push(await addEndpoint(now, receivers, "healthy", "late"));
      // The load may be through by now: something has to happen after it was made.
      await now.post("/v1/contacts", { external_id: "after-the-late-one" });
    }
    report?.(`${kills.length} kills, ${load.acknowledged.length} requests answered\n`);
  }

  await load.finished;
  const now = (await connect(server)).as(caller.key);
  for (const endpoint of endpoints) await settled(now, endpoint, report);
  const code = await server.stop();
  if (code !== 0) throw new Error(`it ended with ${code}:\n${server.log().join("\n")}`);
  const arrivals = await receivers.arrivals();
  return {
    ...reckonWebhooks(folder, endpoints, load.acknowledged, arrivals, kills),
    ...{ endpoints: endpoints.length, kills: kills.length, arrivals: arrivals.length, unexpected: load.unexpected },
    seconds: Math.round((performance.now() - beganAt) / 1_000),
  };
}

async function makeTestKey(folder: string, env: Record<string, string>): Promise<string> {
  const flags = ["--name", "chaos", "--test", "--scopes", SCOPES, "--rate-limit", "1000000000", "--json"];
  const { code, out, err } = await runPosthouse(folder, ["keys", "create", ...flags], env);
  if (code !== 0) throw new Error(`no key: ${err}`);
  return (JSON.parse(out) as { key: string }).key;
}

async function addEndpoint(caller: Caller, { urls }: Receivers, kind: Kind, name: string): Promise<ChaosEndpoint> {
  const path = `/${kind}/${name}`;
  const max_attempts = maxAttempts[kind];
  const ask = { url: `${urls[kind]}${path}`, events: types[kind], retry: { max_attempts, schedule: [DELAY_S] } };
  const { id } = await makeWebhook(caller, ask);
  return { id, kind, path, types: types[kind], max_attempts, delayMs: DELAY_S * 1_000, isLate: name === "late" };
}

/** Resolves when nothing waits for an endpoint and nothing is to be tried again. */
async function settled(caller: Caller, { id, path }: ChaosEndpoint, report?: (line: string) => void): Promise<void> {
  const left = async () => {
    const { waiting, pending } = (await caller.get<WebhookStatistics>(`/v1/webhooks/${id}/statistics`)).body;
    return waiting.events + pending;
  };
  const first = await left();
  if (first > 0) report?.(`${path} has ${first} left\n`);
  await eventually(
    `${path} is not settled`,
    async () => (await wait(100), await left()),
    (events) => events === 0,
    SETTLE_MS_MAX,
  );
}

/** Figures for people. */
export function describeChaos(figures: ChaosFigures): string {
  const { endpoints, kills, seconds, events, acknowledged, deliveries, delivered, deadLetters, attempts, failures, doubled } = figures;
  const doubles = Object.entries(doubled).map(([kind, count]) => `${count} ${kind}`);
  return [
    `${endpoints} endpoints, ${kills} kills, ${seconds} s: ${acknowledged} requests acknowledged, ${events} events`,
    `${deliveries} deliveries: ${delivered} delivered, ${deadLetters} dead letters; ${attempts} attempts recorded, ${failures} of them failed`,
    `${figures.arrivals} arrivals; twice: ${doubles.join(", ") || "none"}, at most ${figures.doubledByOneKill} by one kill`,
    `latest attempt ${Math.round(figures.latestMs)} ms after its time; integrity_check: ${figures.integrity}`,
    "",
  ].join("\n");
}

if (import.meta.main) {
  const [requests, kills] = process.argv.slice(2).map(Number);
  const plan = { ...fullPlan, requests: requests ?? fullPlan.requests, kills: kills ?? fullPlan.kills };
  const figures = await webhookChaos(plan, (line) => process.stderr.write(line));
  const { faults, unexpected, integrity } = figures;
  process.stdout.write(describeChaos(figures));
  for (const fault of [...faults, ...unexpected].slice(0, 100)) process.stdout.write(`${fault}\n`);
  process.exitCode = faults.length + unexpected.length === 0 && integrity === "ok" ? 0 : 1;
}
