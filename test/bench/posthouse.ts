import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "#test/support/executable.ts";
import { SECRET } from "./data.ts";
import { answers, type Child, freePort, start, until } from "./process.ts";

/** Whether the sources are run instead of the executable: for profiling. */
const fromSource = process.env["BENCH_FROM"] === "source";

/** What of ours is measured, for the table. */
export const ourProgram = fromSource ? "run from its sources" : "dist/posthouse";

async function ourCommand(): Promise<string[]> {
  return fromSource ? [process.execPath, join(import.meta.dir, "..", "..", "src", "main.ts"), "serve"] : [await executable(), "serve"];
}

export interface Folder extends Disposable {
  readonly path: string;
  /** The settings of a server on this folder. */
  readonly env: Record<string, string>;
}

/** A data folder that goes with the scope. @param database_url another database than the file in it */
export function dataFolder(database_url?: string): Folder {
  const path = mkdtempSync(join(tmpdir(), "posthouse-bench-"));
  return {
    path,
    env: { DATA_DIR: path, POSTHOUSE_SECRET: SECRET, ...(database_url === undefined ? {} : { DATABASE_URL: database_url }) },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Starts Posthouse as its users do, in a process of its own, and waits until it serves. */
export async function startPosthouse({ path, env }: Folder): Promise<Child & { port: number }> {
  const port = await freePort();
  const child = start(await ourCommand(), { env: { ...env, PORT: String(port) }, logFile: join(path, "log") });
  await until("a start of Posthouse", () => answers(`http://127.0.0.1:${port}/ready`), 20);
  return { ...child, port };
}
