import { Database as File } from "bun:sqlite";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { loadConfig } from "#src/config.ts";
import { silentLog } from "#src/core/log.ts";
import { openServices } from "#src/server.ts";
import type { Bot } from "#test/support/bot-api/model.ts";
import { type RemoteBotApi, spawnBotApi } from "#test/support/bot-api/remote.ts";
import { apiAt } from "./api.ts";
import { SECRET } from "./data.ts";
import type { InboundFloorPlan } from "./inbound-floor.ts";
import { dataFolder, type Folder, ourProgram, startPosthouse } from "./posthouse.ts";
import { runScript } from "./process.ts";
import type { Figure } from "./report.ts";
import { alternate, progress } from "./rounds.ts";
import { type Spread, spreadOf } from "./spread.ts";

const SECONDS = Number(process.env["BENCH_INBOUND_SECONDS"] ?? 60);
const PER_SECOND = 1_000;
const ROUNDS = 3;
const PEOPLE = 200;
const WARM_UP_S = 3;
const LOOK_MS = 200;

type Row = Parameters<typeof spreadOf>[0][number];

/** From the arrival of messages at the Bot API to their events, against a bare loop that keeps each update. */
export async function inbound(): Promise<Figure> {
  const api = await spawnBotApi();
  try {
    const rates = await alternate(
      ROUNDS,
      () => ours(api),
      () => theirs(api),
    );
    return {
      name: "p99 of hearing, 1,000 messages a second",
      ...rates,
      against: "bare loop",
      unit: "ms",
      target: { under: 2 },
      note: `medians of ${ROUNDS} rounds in turn of ${SECONDS} s from ${PEOPLE} people, ${ourProgram}; each message is counted, none was lost and none came twice`,
    };
  } finally {
    await api.stop();
  }
}

async function ours(api: RemoteBotApi): Promise<number> {
  using folder = dataFolder();
  const env = { ...folder.env, TELEGRAM_API_ROOT: api.url };
  const key = await liveKey(env);
  const bot = await api.addBot();
  await using server = await startPosthouse({ ...folder, env });
  await apiAt(server.port, key).post("/v1/accounts", { kind: "telegram_bot", token: bot.token });
  const from = await play(api, bot);
  using file = new File(join(folder.path, "posthouse.db"), { readonly: true });
  const rows = file.query<Row, []>("select data ->> '$.text' as text, created_at as at from events where type = 'message.received'");
  return judge("posthouse", spreadOf(rows.all(), from));
}

async function theirs(api: RemoteBotApi): Promise<number> {
  using folder = dataFolder();
  const bot = await api.addBot();
  const count = (WARM_UP_S + SECONDS) * PER_SECOND;
  const plan: InboundFloorPlan = { url: api.url, token: bot.token, path: join(folder.path, "floor.db"), count };
  const [, from] = await Promise.all([runScript<number>("inbound-floor.ts", plan), play(api, bot)]);
  using file = new File(plan.path, { readonly: true });
  return judge("bare loop", spreadOf(file.query<Row, []>("select body ->> '$.message.text' as text, at from updates").all(), from));
}

/** @returns when (ms) what counts began */
async function play(api: RemoteBotApi, bot: Bot): Promise<number> {
  const chats = await api.addPrivateChats(bot, PEOPLE);
  const load = async (seconds: number) => {
    await api.startLoad({ bot, chats, per_second: PER_SECOND, seconds });
    for (;;) {
      await wait(LOOK_MS);
      const { is_over, pending } = await api.loadState(bot);
      if (is_over && pending === 0) return;
    }
  };
  await load(WARM_UP_S);
  const from = Date.now();
  await load(SECONDS);
  return from;
}

/** @throws Error when a message was lost, or came twice */
function judge(whose: string, { p50, p99, max, once, again }: Spread): number {
  progress(`${whose}: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`);
  const expected = SECONDS * PER_SECOND;
  if (once !== expected || again > 0) throw new Error(`${whose}: ${once} of ${expected} messages came, ${again} again`);
  return p99;
}

async function liveKey(env: Folder["env"]): Promise<string> {
  const config = loadConfig({ env, flags: {}, isTerminal: false });
  const { db, services, close } = await openServices(config, SECRET, silentLog);
  try {
    const { environments } = await db.write((tx) => services.workspaces.create(tx, "bench", null));
    const { id: env_id, name } = environments.find(({ mode }) => mode === "live")!;
    const maker = { env_id, mode: "live" as const, environment: name, plan: null, scopes: null };
    const ask = { name: "bench", scopes: ["manage:accounts" as const], rate_limit: 1_000_000_000 };
    return (await db.write((tx) => services.keys.create(tx, maker, ask))).key;
  } finally {
    await close();
  }
}
