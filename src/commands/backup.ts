import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { backupSqlite } from "#db/migrate.ts";
import { secretKeyPath } from "#src/data-folder.ts";
import { createCommand, ExitError, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";

export function backupCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Copy the SQLite database, as it is at this moment, into one compact file. serve may run beside it.",
    details: "The secret key is not in it: without that the bots' tokens in it can't be opened.",
    examples: ["backup posthouse-backup.db", "backup /mnt/backups/posthouse.db --json"],
  };
  const command = createCommand(terminal, "backup", texts).argument("<file>", "where the copy goes; it must not be there yet");
  for (const option of [jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((file: string, flags: SettingFlags & JsonFlag) =>
    withData(terminal, flags, async ({ db, config }) => {
      if (db.engine !== "sqlite")
        throw new ExitError("this database is PostgreSQL's: use pg_dump, and keep POSTHOUSE_SECRET or the secret key with it");
      const path = resolve(file);
      await backupSqlite(db, path);
      const bytes = statSync(path).size;
      printResult(terminal, flags, { file: path, bytes }, () => `wrote ${path}, ${(bytes / 1024 ** 2).toFixed(1)} MiB`);
      if (config.secret === null) terminal.err(`Keep ${secretKeyPath(config.data_dir)} too: it opens the tokens in the copy.\n`);
    }),
  );
}
