import type { Command } from "commander";
import { version } from "#package.json";
import { createCommand, jsonOption, type JsonFlag, printResult, type Terminal } from "./command.ts";

export const versionLine = `posthouse ${version}`;

export function versionCommand(terminal: Terminal): Command {
  return createCommand(terminal, "version", { summary: "Print the version.", examples: ["version", "version --json"] })
    .addOption(jsonOption())
    .action((flags: JsonFlag) => {
      printResult(terminal, flags, { version, bun: Bun.version, platform: `${process.platform}-${process.arch}` }, () => versionLine);
    });
}
