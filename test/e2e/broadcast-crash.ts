import { Database } from "bun:sqlite";
import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Broadcast } from "#src/modules/broadcasts/model.ts";
import type { Caller } from "#test/support/client.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, makeLiveKey } from "./api.ts";
import { botSide, type TelegramSide, userSide } from "./broadcast-sides.ts";
import { databaseOf, startPosthouse } from "./posthouse.ts";

export interface BroadcastFigures {
  rounds: number;
  recipients: number;
  /** As the broadcast counts them. */
  counts: Broadcast["counts"];
  status: string;
  unknown: number;
  /** People at Telegram who got one, and those who got more. */
  arrived: number;
  doubled: number;
  /** Everything that must not be, in words. */
  faults: string[];
}

const ROUND_MS = { min: 100, max: 500 };
const END_MS_MAX = 600_000;

/** Sends broadcasts while the server is killed again and again, and reckons what became of each recipient. */
export async function broadcastCrash(
  through: "bots" | "users",
  rounds: number,
  recipients: number,
  report?: (line: string) => void,
): Promise<BroadcastFigures> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(tempFolder());
  const telegram = stack.use(await (through === "bots" ? botSide() : userSide(folder)));
  const options = { folder, env: telegram.env };
  let server = stack.use(await startPosthouse(options));
  const key = await makeLiveKey(server, telegram.env);
  let caller = (await connect(server)).as(key);
  const broadcasts: string[] = [];
  for (const ask of await telegram.prepare(caller, recipients)) {
    const { body } = await caller.post<Broadcast>("/v1/broadcasts", { name: "News", message: { text: "News" }, ...ask });
    await caller.post(`/v1/broadcasts/${body.id}/send`);
    broadcasts.push(body.id);
  }

  for (let round = 1; round <= rounds; round++) {
    await wait(randomInt(ROUND_MS.min, ROUND_MS.max));
    await server.stop("SIGKILL");
    server = stack.use(await startPosthouse(options));
    report?.(`round ${round}\n`);
  }
  caller = (await connect(server)).as(key);
  const all = await untilEnded(caller, broadcasts);
  const code = await server.stop();
  if (code !== 0) throw new Error(`it ended with ${code}:\n${server.log().join("\n")}`);
  return reckon(folder, rounds, recipients, all, telegram, await telegram.arrivals());
}

async function untilEnded(caller: Caller, ids: readonly string[]): Promise<Broadcast[]> {
  const until = performance.now() + END_MS_MAX;
  for (;;) {
    const all = await Promise.all(ids.map(async (id) => (await caller.get<Broadcast>(`/v1/broadcasts/${id}`)).body));
    if (all.every(({ ended_at }) => ended_at !== null) || performance.now() > until) return all;
    await wait(200);
  }
}

function reckon(
  folder: string,
  rounds: number,
  recipients: number,
  all: readonly Broadcast[],
  { repeats }: TelegramSide,
  arrivals: readonly number[],
): BroadcastFigures {
  using file = new Database(databaseOf(folder), { readonly: true });
  const count = (sql: string) => (file.query(sql).get() as { n: number }).n;
  const counts = all.map((one) => one.counts).reduce((sum, one) => addUp(sum, one));
  const unknown = count("SELECT count(*) AS n FROM messages WHERE error_code = 'outcome_unknown'");
  const arrived = arrivals.filter((times) => times > 0).length;
  const doubled = arrivals.filter((times) => times > 1).length;
  const faults: string[] = [];
  const expect = (is: number, is_to_be: number, what: string) => {
    if (is !== is_to_be) faults.push(`${what}: ${is}, not ${is_to_be}`);
  };
  expect(count("SELECT count(*) AS n FROM broadcast_recipients"), recipients, "recipients");
  expect(count("SELECT count(*) AS n FROM messages"), recipients, "messages");
  expect(count("SELECT count(*) AS n FROM (SELECT 1 FROM messages GROUP BY contact_id HAVING count(*) > 1)"), 0, "written to twice");
  expect(count("SELECT count(*) AS n FROM messages WHERE status = 'sent'"), counts.sent, "sent by the counts");
  expect(counts.sent + unknown, recipients, "sent and unknown together");
  if (repeats) expect(arrived, recipients, "arrived");
  expect(counts.total, recipients, "counted");
  expect(doubled, 0, "arrived twice");
  const missing = counts.sent - arrived;
  if (missing > 0) faults.push(`${missing} are called sent and did not arrive`);
  const status = [...new Set(all.map((one) => one.status))].join(", ");
  return { rounds, recipients, counts, status, unknown, arrived, doubled, faults };
}

function addUp(a: Broadcast["counts"], b: Broadcast["counts"]): Broadcast["counts"] {
  return Object.fromEntries(Object.entries(a).map(([name, n]) => [name, n + b[name as keyof typeof b]])) as Broadcast["counts"];
}

/** Figures for people. */
export function describeBroadcastCrash({ rounds, recipients, counts, status, unknown, arrived, doubled }: BroadcastFigures): string {
  return `${rounds} kills: ${recipients} recipients, ${counts.sent} sent, ${unknown} outcome_unknown, ${arrived} arrived, ${doubled} doubled; ${status}\n`;
}

if (import.meta.main) {
  const [through = "bots", rounds = "50", recipients = "10000"] = process.argv.slice(2);
  if (through !== "bots" && through !== "users") throw new Error("say bots or users first");
  const figures = await broadcastCrash(through, Number(rounds), Number(recipients), (line) => process.stderr.write(line));
  process.stdout.write(describeBroadcastCrash(figures));
  for (const fault of figures.faults) process.stdout.write(`${fault}\n`);
  process.exitCode = figures.faults.length === 0 ? 0 : 1;
}
