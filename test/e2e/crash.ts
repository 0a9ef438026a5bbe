import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { type RemoteBotApi, spawnBotApi } from "#test/support/bot-api/remote.ts";
import type { Caller } from "#test/support/client.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, connectBot, makeLiveKey, queueEmpty } from "./api.ts";
import { startLoad, type Target } from "./load.ts";
import { type Launched, launchPosthouse, startPosthouse } from "./posthouse.ts";
import { reckon, type Reckoning, sendingIn } from "./records.ts";

export interface CrashFigures extends Reckoning {
  rounds: number;
  kills: number;
  /** Messages that were marked as on the wire when the program was killed. */
  onTheWire: number;
  /** Those that ended as `outcome_unknown` without having been on the wire. */
  unknownWithoutCause: string[];
  /** Answers to sends that were neither a success nor a 503. */
  unexpected: readonly string[];
}

const BOTS = 20;
const CHATS_A_BOT = 50;
/** Telegram takes its time, so that there is something on the wire. */
const ANSWER_MS = 40;
const CONNECTIONS = 16;
const PAUSE_MS = 30;
const ROUND_MS = { min: 300, max: 1_500 };
/** In one round of so many it is killed while it starts, too. */
const EARLY_EVERY = 4;
const EARLY_MS_MAX = 250;
const DRAIN_MS_MAX = 60_000;

/** Kills a server again and again, at random moments under a load of sends, and reckons what became of each message. */
export async function crash(rounds: number, report?: (line: string) => void): Promise<CrashFigures> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(tempFolder());
  const telegram = stack.adopt(await spawnBotApi(), (api) => api.stop());
  await telegram.fault({ kind: "slow", ms: ANSWER_MS }, { method: "sendMessage", times: Number.MAX_SAFE_INTEGER });
  const options = { folder, env: { TELEGRAM_API_ROOT: telegram.url } };
  let server = stack.use(await startPosthouse(options));
  const caller = (await connect(server)).as(await makeLiveKey(server));
  const targets = await furnish(caller, telegram);

  let serving = Promise.withResolvers<string>();
  serving.resolve(server.url);
  const load = startLoad({ key: caller.key, targets, url: () => serving.promise, connections: CONNECTIONS, pauseMs: PAUSE_MS });
  const onTheWire = new Set<string>();
  let kills = 0;

  async function kill(victim: Launched): Promise<void> {
    await victim.stop("SIGKILL");
    kills++;
    for (const id of sendingIn(folder)) onTheWire.add(id);
  }

  for (let round = 1; round <= rounds; round++) {
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
    report?.(`round ${round}: ${load.sends.length} messages so far, ${onTheWire.size} were on the wire\n`);
  }

  await load.finish();
  await queueEmpty((await connect(server)).as(caller.key), DRAIN_MS_MAX);
  const code = await server.stop();
  if (code !== 0) throw new Error(`it ended with ${code}:\n${server.log().join("\n")}`);
  const reckoning = reckon(folder, load.sends, await telegram.sent());
  const unknownWithoutCause = reckoning.unknown.filter((id) => !onTheWire.has(id));
  return { rounds, kills, onTheWire: onTheWire.size, unknownWithoutCause, unexpected: load.unexpected, ...reckoning };
}

/** Bots with people, one of whom has blocked each bot. */
async function furnish(live: Caller, telegram: RemoteBotApi): Promise<Target[]> {
  const people: Target[][] = [];
  for (let number = 0; number < BOTS; number++) {
    const bot = await telegram.addBot();
    const account_id = await connectBot(live, bot);
    const chats = await telegram.addPrivateChats(bot, CHATS_A_BOT);
    await telegram.block(bot, chats[0]!);
    people.push(chats.map(({ id }) => ({ account_id, to: id })));
  }
  // One after the other, so that all bots are at work at any moment.
  return Array.from({ length: CHATS_A_BOT }, (_, chat) => people.map((ofBot) => ofBot[chat]!)).flat();
}

/** Figures for people. */
export function describeCrash(figures: CrashFigures): string {
  const { rounds, kills, messages, acknowledged, sent, failed, unknown, unknownArrived, onTheWire, doubled, integrity } = figures;
  return [
    `${rounds} rounds, ${kills} kills: ${acknowledged} messages acknowledged, ${messages} kept`,
    `${sent} sent, ${failed} failed with a code, ${unknown.length} outcome_unknown (${unknownArrived} of them had arrived) of ${onTheWire} on the wire`,
    `${figures.unanswered} requests given up unanswered, ${figures.unansweredTaken} of them taken; ${doubled} doubled; integrity_check: ${integrity}`,
    "",
  ].join("\n");
}

if (import.meta.main) {
  const figures = await crash(Number(process.argv[2] ?? 200), (line) => process.stderr.write(line));
  const { faults, unexpected, unknownWithoutCause } = figures;
  process.stdout.write(describeCrash(figures));
  for (const fault of [...faults, ...unexpected, ...unknownWithoutCause]) process.stdout.write(`${fault}\n`);
  process.exitCode = faults.length + unexpected.length + unknownWithoutCause.length === 0 ? 0 : 1;
}
