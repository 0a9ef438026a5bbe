import { join } from "node:path";
import type { Command } from "commander";
import { migrate, readSchemaVersion } from "#db/migrate.ts";
import { openDatabase } from "#db/open.ts";
import { systemClock } from "#src/core/clock.ts";
import type { Config } from "#src/config.ts";
import { lockDataFolder } from "#src/serve-lock.ts";
import { createCommand, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { dataOptions, prepareDataFolder, stderrLog } from "./open-data.ts";
import { loadSettings, type SettingFlags } from "./settings-options.ts";

export function migrateCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Bring the database to the schema of this executable. serve does it by itself when it starts.",
    details: "Copies a SQLite file that holds data into the data folder first. Refuses while a serve runs on the data folder.",
    examples: ["migrate", "migrate --data-dir /var/lib/posthouse"],
  };
  const command = createCommand(terminal, "migrate", texts);
  for (const option of [jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action(async (flags: SettingFlags & JsonFlag) => {
    const config = loadSettings(terminal, flags);
    prepareDataFolder(config);
    const unlock = lockDataFolder(config.data_dir);
    try {
      const { applied, schema } = await migrateAll(terminal, config);
      printResult(
        terminal,
        flags,
        { applied, schema },
        () => `schema ${schema}: ${applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`}`,
      );
    } finally {
      unlock();
    }
  });
}

async function migrateAll(terminal: Terminal, config: Config): Promise<{ applied: string[]; schema: number }> {
  const db = openDatabase(config.database_url, stderrLog(terminal, config));
  try {
    const now = systemClock.now();
    const applied = await migrate(db, { now, backupPath: (from) => join(config.data_dir, `before-schema-${from + 1}-${now}.db`) });
    return { applied, schema: await readSchemaVersion(db) };
  } finally {
    await db.close();
  }
}
