import { Database as File } from "bun:sqlite";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { prepareData } from "./data.ts";
import { p99Of, PLAN } from "./latency.ts";
import { residentMegabytes } from "./memory.ts";
import { dataFolder, ourProgram, startPosthouse } from "./posthouse.ts";
import { runScript } from "./process.ts";
import type { Figure } from "./report.ts";
import { alternate, median, progress } from "./rounds.ts";
import { preparePeople } from "./sequence-data.ts";
import type { FloorPlan, FloorResult } from "./sequence-floor.ts";
import type { TicksPlan, TicksResult } from "./sequence-ticks.ts";

const PEOPLE = Number(process.env["BENCH_SEQUENCE"] ?? 100_000);
const ROUNDS = 3;
/** What is counted begins when this much is done, so that the start is not in it. */
const LEAD = 0.1;
const IDLE_SECONDS = 20;
const WAITING = 1_000_000;
const DAY_MS = 86_400_000;
const due = `${PEOPLE.toLocaleString("en-US")} people due at once`;
const POLL_MS = 50;
/** Of each person: the message, the step that sent it, and the wait that it has come to. */
const EVENTS = 3;

/** What it takes when many people in a sequence fall due at once. */
export async function sequences(): Promise<Figure[]> {
  return [...(await rateAndMemory()), await latency(), await ticks()];
}

async function rateAndMemory(): Promise<Figure[]> {
  const megabytes: number[] = [];
  const rates = await alternate(ROUNDS, () => ourRate(megabytes), floorRate);
  const note = `medians of ${ROUNDS} rounds in turn, ${ourProgram}; against one loop of prepared statements that writes the same rows in as large transactions`;
  return [
    { name: due, ...rates, against: "prepared inserts", unit: "a second", target: { atLeast: 0.3 }, note },
    {
      name: "memory meanwhile",
      ...{ ours: median(megabytes), theirs: await idleMegabytes(), against: "on an empty file", unit: "MB", target: { under: 1.5 } },
      note: `the highest while they are worked off, median of ${ROUNDS} rounds; against ${IDLE_SECONDS} s after the start`,
    },
  ];
}

async function idleMegabytes(): Promise<number> {
  using folder = dataFolder();
  await prepareData(folder.env);
  await using server = await startPosthouse(folder);
  await wait(IDLE_SECONDS * 1000);
  return residentMegabytes(server.pid);
}

/** p99 of sends at a fixed rate while people are worked off, each time as many anew, against p99 with nobody due. */
async function latency(): Promise<Figure> {
  using idleFolder = dataFolder();
  const idleKey = (await prepareData(idleFolder.env, { paused: true })).key;
  await using idle = await startPosthouse(idleFolder);
  const times = await alternate(ROUNDS, busyP99, () => p99Of({ ...PLAN, port: idle.port, key: idleKey }));
  const note = `p99 at ${PLAN.rate} sends a second, medians of ${ROUNDS} rounds in turn, ${ourProgram}`;
  return { name: "p99 meanwhile", ...times, against: "with nobody due", unit: "ms", target: { under: 3 }, note };
}

async function busyP99(): Promise<number> {
  using folder = dataFolder();
  const { key, sequence_id } = await preparePeople(folder.env, PEOPLE, 0);
  await using server = await startPosthouse(folder);
  using file = new File(join(folder.path, "posthouse.db"), { readonly: true });
  const waiting = file.prepare<{ people: number }, [string]>(
    "select count(*) as people from enrollments where sequence_id = ? and why = 'due'",
  );
  const before = waiting.get(sequence_id)!.people;
  const p99 = await p99Of({ ...PLAN, port: server.port, key });
  const left = waiting.get(sequence_id)!.people;
  if (left === 0) throw new Error("all were worked off before the end: BENCH_SEQUENCE must be greater");
  progress(`${before - left} people meanwhile, ${left} left; ${residentMegabytes(server.pid).toFixed(1)} MB`);
  return p99;
}

/** What a look costs that finds nobody due. */
async function ticks(): Promise<Figure> {
  using manyFolder = dataFolder();
  using emptyFolder = dataFolder();
  await preparePeople(manyFolder.env, WAITING, DAY_MS);
  await prepareData(emptyFolder.env);
  const plan: TicksPlan = { ours: manyFolder.env, theirs: emptyFolder.env };
  const times = await runScript<TicksResult>("sequence-ticks.ts", plan);
  const name = `tick, ${WAITING.toLocaleString("en-US")} wait and nobody is due`;
  return {
    name,
    ...times,
    against: "on an empty file",
    unit: "µs",
    target: { under: 5 },
    note: "medians of 5,000 of each in turn, within one process",
  };
}

async function ourRate(megabytes: number[]): Promise<number> {
  using folder = dataFolder();
  const { sequence_id } = await preparePeople(folder.env, PEOPLE, 0);
  using file = new File(join(folder.path, "posthouse.db"), { readonly: true });
  const recorded = file.prepare<{ events: number | null }, []>("select max(seq) as events from events");
  const before = recorded.get()?.events ?? 0;
  await using server = await startPosthouse(folder);
  let [begun, highest]: [{ at: number; done: number } | undefined, number] = [undefined, 0];
  for (;;) {
    const done = ((recorded.get()?.events ?? 0) - before) / EVENTS;
    const at = performance.now();
    highest = Math.max(highest, residentMegabytes(server.pid));
    if (begun === undefined && done >= PEOPLE * LEAD) begun = { at, done };
    if (begun !== undefined && done >= PEOPLE) {
      checkAll(file, sequence_id);
      megabytes.push(highest);
      return (done - begun.done) / ((at - begun.at) / 1000);
    }
    await wait(POLL_MS);
  }
}

/** Everybody got one message. @throws Error otherwise */
function checkAll(file: File, sequence_id: string): void {
  const query = file.query<{ messages: number; people: number; waiting: number }, [string]>(
    "select count(*) as messages, count(distinct contact_id) as people, (select count(*) from enrollments where sequence_id = ? and why = 'wait') as waiting from messages where status = 'queued'",
  );
  const { messages, people, waiting } = query.get(sequence_id)!;
  if (messages !== PEOPLE || people !== PEOPLE || waiting !== PEOPLE)
    throw new Error(`${messages} messages to ${people} people, ${waiting} of ${PEOPLE} wait`);
}

async function floorRate(): Promise<number> {
  using folder = dataFolder();
  const { env_id, sequence_id } = await preparePeople(folder.env, PEOPLE, 0);
  const plan: FloorPlan = { path: join(folder.path, "posthouse.db"), env_id, sequence_id, people: PEOPLE };
  return PEOPLE / (await runScript<FloorResult>("sequence-floor.ts", plan)).seconds;
}
