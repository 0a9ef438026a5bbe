import { Database as File, type SQLQueryBindings } from "bun:sqlite";
import { type CsvColumn, type CsvPart, writeCsv } from "#src/core/csv.ts";

/** What the main thread asks of a side thread: checkpoints, and reads that would hold it up. */
export type SideRequest =
  | { id: number; kind: "open"; path: string; busyMs: number }
  | { id: number; kind: "checkpoint"; mode: CheckpointMode }
  | { id: number; kind: "query"; sql: string; parameters: unknown[] }
  | { id: number; kind: "csv"; sql: string; parameters: unknown[]; columns: readonly CsvColumn[] }
  | { id: number; kind: "close" };

/** PASSIVE moves what nobody holds back; RESTART also waits for readers and writers, so that the next write begins the log anew. */
export type CheckpointMode = "PASSIVE" | "RESTART";

export type SideAnswer = { id: number; value: unknown } | { id: number; error: { message: string; code: string } };

declare const self: Worker;

let file: File | undefined;

function handle(request: SideRequest): unknown {
  if (request.kind === "open") {
    file = new File(request.path, { readwrite: true });
    file.run(`PRAGMA busy_timeout = ${request.busyMs}`);
    file.run("PRAGMA synchronous = FULL");
    file.run("PRAGMA cache_size = -1000");
    return null;
  }
  if (file === undefined) throw new Error("the side thread has no open file");
  if (request.kind === "checkpoint") return file.query(`PRAGMA wal_checkpoint(${request.mode})`).get();
  if (request.kind === "query") return file.query(request.sql).all(...(request.parameters as SQLQueryBindings[]));
  if (request.kind === "csv")
    return writeCsv(file.query(request.sql).values(...(request.parameters as SQLQueryBindings[])), request.columns);
  file.close();
  file = undefined;
  return null;
}

function plain(error: unknown): { message: string; code: string } {
  if (!(error instanceof Error)) return { message: String(error), code: "" };
  return { message: error.message, code: "code" in error ? String(error.code) : "" };
}

self.addEventListener("message", (event: MessageEvent<SideRequest>) => {
  const { id } = event.data;
  try {
    const value = handle(event.data);
    postMessage({ id, value } satisfies SideAnswer, event.data.kind === "csv" ? [(value as CsvPart).bytes.buffer] : []);
  } catch (error) {
    postMessage({ id, error: plain(error) } satisfies SideAnswer);
  }
});
