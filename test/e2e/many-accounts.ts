import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Page } from "#src/core/page.ts";
import { spawnBotApi } from "#test/support/bot-api/remote.ts";
import { spawnDataCenter } from "#test/support/data-center/remote.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, connectBot, eventually, makeLiveKey, outcomeOf, send } from "./api.ts";
import { connectUser } from "./live-user.ts";
import { startPosthouse } from "./posthouse.ts";

/** How long the process is left alone before its memory is read: the longest pause between two collections. */
const QUIET_MS = 20_000;
const HELD_S = 300;

export interface ManyFigures {
  /** Resident, KiB: idle, and what an account costs beyond that. */
  idle: number;
  eachBot: number;
  eachUser: number;
  /** From a send to its outcome, over all accounts but one of each, in the middle, ms. */
  medianMs: number;
  /** The same while those two are told to wait. */
  medianWhileHeldMs: number;
  /** What the one to whom all user accounts wrote has got. */
  arrived: number;
}

/** Connects many accounts in one process, reads its memory, and looks whether one that is told to wait delays the others. */
export async function manyAccounts(size: { bots: number; users: number }, quietMs: number): Promise<ManyFigures> {
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

  // Resident, KiB.
  const memory = () => Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/smaps_rollup`, "utf8"))![1]);
  const settled = async () => {
    await wait(quietMs);
    return memory();
  };

  const idle = await settled();
  const bots: { account: number; chat: { id: number } }[] = [];
  for (let at = 0; at < size.bots; at++) {
    const bot = await telegram.addBot();
    bots.push({ account: await connectBot(caller, bot), chat: await telegram.addPrivateChat(bot) });
  }
  const withBots = await settled();

  const users: number[] = [];
  const bob = await dc.addUser({ firstName: "Bob", username: "bob_of_many" });
  for (let at = 0; at < size.users; at++) {
    users.push(await connectUser(caller, dc, `User ${at}`, `+4915200${String(at).padStart(6, "0")}`));
  }
  const connected = async () => {
    const { items } = (await caller.get<Page<Account>>("/v1/accounts?limit=200")).body;
    return items.filter(({ status }) => status === "connected").length;
  };
  await eventually("not all are connected", connected, (count) => count === size.bots + size.users, 60_000);
  const withUsers = await settled();

  /** Milliseconds from a send to its arrival, over all accounts but the first, in the middle. */
  async function medianOf(): Promise<number> {
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

  await medianOf();
  const medianMs = await medianOf();
  await dc.fail("messages.sendMessage", 420, `FLOOD_WAIT_${HELD_S}`, 1);
  await send(caller, users[0]!, "@bob_of_many", "too much");
  await telegram.flood(HELD_S, { chat_id: bots[0]!.chat.id });
  await send(caller, bots[0]!.account, bots[0]!.chat.id, "too much");
  const held = async () => (await caller.get<Account>(`/v1/accounts/${users[0]}`)).body.lane.state;
  await eventually("the flooded account is not held", held, (state) => state === "held");
  return {
    idle,
    eachBot: Math.round((withBots - idle) / size.bots),
    eachUser: Math.round((withUsers - withBots) / size.users),
    medianMs,
    medianWhileHeldMs: await medianOf(),
    arrived: (await dc.history(bob)).length,
  };
}

if (import.meta.main) {
  const [bots = 100, users = 50] = process.argv.slice(2).map(Number);
  process.stdout.write(`${JSON.stringify(await manyAccounts({ bots, users }, QUIET_MS), null, 2)}\n`);
}
