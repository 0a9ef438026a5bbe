import { Database as File } from "bun:sqlite";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { COMMON_TAG, csvOfPeople, FIELD, personOf, RARE_TAG } from "#test/support/people.ts";
import { type Api, apiAt, bytesOf, timed } from "./api.ts";
import type { FloorPlan, FloorResult } from "./contacts-floor.ts";
import { prepareData } from "./data.ts";
import { p99Of, PLAN } from "./latency.ts";
import { residentMegabytes } from "./memory.ts";
import { dataFolder, type Folder, ourProgram, startPosthouse } from "./posthouse.ts";
import { run, runScript } from "./process.ts";
import type { Figure, Skipped } from "./report.ts";
import { alternate, median, progress } from "./rounds.ts";

const MANY = Number(process.env["BENCH_CONTACTS"] ?? 1_000_000);
const FEW = 1_000;
const PAGE = 50;
/** The page of the many that a cursor is followed to; of the few the one in their middle. */
const DEEP_PAGE = MANY / PAGE / 2;
/** Of each kind of request, in turn on both. */
const ASKS = 200;
const EXPORTS = 3;
const LATENCY_ROUNDS = 3;
const LONG_IMPORT = 200_000;
const MEMORY_MB_MAX = 200;

interface Server {
  port: number;
  pid: number;
  key: string;
  api: Api;
  env_id: number;
  folder: Folder;
}

/** What a million contacts cost: requests against those on a thousand, imports and exports against what bare SQLite does. */
export async function contacts(): Promise<(Figure | Skipped)[]> {
  using manyFolder = dataFolder();
  using fewFolder = dataFolder();
  await using many = await startOn(manyFolder);
  await using few = await startOn(fewFolder);
  const idle = residentMegabytes(many.pid);
  const imported = await watched(many, () => importPeople(many, 0, MANY));
  progress(`${MANY} imported in ${(imported.ms / 1000).toFixed(1)} s`);
  await importPeople(few, 0, FEW);
  const floor = await floorOf(many.env_id);
  progress(`the floor took ${floor.seconds.toFixed(1)} s`);
  const answers = await answersOf(many, few);
  const exported = await watched(many, () => exportsOf(many));
  const growth = (name: string, megabytes: number): Figure => ({
    name: `memory of ${name}`,
    ours: megabytes - idle,
    theirs: MEMORY_MB_MAX,
    against: "allowed above idle",
    unit: "MB",
    target: { under: 1 },
  });
  return [
    ...answers,
    {
      name: `import of ${MANY.toLocaleString("en-US")}`,
      ours: (MANY / imported.ms) * 1000,
      theirs: MANY / floor.seconds,
      against: "bare inserts",
      unit: "rows/s",
      target: { atLeast: 0.3 },
      note: `from the first byte of the upload to the end of the job; against one loop of prepared inserts into the same tables, ${ourProgram}`,
    },
    ...exported.value,
    growth("an import", imported.megabytes),
    growth("an export", exported.megabytes),
    ...(await latencies(many)),
  ];
}

async function startOn(folder: Folder): Promise<Server & AsyncDisposable> {
  const { key, env_id } = await prepareData(folder.env);
  const server = await startPosthouse(folder);
  const api = apiAt(server.port, key);
  await api.post("/v1/fields", FIELD);
  return { ...server, key, env_id, folder, api };
}

/** The file of some people, beside the data. */
async function fileOf({ folder }: Server, first: number, count: number): Promise<string> {
  const path = join(folder.path, `people-${first}.csv`);
  await pipeline(Readable.from(csvOfPeople(first, count)), createWriteStream(path));
  return path;
}

/** @returns milliseconds from the first byte to the end of the job */
async function importPeople(server: Server, first: number, count: number): Promise<number> {
  const path = await fileOf(server, first, count);
  const startedAt = performance.now();
  const { id } = await beginImport(server, path);
  for (;;) {
    const { status, result } = await server.api.get<{ status: string; result: { created: number } | null }>(`/v1/jobs/${id}`);
    if (status === "done" && result?.created === count) return performance.now() - startedAt;
    if (status !== "queued" && status !== "running") throw new Error(`the import is ${status}: ${JSON.stringify(result)}`);
    await wait(100);
  }
}

function beginImport({ api }: Server, path: string): Promise<{ id: string }> {
  return api.upload("/v1/imports?kind=contacts&mode=upsert", path, "text/csv");
}

/** @returns what it took, and the most memory that the server had meanwhile */
async function watched<T>({ pid }: Server, work: () => Promise<T>): Promise<{ value: T; ms: number; megabytes: number }> {
  let megabytes = 0;
  const timer = setInterval(() => (megabytes = Math.max(megabytes, residentMegabytes(pid))), 100);
  try {
    const { value, ms } = await timed(work);
    return { value, ms: typeof value === "number" ? value : ms, megabytes };
  } finally {
    clearInterval(timer);
  }
}

/** One loop of prepared inserts of as many contacts into the tables and indexes that a server makes. */
async function floorOf(env_id: number): Promise<FloorResult> {
  using folder = dataFolder();
  await prepareData(folder.env);
  const path = join(folder.path, "posthouse.db");
  return await runScript<FloorResult>("contacts-floor.ts", { path, env_id, count: MANY } satisfies FloorPlan);
}

/** Each kind of request on many and on few contacts in turn. */
async function answersOf(many: Server, few: Server): Promise<Figure[]> {
  const [deep, shallow] = [await cursorOf(many, DEEP_PAGE), await cursorOf(few, FEW / PAGE / 2)];
  const segment = { filter: { and: [{ tag: RARE_TAG }, { field: FIELD.key, op: "equals", value: FIELD.options[0] }] } };
  const kinds: { name: string; under: number; ask(server: Server, at: number): Promise<unknown> }[] = [
    { name: "get", under: 2, ask: ({ api, folder }, at) => api.get(`/v1/contacts/${1 + numberOf(folder === many.folder, at)}`) },
    {
      name: "upsert",
      under: 2,
      ask({ api, folder }, at) {
        const { external_id } = personOf(numberOf(folder === many.folder, at));
        return api.post("/v1/contacts", { external_id, metadata: { at: String(at) } });
      },
    },
    { name: "cursor page", under: 2, ask: ({ api, folder }) => api.get(page(folder === many.folder ? deep : shallow)) },
    { name: "list by a tag", under: 5, ask: ({ api }) => api.get(`/v1/contacts?tag=${RARE_TAG}&limit=${PAGE}`) },
    { name: "list by a common tag", under: 5, ask: ({ api }) => api.get(`/v1/contacts?tag=${COMMON_TAG}&limit=${PAGE}`) },
    {
      name: "word search",
      under: 5,
      ask: ({ api }, at) => api.get(`/v1/contacts?search=${encodeURIComponent(`соколова${at % 1_000}`)}&limit=${PAGE}`),
    },
    // Members are counted up to 10,000 of them, of which the few have ten.
    { name: "segment count", under: 20, ask: ({ api }) => api.post("/v1/segments/preview", segment) },
  ];
  const figures: Figure[] = [];
  for (const { name, under, ask } of kinds) {
    const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
    for (let at = 0; at < ASKS; at++) {
      times.ours.push((await timed(() => ask(many, at))).ms);
      times.theirs.push((await timed(() => ask(few, at))).ms);
    }
    const medians = { ours: median(times.ours), theirs: median(times.theirs) };
    progress(`${name}: ${medians.ours.toFixed(2)} against ${medians.theirs.toFixed(2)} ms`);
    figures.push({ name, ...medians, against: `with ${FEW.toLocaleString("en-US")}`, unit: "ms", target: { under } });
  }
  return figures;
}

/** Spread over all that there are. */
const numberOf = (isMany: boolean, at: number): number => (at * 7_919) % (isMany ? MANY : FEW);

const page = (cursor: string) => `/v1/contacts?limit=${PAGE}&cursor=${cursor}`;

/** The cursor that leads to a page, found as a client finds it. */
async function cursorOf({ api }: Server, number: number): Promise<string> {
  let { next_cursor } = await api.get<{ next_cursor: string }>(`/v1/contacts?limit=${PAGE}`);
  for (let at = 2; at < number; at++) ({ next_cursor } = await api.get<{ next_cursor: string }>(page(next_cursor)));
  return next_cursor;
}

async function exportsOf(many: Server): Promise<(Figure | Skipped)[]> {
  const name = `export of ${MANY.toLocaleString("en-US")}`;
  if (Bun.which("sqlite3") === null) return [{ name, reason: "sqlite3 is not here: apt-get install sqlite3" }];
  const path = join(many.folder.path, "posthouse.db");
  const rows = new File(path, { readonly: true });
  const columns = rows
    .query<{ name: string }, []>(
      "select name from pragma_table_info('contacts') where name not in ('row', 'env_id', 'sort_name', 'deleted_at')",
    )
    .all();
  rows.close();
  const query = `select ${columns.map((column) => column.name).join(",")} from contacts where env_id = ${many.env_id} and deleted_at is null order by row`;
  const rates = await alternate(
    EXPORTS,
    async () => (MANY / (await timed(() => bytesOf(many, "/v1/contacts/export"))).ms) * 1000,
    async () => (MANY / (await timed(() => run(["sh", "-c", 'sqlite3 -csv "$0" "$1" | cat > /dev/null', path, query]))).ms) * 1000,
  );
  const note = `as CSV over HTTP, medians of ${EXPORTS} in turn`;
  return [{ name, ...rates, against: "sqlite3 -csv", unit: "rows/s", target: { atLeast: 0.5 }, note }];
}

/** p99 of sends at a fixed rate while a server imports or exports, against what it is when it does nothing else. */
async function latencies(many: Server): Promise<Figure[]> {
  let first = MANY;
  const works: { name: string; begin(): Promise<() => Promise<unknown>> }[] = [
    {
      name: "an import",
      async begin() {
        // Each time of people who are not here yet, and more than can be taken in meanwhile.
        const path = await fileOf(many, first, LONG_IMPORT);
        first += LONG_IMPORT;
        const { id } = await beginImport(many, path);
        return () => many.api.post(`/v1/jobs/${id}/cancel`, {});
      },
    },
    {
      name: "an export",
      begin() {
        const state = { isOver: false };
        const going = (async () => {
          while (!state.isOver) await bytesOf(many, "/v1/contacts/export", () => state.isOver);
        })();
        return Promise.resolve(() => {
          state.isOver = true;
          return going;
        });
      },
    },
  ];
  const p99 = () => p99Of({ ...PLAN, port: many.port, key: many.key });
  const figures: Figure[] = [];
  for (const { name, begin } of works) {
    const times = await alternate(
      LATENCY_ROUNDS,
      async () => {
        const end = await begin();
        const during = await p99();
        await end();
        return during;
      },
      p99,
    );
    const note = `p99 at ${PLAN.rate} sends a second, medians of ${LATENCY_ROUNDS} rounds in turn`;
    figures.push({ name: `p99 during ${name}`, ...times, against: "alone", unit: "ms", target: { under: 3 }, note });
  }
  return figures;
}
