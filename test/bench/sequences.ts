import { Database as File } from "bun:sqlite";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { residentMegabytes } from "./memory.ts";
import { dataFolder, ourProgram, startPosthouse } from "./posthouse.ts";
import { runScript } from "./process.ts";
import type { Figure } from "./report.ts";
import { alternate, progress } from "./rounds.ts";
import { preparePeople } from "./sequence-data.ts";
import type { FloorPlan, FloorResult } from "./sequence-floor.ts";

const PEOPLE = Number(process.env["BENCH_SEQUENCE"] ?? 100_000);
const ROUNDS = 3;
/** What is counted begins when this much is done, so that the start is not in it. */
const LEAD = 0.1;
const POLL_MS = 50;
/** Of each person: the message, the step that sent it, and the wait that it has come to. */
const EVENTS = 3;

/** What it takes when many people in a sequence fall due at once. */
export async function sequences(): Promise<Figure[]> {
  return [await rate()];
}

async function rate(): Promise<Figure> {
  const rates = await alternate(ROUNDS, ourRate, floorRate);
  return {
    name: `${PEOPLE.toLocaleString("en-US")} people due at once`,
    ...rates,
    against: "prepared inserts",
    unit: "a second",
    target: { atLeast: 0.3 },
    note: `medians of ${ROUNDS} rounds in turn, ${ourProgram}; against one loop of prepared statements that writes the same rows in as large transactions`,
  };
}

async function ourRate(): Promise<number> {
  using folder = dataFolder();
  const { sequence_id } = await preparePeople(folder.env, PEOPLE, 0);
  await using server = await startPosthouse(folder);
  using file = new File(join(folder.path, "posthouse.db"), { readonly: true });
  const recorded = file.prepare<{ events: number | null }, []>("select max(seq) as events from events");
  const before = recorded.get()?.events ?? 0;
  let [begun, highest]: [{ at: number; done: number } | undefined, number] = [undefined, 0];
  for (;;) {
    const done = ((recorded.get()?.events ?? 0) - before) / EVENTS;
    const at = performance.now();
    highest = Math.max(highest, residentMegabytes(server.pid));
    if (begun === undefined && done >= PEOPLE * LEAD) begun = { at, done };
    if (begun !== undefined && done >= PEOPLE) {
      checkAll(file, sequence_id);
      progress(`at most ${highest.toFixed(1)} MB`);
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
