import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Page } from "#src/core/page.ts";
import { spawnBotApi } from "#test/support/bot-api/remote.ts";
import { spawnDataCenter } from "#test/support/data-center/remote.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, connectBot, eventually, makeLiveKey, outcomeOf, send } from "./api.ts";
import { startPosthouse } from "./posthouse.ts";

/** How long the process is left alone before its memory is read: the longest pause between two collections. */
const QUIET_MS = 20_000;
const BOTS = Number(process.argv[2] ?? 100);
const USERS = Number(process.argv[3] ?? 50);
const UNBOUND = { gap_seconds: [0, 0], daily_cap: null, new_peer_daily_cap: null };

await using stack = new AsyncDisposableStack();
const { path: folder } = stack.use(tempFolder());
const telegram = stack.adopt(await spawnBotApi(), (api) => api.stop());
const dc = stack.adopt(await spawnDataCenter({ dcIds: [2] }), (server) => server.stop());
const env = {
  TELEGRAM_API_ROOT: telegram.url,
  TELEGRAM_API_ID: "12345",
  TELEGRAM_API_HASH: "0123456789abcdef0123456789abcdef",
  TELEGRAM_DC_FILE: await dc.dcFile(join(folder, "dc.json")),
};
const server = stack.use(await startPosthouse({ folder, env }));
const caller = (await connect(server)).as(await makeLiveKey(server, env));

/** Resident, KiB: what nobody else has of it is what an account costs. */
const memory = () => Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/smaps_rollup`, "utf8"))![1]);
const settled = async () => {
  await wait(QUIET_MS);
  return memory();
};
const say = (line: string) => process.stdout.write(`${line}\n`);

const idle = await settled();
say(`idle: ${Math.round(idle / 1024)} MiB`);
const bots: { account: number; chat: { id: number } }[] = [];
for (let at = 0; at < BOTS; at++) {
  const bot = await telegram.addBot();
  bots.push({ account: await connectBot(caller, bot), chat: await telegram.addPrivateChat(bot) });
}
const withBots = await settled();
say(`${BOTS} bots: ${Math.round(withBots / 1024)} MiB, ${Math.round((withBots - idle) / BOTS)} KiB each`);

const users: number[] = [];
const bob = await dc.addUser({ firstName: "Bob", username: "bob_of_many" });
for (let at = 0; at < USERS; at++) {
  const phone = `+4915200${String(at).padStart(6, "0")}`;
  await dc.addUser({ firstName: `User ${at}`, phone });
  const { body } = await caller.post<Account>("/v1/accounts", { kind: "telegram_user", phone });
  const path = `/v1/accounts/${body.id}`;
  await caller.post(`${path}/login/code`);
  await caller.post(`${path}/login/confirm`, { code: await dc.codeFor(phone) });
  await caller.patch(path, UNBOUND);
  users.push(body.id);
}
const connected = async () => {
  const { items } = (await caller.get<Page<Account>>("/v1/accounts?limit=200")).body;
  return items.filter(({ status }) => status === "connected").length;
};
await eventually("not all are connected", connected, (count) => count === BOTS + USERS, 60_000);
const withUsers = await settled();
say(`and ${USERS} user accounts: ${Math.round(withUsers / 1024)} MiB, ${Math.round((withUsers - withBots) / USERS)} KiB each`);

/** Milliseconds from a send to its arrival, over all accounts but the first, in the middle. */
async function medianMs(): Promise<number> {
  const times: number[] = [];
  for (const id of users.slice(1)) times.push(await timed(id, "@bob_of_many"));
  for (const { account, chat } of bots.slice(1)) times.push(await timed(account, chat.id));
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

async function timed(account: number, to: string | number): Promise<number> {
  const started = performance.now();
  await outcomeOf(caller, await send(caller, account, to, "Hello"));
  return performance.now() - started;
}

await medianMs();
const before = await medianMs();
await dc.fail("messages.sendMessage", 420, "FLOOD_WAIT_300", 1);
await send(caller, users[0]!, "@bob_of_many", "too much");
await telegram.flood(300, { chat_id: bots[0]!.chat.id });
await send(caller, bots[0]!.account, bots[0]!.chat.id, "too much");
const held = async () => (await caller.get<Account>(`/v1/accounts/${users[0]}`)).body.lane.state;
await eventually("the flooded account is not held", held, (state) => state === "held");
const after = await medianMs();
say(`median from send to sent: ${before.toFixed(1)} ms, and ${after.toFixed(1)} ms while one of each is told to wait`);
say(`Bob has ${(await dc.history(bob)).length} messages`);
