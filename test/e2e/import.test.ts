import { Database } from "bun:sqlite";
import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { executable } from "#test/support/executable.ts";
import type { ImportTask } from "#test/support/importing.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { eventually } from "./api.ts";
import { databaseOf, startPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

const ROWS = 6_000;
const KILLS = 6;
const LOOK_EVERY_MS = 40;
const UPLOAD_BYTES = 150 * 1024 * 1024;
const GROWTH_BYTES_MAX = 120 * 1024 * 1024;

interface Place {
  url: string;
}

async function upload({ url }: Place, key: string, body: string | ReadableStream<Uint8Array>, query: string): Promise<ImportTask> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "text/csv" };
  const answer = await fetch(`${url}/v1/imports?kind=contacts&${query}`, { method: "POST", headers, body });
  if (answer.status !== 202) throw new Error(await answer.text());
  return (await answer.json()) as ImportTask;
}

async function jobOf({ url }: Place, key: string, id: string): Promise<ImportTask> {
  return (await (await fetch(`${url}/v1/jobs/${id}`, { headers: { authorization: `Bearer ${key}` } })).json()) as ImportTask;
}

/** Of all memory that is resident. */
function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

test("kill -9 in the middle of an import loses no row, and makes none twice", async () => {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(tempFolder());
  let server = stack.use(await startPosthouse({ folder }));
  const key = await server.sandboxKey();
  const rows = Array.from({ length: ROWS }, (_, at) => `u${at},Person ${at},${at % 100 === 0 ? "nonsense" : `p${at}@example.com`},a;b`);
  const { id } = await upload(server, key, `external_id,name,email,tags\r\n${rows.join("\r\n")}\r\n`, "mode=create");
  const doneAtKills = new Set<number>();
  for (let kill = 0; kill < KILLS; kill++) {
    await wait(LOOK_EVERY_MS);
    await server.stop("SIGKILL");
    using file = new Database(databaseOf(folder), { readonly: true });
    doneAtKills.add((file.query("select done from tasks").get() as { done: number }).done);
    server = stack.use(await startPosthouse({ folder }));
  }
  const task = await eventually(
    "the import does not end",
    () => jobOf(server, key, id),
    ({ status }) => status === "done",
    30_000,
  );
  const failed = ROWS / 100;
  expect(task).toMatchObject({ progress: { done: ROWS, total: ROWS }, result: { created: ROWS - failed, updated: 0, skipped: 0, failed } });
  expect([...doneAtKills].filter((done) => done > 0 && done < ROWS).length).toBeGreaterThan(0);
  expect(await server.stop()).toBe(0);
  using file = new Database(databaseOf(folder), { readonly: true });
  const count = (sql: string) => Object.values(file.query(sql).get() as Record<string, number>)[0];
  expect(count("select count(distinct external_id) from contacts")).toBe(ROWS - failed);
  expect(count("select count(*) from contacts")).toBe(ROWS - failed);
  expect(count("select max(number) from contacts")).toBe(ROWS - failed);
  expect(count("select count(*) from contact_tags")).toBe(2 * (ROWS - failed));
  expect(count("select value from tallies where name = 'contacts'")).toBe(ROWS - failed);
  expect(count("select count(*) from import_failures")).toBe(failed);
  expect(count("select count(*) from import_chunks")).toBe(0);
  expect(count("select count(*) from events where type = 'job.completed'")).toBe(1);
}, 120_000);

test("a file of 150 MiB is taken in without being held in memory", async () => {
  await using server = await startPosthouse();
  const key = await server.sandboxKey();
  const row = new TextEncoder().encode(`nobody,${"x".repeat(100)}\n`.repeat(600));
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= UPLOAD_BYTES) return controller.close();
      controller.enqueue(sent === 0 ? new TextEncoder().encode("external_id,name\n") : row);
      sent += row.byteLength;
    },
  });
  const idle = residentBytes(server.pid);
  let peak = idle;
  const watch = setInterval(() => (peak = Math.max(peak, residentBytes(server.pid))), 10);
  const { id } = await upload(server, key, body, "mode=update");
  clearInterval(watch);
  expect(peak - idle).toBeLessThan(GROWTH_BYTES_MAX);
  const canceled = await fetch(`${server.url}/v1/jobs/${id}/cancel`, { method: "POST", headers: { authorization: `Bearer ${key}` } });
  expect(canceled.status).toBe(200);
}, 60_000);
