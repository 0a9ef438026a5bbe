import { Database as File } from "bun:sqlite";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { loadConfig } from "#src/config.ts";
import { silentLog } from "#src/core/log.ts";
import { openServices } from "#src/server.ts";
import { apiAt, timed } from "./api.ts";
import { prepareData, SECRET } from "./data.ts";
import { dataFolder, type Folder, ourProgram, startPosthouse } from "./posthouse.ts";
import { runScript, scriptPath } from "./process.ts";
import type { Figure } from "./report.ts";
import { alternate, median, progress } from "./rounds.ts";
import { latencyBesideHanging } from "./webhook-latency.ts";
import type { WebhookFloorPlan } from "./webhook-floor.ts";

const EVENTS = 100_000;
const ROUNDS = 3;
/** As many as an endpoint that answers gets at a time. */
const CONNECTIONS = 64;
/** What is counted begins when this much is done, so that neither's start is in it. */
const LEAD = 0.1;
const POLL_MS = 20;
const IDLE_EVENTS = 200;
const IDLE_PAUSE_MS = 20;
const IDLE_MS_MAX = 20;
const MANY = Number(process.env["BENCH_DELIVERIES"] ?? 1_000_000);
const FEW = 1_000;
const PAGES = 200;

/** Deliveries a second, how soon one arrives, and what a long log costs. */
export async function webhooks(): Promise<Figure[]> {
  return [await deliveries(), await idleLatency(), await besideHanging(), await newestPage()];
}

/** Deliveries a second, each recorded, to one receiver; against plain `fetch` to the same. */
async function deliveries(): Promise<Figure> {
  await using receiver = await startReceiver();
  const rates = await alternate(
    ROUNDS,
    () => ourRate(receiver.url),
    () => floorRate(receiver.url),
  );
  return {
    name: "webhook deliveries",
    ...rates,
    against: "plain fetch",
    unit: "a second",
    target: { atLeast: 0.5 },
    note: `medians of ${ROUNDS} rounds in turn of ${EVENTS.toLocaleString("en-US")}, ${CONNECTIONS} at a time, ${ourProgram}; ours are signed twice, and recorded with what was answered`,
  };
}

async function ourRate(url: string): Promise<number> {
  using folder = dataFolder();
  const { key, env_id } = await prepareData(webhookEnv(folder));
  const id = await withServices(folder, async ({ db, services }) => {
    const webhook = await db.write((tx) => services.webhooks.service.create(tx, { env_id, key_id: "bench" }, { url, events: ["*"] }));
    await db.write((tx) => services.webhooks.service.patch(tx, { env_id, key_id: "bench" }, webhook.id, { paused: true }, () => {}));
    for (let first = 0; first < EVENTS; first += 1_000)
      await db.write((tx) => {
        for (let number = first; number < first + 1_000; number++) services.events.append(tx, env_id, eventOf(number));
      });
    return webhook.id;
  });
  await using server = await startPosthouse({ ...folder, env: webhookEnv(folder) });
  using file = new File(join(folder.path, "posthouse.db"), { readonly: true });
  const recorded = file.prepare<{ done: number | null }, []>("select sum(delivered) as done from webhook_hours");
  await resume(server.port, key, id);
  return await rateOf(() => recorded.get()?.done ?? 0);
}

async function floorRate(url: string): Promise<number> {
  const data = eventOf(0).data;
  const body = JSON.stringify({ event: "message.sent", id: "evt_01HKQ9R2X70000000000000000", created_at: data.created_at, data });
  const plan: WebhookFloorPlan = { url, posts: EVENTS, connections: CONNECTIONS, body, headers: { "content-type": "application/json" } };
  return (await runScript<{ rate: number }>("webhook-floor.ts", plan)).rate;
}

/** From the event's own time to its arrival, one at a time. */
async function idleLatency(): Promise<Figure> {
  using folder = dataFolder();
  const { key } = await prepareData(webhookEnv(folder));
  const taken: number[] = [];
  const receiver = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const at = Date.now();
      taken.push(at - Date.parse(((await request.json()) as { created_at: string }).created_at));
      return new Response("ok");
    },
  });
  await using server = await startPosthouse({ ...folder, env: webhookEnv(folder) });
  const api = apiAt(server.port, key);
  await api.post("/v1/webhooks", { url: `http://127.0.0.1:${receiver.port}/`, events: ["contact.*"] });
  for (let number = 0; number < IDLE_EVENTS; number++) {
    await api.post("/v1/contacts", { external_id: `idle-${number}`, name: "Idle" });
    await wait(IDLE_PAUSE_MS);
  }
  await receiver.stop(true);
  if (taken.length < IDLE_EVENTS) throw new Error(`${taken.length} of ${IDLE_EVENTS} events arrived`);
  return {
    name: "webhook, from commit to receipt",
    ours: median(taken),
    theirs: IDLE_MS_MAX,
    against: "allowed",
    unit: "ms",
    target: { under: 1 },
    note: `median of ${IDLE_EVENTS} contacts upserted ${IDLE_PAUSE_MS} ms apart, ${ourProgram}`,
  };
}

/** From commit to receipt at 49 endpoints while a fiftieth hangs, against the same without it. */
async function besideHanging(): Promise<Figure> {
  const { with: ours, without: theirs } = await latencyBesideHanging();
  const note = `medians of rounds in turn, 50 endpoints, ${ourProgram}`;
  return { name: "webhook, beside one that hangs", ours, theirs, against: "without it", unit: "ms", target: { under: 2 }, note };
}

/** The newest page of an endpoint's log, with many deliveries and with few. */
async function newestPage(): Promise<Figure> {
  using manyFolder = dataFolder();
  using fewFolder = dataFolder();
  const [manyLog, fewLog] = [await fillLog(manyFolder, MANY), await fillLog(fewFolder, FEW)];
  progress(`${MANY.toLocaleString("en-US")} deliveries are in the log`);
  await using many = await startPosthouse({ ...manyFolder, env: webhookEnv(manyFolder) });
  await using few = await startPosthouse({ ...fewFolder, env: webhookEnv(fewFolder) });
  const ask = async ({ port }: { port: number }, { key, id }: { key: string; id: string }) =>
    (await timed(() => apiAt(port, key).get(`/v1/webhooks/${id}/deliveries`))).ms;
  const taken = { many: [] as number[], few: [] as number[] };
  for (let turn = 0; turn < PAGES; turn++) {
    taken.many.push(await ask(many, manyLog));
    taken.few.push(await ask(few, fewLog));
  }
  return {
    name: `newest page of ${MANY.toLocaleString("en-US")} deliveries`,
    ours: median(taken.many),
    theirs: median(taken.few),
    against: `of ${FEW.toLocaleString("en-US")}`,
    unit: "ms",
    target: { under: 2 },
    note: `medians of ${PAGES} in turn, ${ourProgram}`,
  };
}

async function fillLog(folder: Folder, count: number): Promise<{ key: string; id: string }> {
  const { key, env_id } = await prepareData(webhookEnv(folder));
  const { id } = await withServices(folder, ({ db, services }) =>
    db.write((tx) =>
      services.webhooks.service.create(tx, { env_id, key_id: "bench" }, { url: "http://127.0.0.1:9/", events: ["webhook.disabled"] }),
    ),
  );
  using file = new File(join(folder.path, "posthouse.db"));
  const attempt = {
    ...{ at: Date.now(), status: 200, duration_ms: 3, stage: null, error: null, timestamp: Math.floor(Date.now() / 1000) },
    ...{ signature: `sha256=${"0".repeat(64)}`, webhook_signature: `v1,${"A".repeat(43)}=` },
    response: {
      headers: { "content-type": "text/plain;charset=utf-8", date: "Sat, 21 Nov 2026 21:34:33 GMT", "content-length": "2" },
      body: "ok",
    },
  };
  file
    .query(
      `insert into deliveries (env_id, id, webhook_id, event_id, event_type, status, tries, response_status, is_test, created_at, updated_at, attempts)
       with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n + 1 < ?1)
       select ?2, 'dlv_01HKQ9R2X3' || printf('%016d', n), ?3, 'evt_01HKQ9R2X3' || printf('%016d', n), 'message.sent',
         case n % 50 when 0 then 'dead_letter' else 'delivered' end, 1, 200, 0, ?4, ?4, ?5 from numbers`,
    )
    .run(count, env_id, id, Date.now(), JSON.stringify([attempt]));
  return { key, id };
}

const webhookEnv = ({ env }: Folder) => ({ ...env, ALLOW_PRIVATE_WEBHOOKS: "true" });

async function withServices<T>(folder: Folder, work: (open: Awaited<ReturnType<typeof openServices>>) => Promise<T>): Promise<T> {
  const config = loadConfig({ env: webhookEnv(folder), flags: {}, isTerminal: false });
  const open = await openServices(config, SECRET, silentLog);
  try {
    return await work(open);
  } finally {
    await open.close();
  }
}

async function startReceiver(): Promise<{ url: string } & AsyncDisposable> {
  const child = Bun.spawn([process.execPath, scriptPath("webhook-receiver.ts")], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const first = await child.stdout.getReader().read();
  const { port } = JSON.parse(new TextDecoder().decode(first.value)) as { port: number };
  return {
    url: `http://127.0.0.1:${port}/hook`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

async function resume(port: number, key: string, id: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/webhooks/${id}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ paused: false }),
  });
  if (!response.ok) throw new Error(`the endpoint could not be resumed: ${response.status} ${await response.text()}`);
}

/** @param count how many are done */
async function rateOf(count: () => number): Promise<number> {
  let begun: { at: number; done: number } | undefined;
  for (;;) {
    const done = count();
    const at = performance.now();
    if (begun === undefined && done >= EVENTS * LEAD) begun = { at, done };
    if (begun !== undefined && done >= EVENTS) return (done - begun.done) / ((at - begun.at) / 1000);
    await wait(POLL_MS);
  }
}

function eventOf(number: number) {
  const created_at = "2026-05-06T14:32:18.000Z";
  const message = {
    ...{ id: `msg_01HKQ9R2X3${String(number).padStart(16, "0")}`, channel: "sandbox", account_id: 7421, direction: "out" },
    ...{
      to: `@reader_${number}`,
      sender: null,
      contact_id: null,
      thread_id: null,
      text: "Hey Sarah, your invite is ready",
      status: "sent",
    },
    ...{ eta: created_at, schedule_at: null, expires_at: null, silent: false, reply_to: null, error: null, last_error: null },
    ...{ attempts: [], metadata: {}, created_at, sent_at: created_at, delivered_at: null, read_at: null, updated_at: created_at },
  };
  return { type: "message.sent" as const, subject: message.id, actor: "job", data: message };
}
