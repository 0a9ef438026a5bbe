import { Option } from "commander";
import { type Config, loadConfig } from "#src/config.ts";
import { type SettingKey, settings } from "#src/settings.ts";
import type { Terminal } from "./command.ts";

export type SettingFlags = Partial<Record<SettingKey, string>>;

const keys = Object.keys(settings) as SettingKey[];

/** The flags of all settings that may stand on a command line, or of those that are named. */
export function settingOptions(...only: SettingKey[]): Option[] {
  const options: Option[] = [];
  for (const key of only.length > 0 ? only : keys) {
    const { name, flag, placeholder, byDefault, meaning } = settings[key];
    if (flag !== null) options.push(new Option(`${flag} <${placeholder}>`, `${meaning} (${name}; default: ${byDefault})`));
  }
  return options;
}

/** Says in a help which settings are not flags. */
export function environmentOnlyHelp(): string {
  const rows = keys.map((key) => settings[key]).filter(({ flag }) => flag === null);
  return rows
    .map(({ name, meaning, byDefault }) => `${name} is read from the environment alone. ${meaning} Default: ${byDefault}.`)
    .join("\n");
}

/** @throws ConfigError */
export function loadSettings(terminal: Terminal, flags: SettingFlags): Config {
  const own = Object.fromEntries(keys.filter((key) => flags[key] !== undefined).map((key) => [key, flags[key]]));
  return loadConfig({ env: terminal.env, flags: own, isTerminal: terminal.isTerminal });
}
