import { silentLog } from "#src/core/log.ts";
import { loadConfig } from "#src/config.ts";
import { makeDataFolder, readOrMakeSecret } from "#src/data-folder.ts";
import { makeFirstWorkspace } from "#src/commands/first-start.ts";
import { type RunningServer, startServer } from "#src/server.ts";
import { tempFolder } from "./temp-folder.ts";
import { type Ran, runCommand } from "./terminal.ts";

/** Command lines on a data folder of their own: `using at = commandLine()`. */
export interface CommandLine extends Disposable {
  readonly dataDir: string;
  run(...argv: string[]): Promise<Ran>;
  /** Runs it with --json. @throws Error when it fails, or prints something else beside the document */
  json<T = Record<string, unknown>>(...argv: string[]): Promise<T>;
  /** A server on the same data, in this process. @param port by default a free one */
  serve(port?: number): Promise<RunningServer & AsyncDisposable>;
}

export function commandLine(): CommandLine {
  const folder = tempFolder();
  const env = { DATA_DIR: `${folder.path}/data`, TELEGRAM_API_ROOT: "http://127.0.0.1:9" };
  const run = (...argv: string[]) => runCommand(argv, env);
  return {
    dataDir: env.DATA_DIR,
    run,
    async json<T>(...argv: string[]) {
      const { code, out, err } = await run(...argv, "--json");
      if (code !== 0) throw new Error(`${argv.join(" ")} ends with ${code}: ${err}`);
      return JSON.parse(out) as T;
    },
    async serve(port = 0) {
      const config = loadConfig({ env: { ...env, PORT: String(port) }, flags: {}, isTerminal: false });
      makeDataFolder(config.data_dir);
      const server = await startServer(config, readOrMakeSecret(config.data_dir, silentLog), silentLog);
      await makeFirstWorkspace(server);
      return { ...server, [Symbol.asyncDispose]: () => server.stop() };
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
