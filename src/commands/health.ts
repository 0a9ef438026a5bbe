import type { Command } from "commander";
import { localUrl } from "#src/config.ts";
import { askLocal } from "./ask-local.ts";
import { createCommand, ExitError, type Terminal } from "./command.ts";
import { loadSettings, settingOptions, type SettingFlags } from "./settings-options.ts";

/** For a container's health check, where no other program is there to ask. */
export function healthCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Ask the posthouse that listens on HOST and PORT whether it is alive.",
    details: "Exits with 0 when it is, with 1 when it is not.",
    examples: ["health", "health --port 8080"],
  };
  const command = createCommand(terminal, "health", texts);
  for (const option of settingOptions("host", "port", "tlsCertFile", "tlsKeyFile")) command.addOption(option);
  return command.action(async (flags: SettingFlags) => {
    const { host, port, tls } = loadSettings(terminal, flags);
    const address = `${localUrl(host, port, tls !== null)}/health`;
    const status = await askStatus(address);
    if (status !== 200) throw new ExitError(`${address} is not healthy: it answers ${status}`);
    terminal.out("alive\n");
  });
}

async function askStatus(address: string): Promise<number> {
  try {
    return (await askLocal(address)).status;
  } catch (error) {
    throw new ExitError(`${address} is not healthy: ${(error as Error).message}`);
  }
}
