import type { CsvColumn, CsvPart } from "#src/core/csv.ts";
import type { CheckpointMode, SideAnswer, SideRequest } from "./worker.ts";

/** A thread with a connection of its own, started when it is first asked for something, and again when it has died. */
export interface SideThread {
  checkpoint(mode: CheckpointMode): Promise<void>;
  query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]>;
  csv(sql: string, parameters: readonly unknown[], columns: readonly CsvColumn[]): Promise<CsvPart>;
  close(): Promise<void>;
}

type Question = SideRequest extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;
type Ask = (question: Question) => Promise<unknown>;

/** In an executable the bundle's modules lie flat, and a worker under its path from the root of the sources. */
const workerUrl = new URL(Bun.isStandaloneExecutable ? "./db/sqlite/worker.ts" : "./worker.ts", import.meta.url).href;

/** @param busyMs how long a statement waits for others on the file */
export function createSideThread(path: string, busyMs: number): SideThread {
  let running: { ask: Ask; opened: Promise<unknown>; end: () => void } | undefined;

  async function ask(question: Question): Promise<unknown> {
    const thread = (running ??= start());
    await thread.opened;
    return thread.ask(question);
  }

  function start() {
    const thread = startThread(() => {
      if (running?.ask === thread.ask) running = undefined;
    });
    const opened = thread.ask({ kind: "open", path, busyMs });
    // A thread that could not open the file is of no use: the next question starts another one.
    opened.catch(thread.end);
    return { ...thread, opened };
  }

  return {
    async checkpoint(mode) {
      await ask({ kind: "checkpoint", mode });
    },
    query: async <Row>(sql: string, parameters: readonly unknown[]) =>
      (await ask({ kind: "query", sql, parameters: [...parameters] })) as Row[],
    csv: async (sql, parameters, columns) => (await ask({ kind: "csv", sql, parameters: [...parameters], columns })) as CsvPart,
    async close() {
      const thread = running;
      if (thread === undefined) return;
      try {
        await thread.opened;
        await thread.ask({ kind: "close" });
      } finally {
        thread.end();
      }
    },
  };
}

/** @param onEnd is called when the thread runs no more, for whatever reason */
function startThread(onEnd: () => void): { ask: Ask; end: () => void } {
  const worker = new Worker(workerUrl);
  worker.unref();
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let ended = false;

  function end(reason = "it was closed"): void {
    if (ended) return;
    ended = true;
    for (const asker of waiting.values()) asker.reject(new Error(`the database's side thread ended: ${reason}`));
    waiting.clear();
    worker.terminate();
    onEnd();
  }

  worker.addEventListener("message", (event: MessageEvent<SideAnswer>) => {
    const answer = event.data;
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ("error" in answer) asker?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
    else asker?.resolve(answer.value);
  });
  worker.addEventListener("error", (event) => end(event.message));
  worker.addEventListener("close", () => end("it stopped"));

  return {
    end: () => end(),
    ask(question) {
      if (ended) return Promise.reject(new Error("the database's side thread has ended"));
      return new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ id, ...question });
      });
    },
  };
}
