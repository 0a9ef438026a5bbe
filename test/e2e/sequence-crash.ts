import { Database } from "bun:sqlite";
import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Caller } from "#test/support/client.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, eventually } from "./api.ts";
import { databaseOf, startPosthouse } from "./posthouse.ts";

export interface SequenceCrashFigures {
  rounds: number;
  /** Who was in the middle of a sequence when the program was killed, over all rounds. */
  caught: number;
  messages: number;
  /** Everything that must not be, in words. */
  faults: string[];
  integrity: string;
}

const SANDBOX_ACCOUNT = 7421;
const CONTACTS_A_BATCH = 500;
const TAG = "everybody";
const ENROLLING_MS_MAX = 400;
const DUE_MS = { min: 20, max: 600 };
const REST_MS_MAX = 300_000;
/** Between two looks, so that the key's rate limit lasts and the engine is not told all the time that somebody waits. */
const LOOK_MS = 300;
const SENDS = 2;
const STEPS = 4;

const definition = (round: number) => ({
  name: `Round ${round}`,
  steps: [
    { type: "wait", id: "begin", for: "1h" },
    { type: "send", id: "first", text: "Hey {first_name|there}, one", account_id: SANDBOX_ACCOUNT },
    { type: "wait", id: "pause", for: "1s" },
    { type: "send", id: "second", text: "Hey {first_name|there}, two", account_id: SANDBOX_ACCOUNT },
  ],
});

/**
 * Kills a server again and again while people are let into a new sequence in each round, and while they all fall due in it at
 * once; then looks for the messages of each of them.
 */
export async function sequenceCrash(rounds: number, people: number, report?: (line: string) => void): Promise<SequenceCrashFigures> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(tempFolder());
  let server = stack.use(await startPosthouse({ folder }));
  const key = await server.sandboxKey();
  const caller = async () => (await connect(server)).as(key);
  await addPeople(await caller(), people);
  const sequences: string[] = [];
  let caught = 0;

  async function kill(beforeNextStart?: () => void): Promise<void> {
    await server.stop("SIGKILL");
    beforeNextStart?.();
    server = stack.use(await startPosthouse({ folder }));
  }

  for (let round = 1; round <= rounds; round++) {
    const id = await letIn(await caller(), round);
    sequences.push(id);
    await wait(randomInt(ENROLLING_MS_MAX));
    await kill();
    const api = await caller();
    await eventually(
      "enrolling goes on",
      () => openJobs(api),
      (jobs) => jobs === 0,
      REST_MS_MAX,
    );
    await eventually(
      "some have not begun to wait",
      () => beginningIn(folder, id),
      (left) => left === 0,
      REST_MS_MAX,
    );
    await kill(() => passAnHour(folder, id));
    await wait(randomInt(DUE_MS.min, DUE_MS.max));
    let inIt = 0;
    await kill(() => (inIt = begunIn(folder, id)));
    caught += inIt;
    report?.(`round ${round}: ${inIt} of ${people} were in the middle\n`);
  }

  const api = await caller();
  for (const id of sequences)
    await eventually(
      "people are still in it",
      () => activeIn(api, id),
      (active) => active === 0,
      REST_MS_MAX,
    );
  for (const status of ["queued", "sending"])
    await eventually(
      "messages still wait",
      () => totalOf(api, `/v1/messages?status=${status}`),
      (left) => left === 0,
      REST_MS_MAX,
    );
  const sent = await sentOf(api);
  const counted = async () => (await Promise.all(sequences.map((id) => sentIn(api, id)))).reduce((sum, one) => sum + one, 0);
  await eventually(`what was sent is not counted: ${sent}`, counted, (count) => count === sent, REST_MS_MAX);
  const code = await server.stop();
  if (code !== 0) throw new Error(`it ended with ${code}:\n${server.log().join("\n")}`);
  return { rounds, caught, ...reckon(folder, sequences, people) };
}

async function addPeople(api: Caller, people: number): Promise<void> {
  for (let first = 0; first < people; first += CONTACTS_A_BATCH) {
    const contacts = Array.from({ length: Math.min(CONTACTS_A_BATCH, people - first) }, (_, at) => ({
      ...{ external_id: `person-${first + at}`, username: `person_${first + at}_of_many`, tags: [TAG] },
    }));
    const { status, text } = await api.post("/v1/contacts/batch", { contacts });
    if (status !== 200) throw new Error(`no contacts: ${text}`);
  }
}

/** @returns the id of a new sequence into which everybody is being let */
async function letIn(api: Caller, round: number): Promise<string> {
  const { body, text } = await api.post<{ id: string }>("/v1/sequences", definition(round));
  if (body.id === undefined) throw new Error(`no sequence: ${text}`);
  for (const [verb, ask] of [
    ["activate", undefined],
    ["enroll", { tag: TAG }],
  ] as const) {
    const answer = await api.post(`/v1/sequences/${body.id}/${verb}`, ask);
    if (answer.status >= 300) throw new Error(`${verb}: ${answer.text}`);
  }
  return body.id;
}

/** All who wait in a sequence are due when the program starts next. */
function passAnHour(folder: string, sequence_id: string): void {
  using file = new Database(databaseOf(folder));
  file.query("UPDATE enrollments SET due_at = ? WHERE sequence_id = ? AND why = 'wait'").run(Date.now(), sequence_id);
}

/** Who was let into a sequence, and does not wait yet. */
async function beginningIn(folder: string, sequence_id: string): Promise<number> {
  await wait(LOOK_MS);
  using file = new Database(databaseOf(folder), { readonly: true });
  const query = file.query<{ n: number }, [string]>("SELECT count(*) AS n FROM enrollments WHERE sequence_id = ? AND why = 'due'");
  return query.get(sequence_id)!.n;
}

/** Who has had the first message of a sequence, and not the second. */
function begunIn(folder: string, sequence_id: string): number {
  using file = new Database(databaseOf(folder));
  const query = file.query<{ n: number }, [string]>("SELECT count(*) AS n FROM enrollments WHERE sequence_id = ? AND step = 'pause'");
  return query.get(sequence_id)!.n;
}

type Total = { total: number };

async function totalOf(api: Caller, path: string): Promise<number> {
  await wait(LOOK_MS);
  const { status, body } = await api.get<Total>(`${path}&limit=1`);
  return status === 429 ? totalOf(api, path) : body.total;
}

const activeIn = (api: Caller, id: string) => totalOf(api, `/v1/sequences/${id}/enrollments?status=active`);
const openJobs = async (api: Caller) => (await totalOf(api, "/v1/jobs?status=queued")) + (await totalOf(api, "/v1/jobs?status=running"));
const sentOf = (api: Caller) => totalOf(api, "/v1/messages?status=sent");

async function sentIn(api: Caller, id: string): Promise<number> {
  await wait(LOOK_MS);
  const { status, body } = await api.get<{ sent: number }>(`/v1/sequences/${id}/statistics`);
  return status === 429 ? sentIn(api, id) : body.sent;
}

interface Row {
  what: string;
  n: number;
}

/** Reads what a server has left. Only when none runs. */
function reckon(folder: string, sequences: readonly string[], people: number) {
  using file = new Database(databaseOf(folder), { readonly: true });
  const rows = (sql: string) => file.query(sql).all() as Row[];
  const messages = rows(
    "SELECT contact_id || ' ' || substr(origin, 1, length(origin) - 31) AS what, count(*) AS n FROM messages GROUP BY 1",
  );
  const steps = rows(
    "SELECT json_extract(data, '$.enrollment_id') || ' ' || json_extract(data, '$.step') AS what, count(*) AS n FROM events WHERE type = 'sequence.step' GROUP BY 1",
  );
  const queued = rows("SELECT subject AS what, count(*) AS n FROM events WHERE type = 'message.queued' GROUP BY 1");
  const enrollments = rows("SELECT status AS what, count(*) AS n FROM enrollments GROUP BY 1");
  const counts = rows(
    "SELECT subject_id || ' ' || step || ' ' || what AS what, sum(n) AS n FROM automation_counts WHERE what IN ('entered', 'reached', 'completed') GROUP BY 1",
  );
  const all = sequences.length * people;
  const expect = (name: string, found: readonly Row[], length: number, each: number) => [
    ...found.filter(({ n }) => n !== each).map(({ what, n }) => `${name} ${what}: ${n}`),
    ...(found.length === length ? [] : [`${name}: ${found.length} instead of ${length}`]),
  ];
  return {
    messages: messages.reduce((sum, { n }) => sum + n, 0),
    faults: [
      ...expect("message", messages, all * SENDS, 1),
      ...expect("step", steps, all * STEPS, 1),
      ...expect("message.queued", queued, all * SENDS, 1),
      ...expect("enrollments", enrollments, 1, all),
      // Entered and completed of the whole, and each of the steps reached.
      ...expect("count", counts, sequences.length * (STEPS + 2), people),
    ],
    integrity: (file.query("PRAGMA integrity_check").get() as { integrity_check: string }).integrity_check,
  };
}

if (import.meta.main) {
  const [rounds, people] = [Number(process.argv[2] ?? 50), Number(process.argv[3] ?? 2_000)];
  const figures = await sequenceCrash(rounds, people, (line) => process.stderr.write(line));
  process.stdout.write(`${JSON.stringify({ ...figures, faults: figures.faults.slice(0, 20), faulty: figures.faults.length }, null, 2)}\n`);
  process.exitCode = figures.faults.length === 0 && figures.integrity === "ok" ? 0 : 1;
}
