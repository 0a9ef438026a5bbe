import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Message } from "#src/modules/messages/model.ts";
import type { Page } from "#src/core/page.ts";
import { queueEmpty, send } from "./api.ts";
import { startLiveUser } from "./live-user.ts";

export interface UserCrashFigures {
  rounds: number;
  /** Sends that were answered with success. */
  acknowledged: number;
  /** Messages that were on the wire when the program was killed. */
  onTheWire: number;
  /** Of what was acknowledged, what is in nobody's history. */
  lost: string[];
  /** What is in somebody's history more than once. */
  doubled: string[];
  /** States in which messages ended, and how many. */
  states: Record<string, number>;
}

const PEOPLE = 5;
const SENDS_A_ROUND = 12;
/** Telegram takes its time, so that there is something on the wire. */
const ANSWER_MS = 25;
const ROUND_MS = { min: 20, max: 350 };
const DRAIN_MS_MAX = 120_000;
const NO_CAPS = { gap_seconds: [0, 0], daily_cap: null, new_peer_daily_cap: null };

/** Kills a server again and again while a user account sends, and looks for each message in the histories of those who got it. */
export async function userCrash(rounds: number, report?: (line: string) => void): Promise<UserCrashFigures> {
  await using live = await startLiveUser();
  const { dc, account } = live;
  await live.login();
  await live.caller.patch(`/v1/accounts/${account}`, NO_CAPS);
  const people = [];
  for (let at = 0; at < PEOPLE; at++) people.push(await dc.addUser({ firstName: `Person ${at}`, username: `person_${at}_of_many` }));
  await dc.delay("messages.sendMessage", ANSWER_MS, Number.MAX_SAFE_INTEGER);
  const acknowledged: string[] = [];
  let onTheWire = 0;

  for (let round = 1; round <= rounds; round++) {
    for (let at = 0; at < SENDS_A_ROUND; at++) {
      const text = `message ${round}.${at}`;
      await send(live.caller, account, `@person_${at % PEOPLE}_of_many`, text);
      acknowledged.push(text);
    }
    // In some rounds Telegram does what it is asked, and the connection is gone before it says so.
    if (round % 5 === 0) await dc.loseAnswers("messages.sendMessage", 1);
    await wait(randomInt(ROUND_MS.min, ROUND_MS.max));
    const sending = await live.caller.get<Page<Message>>("/v1/messages?status=sending&limit=200");
    onTheWire += sending.body.items.length;
    await live.posthouse.stop("SIGKILL");
    await live.restart();
    report?.(`round ${round}: ${acknowledged.length} messages so far, ${onTheWire} were on the wire\n`);
  }

  await queueEmpty(live.caller, DRAIN_MS_MAX);
  const histories = await Promise.all(people.map((person) => dc.history(person)));
  const counts = Map.groupBy(histories.flat(), ({ text }) => text);
  const states: Record<string, number> = {};
  for (const state of ["sent", "failed", "queued", "sending"])
    states[state] = (await live.caller.get<{ total: number }>(`/v1/messages?status=${state}&limit=1`)).body.total;
  return {
    rounds,
    acknowledged: acknowledged.length,
    onTheWire,
    lost: acknowledged.filter((text) => !counts.has(text)),
    doubled: [...counts].filter(([, entries]) => entries.length > 1).map(([text]) => text),
    states,
  };
}

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? 50);
  const figures = await userCrash(rounds, (line) => process.stdout.write(line));
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
}
