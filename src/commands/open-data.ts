import type { Option } from "commander";
import type { Database } from "#db/database.ts";
import { systemClock } from "#src/core/clock.ts";
import { createLog, type Log } from "#src/core/log.ts";
import type { Config } from "#src/config.ts";
import { makeDataFolder, readOrMakeSecret } from "#src/data-folder.ts";
import { lockDataFolder } from "#src/serve-lock.ts";
import { openServices } from "#src/server.ts";
import type { Services } from "#src/services.ts";
import type { Terminal } from "./command.ts";
import { gatherLines } from "./log-lines.ts";
import { loadSettings, settingOptions, type SettingFlags } from "./settings-options.ts";

/** What a command works on: the same data as `serve`, which may run beside it. */
export interface Data {
  config: Config;
  db: Database;
  services: Services;
}

/** The flags that say which data a command works on. */
export const dataOptions = (): Option[] => settingOptions("dataDir", "databaseUrl");

/**
 * Opens the data, does the work and closes them. A `serve` beside sees what was done: the services ring its bell.
 * @throws ConfigError, DataFolderError, NewerDatabaseError, and whatever the work throws
 */
export async function withData<T>(terminal: Terminal, flags: SettingFlags, work: (data: Data) => Promise<T>): Promise<T> {
  const config = loadSettings(terminal, flags);
  const log = stderrLog(terminal, { ...config, log_level: "warn" });
  prepareDataFolder(config);
  const { db, services, close } = await openServices(config, secretOf(config, log), log, () => lockDataFolder(config.data_dir));
  try {
    return await work({ config, db, services });
  } finally {
    await close();
  }
}

/** From here on, whatever this process makes is for its owner alone. @throws DataFolderError */
export function prepareDataFolder({ data_dir }: Config): void {
  process.umask(0o077);
  makeDataFolder(data_dir);
}

export function secretOf({ secret, data_dir }: Config, log: Log): string {
  return secret ?? readOrMakeSecret(data_dir, log);
}

export function stderrLog(terminal: Terminal, { log_level, log_format }: Pick<Config, "log_level" | "log_format">): Log {
  return createLog({
    level: log_level,
    format: log_format,
    now: () => systemClock.now(),
    write: gatherLines(terminal.err),
  });
}
