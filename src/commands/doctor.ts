import type { Command } from "commander";
import { systemClock } from "#src/core/clock.ts";
import { type Config, ConfigError } from "#src/config.ts";
import { createCommand, ExitError, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { checkDatabase } from "./doctor-database.ts";
import { checkDataFolder, checkDiskSpace, checkPort, checkSecret, checkTls } from "./doctor-host.ts";
import { checkClock, checkTelegram } from "./doctor-telegram.ts";
import { loadSettings, settingOptions, type SettingFlags } from "./settings-options.ts";

/** What a look at one thing gave. `advice` says what to do about it. */
export interface Check {
  name: string;
  status: "ok" | "warning" | "failed";
  found: string;
  advice?: string;
}

export function doctorCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Check the settings, the disk, the database, the clock and the way to Telegram, and say what to do.",
    details: "Changes nothing. Exits with 1 when something failed.",
    examples: ["doctor", "doctor --data-dir /var/lib/posthouse", "doctor --json"],
  };
  const command = createCommand(terminal, "doctor", texts).addOption(jsonOption());
  for (const option of settingOptions()) command.addOption(option);
  return command.action(async (flags: SettingFlags & JsonFlag) => {
    const checks = await examine(terminal, flags);
    const failed = checks.filter(({ status }) => status === "failed").length;
    printResult(terminal, flags, { healthy: failed === 0, checks }, () => checks.map(renderCheck).join("\n"));
    if (failed > 0) throw new ExitError("");
  });
}

async function examine(terminal: Terminal, flags: SettingFlags): Promise<Check[]> {
  const settings = checkSettings(terminal, flags);
  if (settings.config === undefined) return settings.checks;
  const { config } = settings;
  const telegram = await checkTelegram(config);
  return [
    ...settings.checks,
    checkDataFolder(config),
    checkDiskSpace(config),
    checkSecret(config),
    ...(await checkDatabase(config)),
    checkClock(systemClock.now(), telegram.date),
    telegram.check,
    ...checkTls(config),
    await checkPort(config),
  ];
}

/** Without settings nothing else can be looked at. */
function checkSettings(terminal: Terminal, flags: SettingFlags): { checks: Check[]; config?: Config } {
  try {
    return { config: loadSettings(terminal, flags), checks: [{ name: "settings", status: "ok", found: "all are acceptable" }] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const checks = error.faults.map((found) => ({
      name: "settings",
      status: "failed" as const,
      found,
      advice: "correct it, and run this again",
    }));
    return { checks };
  }
}

const signs = { ok: "✓", warning: "!", failed: "✗" };

function renderCheck({ name, status, found, advice }: Check): string {
  const line = `${signs[status]} ${name}: ${found}`;
  return advice === undefined ? line : `${line}\n    → ${advice}`;
}
