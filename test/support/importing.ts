import type { Task } from "#src/modules/tasks/model.ts";
import type { Answer, Caller } from "./client.ts";
import type { TestApp } from "./app.ts";

interface ImportResult {
  created: number;
  updated: number;
  unchanged: number;
  skipped: number;
  failed: number;
  report?: string;
  sample?: string;
}

export type ImportTask = Omit<Task, "result"> & { result: ImportResult | null; code?: string; message?: string };

const types = { csv: "text/csv", ndjson: "application/x-ndjson" };

/** Sends a file. @param query such as `mode=upsert` */
export function sendImport(
  app: Pick<TestApp, "client">,
  { key }: Pick<Caller, "key">,
  file: string | Uint8Array | ReadableStream<Uint8Array>,
  query: string,
  format: "csv" | "ndjson" = "csv",
  headers: Record<string, string> = {},
): Promise<Answer<ImportTask>> {
  const all = { authorization: `Bearer ${key}`, "content-type": types[format], ...headers };
  return app.client.send<ImportTask>(
    new Request(`http://localhost/v1/imports?kind=contacts&${query}`, { method: "POST", headers: all, body: file }),
  );
}

/** Imports a file. @returns the job once it has ended */
export async function runImport(
  app: TestApp,
  caller: Caller,
  file: string | Uint8Array,
  query = "mode=upsert",
  format: "csv" | "ndjson" = "csv",
): Promise<ImportTask> {
  const { status, body, text } = await sendImport(app, caller, file, query, format);
  if (status !== 202) throw new Error(`${status}: ${text}`);
  await app.settled();
  return (await caller.get<ImportTask>(`/v1/jobs/${body.id}`)).body;
}
