import { Database as File } from "bun:sqlite";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Queue } from "bullmq";
import { prepareData } from "./data.ts";
import { dataFolder, ourProgram, startPosthouse } from "./posthouse.ts";
import { scriptPath, start } from "./process.ts";
import { redisMissing, startRedis } from "./redis-server.ts";
import type { Figure, Skipped } from "./report.ts";
import { alternate } from "./rounds.ts";

const JOBS = 100_000;
const ACCOUNTS = 100;
const ROUNDS = 3;
/** Of 64 to 2,000 what was fastest. */
const CONCURRENCY = 500;
const CHUNK = 2_000;
/** What is counted begins when this much is done, so that neither's start is in it. */
const LEAD = 0.1;
const POLL_MS = 50;

/** Jobs a second with their outcomes and events on disk, against the same number through BullMQ on Redis. */
export async function jobs(): Promise<(Figure | Skipped)[]> {
  const results: (Figure | Skipped)[] = [];
  for (const [appendfsync, atLeast] of [
    ["always", 1.5],
    ["everysec", 1],
  ] as const) {
    const name = `jobs, Redis with appendfsync ${appendfsync}`;
    if (Bun.which("redis-server") === null) {
      results.push({ name, reason: redisMissing });
      continue;
    }
    const rates = await alternate(ROUNDS, ourRate, () => bullmqRate(appendfsync));
    const note = `medians of ${ROUNDS} rounds in turn of ${JOBS} jobs over ${ACCOUNTS} accounts, ${ourProgram}; BullMQ with a concurrency of ${CONCURRENCY}`;
    results.push({ name, ...rates, against: "BullMQ", unit: "a second", target: { atLeast }, note });
  }
  return results;
}

async function ourRate(): Promise<number> {
  using folder = dataFolder();
  await prepareData(folder.env, { queue: { messages: JOBS, accounts: ACCOUNTS } });
  await using _server = await startPosthouse(folder);
  using file = new File(join(folder.path, "posthouse.db"), { readonly: true });
  const recorded = file.prepare<{ events: number | null }, []>("select max(seq) as events from events");
  const rate = await rateOf(() => recorded.get()?.events ?? 0);
  const { sent } = file.query<{ sent: number }, []>("select count(*) as sent from messages where status = 'sent'").get()!;
  if (sent !== JOBS) throw new Error(`${sent} of ${JOBS} messages were sent`);
  return rate;
}

async function bullmqRate(appendfsync: "always" | "everysec"): Promise<number> {
  await using redis = await startRedis(appendfsync);
  const queue = new Queue("messages", { connection: { host: "127.0.0.1", port: redis.port, maxRetriesPerRequest: null } });
  for (let first = 0; first < JOBS; first += CHUNK) await queue.addBulk(Array.from({ length: CHUNK }, (_, at) => newJob(first + at)));
  const plan = JSON.stringify({ port: redis.port, queue: queue.name, concurrency: CONCURRENCY });
  await using _worker = start([process.execPath, scriptPath("bullmq-worker.ts"), plan]);
  const rate = await rateOf(() => queue.getCompletedCount());
  await queue.close();
  return rate;
}

function newJob(number: number) {
  const data = { account_id: 20_000 + (number % ACCOUNTS), to: `@reader_${number}`, text: "Hey {first_name}, your invite is ready" };
  return { name: "messages.send", data };
}

/** @param count how many are done */
async function rateOf(count: () => Promise<number> | number): Promise<number> {
  let begun: { at: number; done: number } | undefined;
  for (;;) {
    const done = await count();
    const at = performance.now();
    if (begun === undefined && done >= JOBS * LEAD) begun = { at, done };
    if (begun !== undefined && done >= JOBS) return (done - begun.done) / ((at - begun.at) / 1000);
    await wait(POLL_MS);
  }
}
