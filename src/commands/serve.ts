import { lookup } from "node:dns/promises";
import { createServer } from "node:net";
import type { Command } from "commander";
import { version } from "#package.json";
import type { Log } from "#src/core/log.ts";
import { type Config, localUrl } from "#src/config.ts";
import { lockDataFolder } from "#src/serve-lock.ts";
import { type RunningServer, startServer } from "#src/server.ts";
import { createCommand, ExitError, type Terminal } from "./command.ts";
import { greetFirst, makeFirstWorkspace } from "./first-start.ts";
import { prepareDataFolder, secretOf, stderrLog } from "./open-data.ts";
import { environmentOnlyHelp, loadSettings, settingOptions, type SettingFlags } from "./settings-options.ts";

/** A stop that takes longer is broken off, just under the 10 seconds after which others would kill it. */
const STOP_MS_MAX = 9_500;

export function serveCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Serve the API and send what is queued, until it is told to stop. The default command.",
    details: `Each setting is a flag or an environment variable; the flag goes first.\n${environmentOnlyHelp()}`,
    examples: ["serve", "serve --port 8080 --data-dir /var/lib/posthouse", "serve --database-url postgres://posthouse@db/posthouse"],
  };
  const command = createCommand(terminal, "serve", texts);
  for (const option of settingOptions()) command.addOption(option);
  return command.action(async (flags: SettingFlags) => {
    const config = await withFreePort(await withKnownHost(loadSettings(terminal, flags)));
    const log = stderrLog(terminal, config);
    prepareDataFolder(config);
    const unlock = lockDataFolder(config.data_dir);
    try {
      const server = await startServer(config, secretOf(config, log), log);
      await greet(server, config, terminal);
      log.info("serving", { version, url: server.url, data_dir: config.data_dir });
      await untilStopped(server, config, log);
    } finally {
      unlock();
    }
  });
}

/** Where the first workspace can't be made, nothing is left running. */
async function greet(server: RunningServer, config: Config, terminal: Terminal): Promise<void> {
  try {
    const first = await makeFirstWorkspace(server);
    if (first !== null) terminal.out(greetFirst(config.public_url, first));
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Resolves once a signal has come and everything has ended. */
async function untilStopped(server: RunningServer, config: Config, log: Log): Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
  const onSignal = (signal: string) => stop(signal);
  const onHangUp = () => reload(server, config, log);
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal).on("SIGHUP", onHangUp);
  try {
    log.info("stopping", { signal: await stopped });
    await withinDeadline(server.stop(), log);
    log.info("stopped");
  } finally {
    process.off("SIGTERM", onSignal).off("SIGINT", onSignal).off("SIGHUP", onHangUp);
  }
}

function reload(server: RunningServer, { tls }: Config, log: Log): void {
  if (tls === null) return log.info("there is no certificate to read again");
  try {
    server.reloadTls();
    log.info("read the certificate again", { file: tls.cert_file });
  } catch (error) {
    log.error("the certificate can't be read again; the one before stays", { file: tls.cert_file, error });
  }
}

/** Whatever still hangs then would keep the process alive, so the process is ended with it. */
async function withinDeadline(work: Promise<void>, log: Log): Promise<void> {
  const timer = setTimeout(() => {
    log.error(`not everything ended within ${STOP_MS_MAX / 1000} s: breaking off`);
    process.exit(1);
  }, STOP_MS_MAX);
  try {
    await work;
  } finally {
    clearTimeout(timer);
  }
}

/** @throws ExitError for a name that does not resolve, which the runtime would call a port in use */
async function withKnownHost(config: Config): Promise<Config> {
  try {
    await lookup(config.host);
    return config;
  } catch {
    throw new ExitError(`the HOST ${config.host} is not known here: set it to an address of this machine, such as 127.0.0.1 or 0.0.0.0`);
  }
}

/** The public address is known before it listens, so a free port is looked for beforehand. */
async function withFreePort(config: Config): Promise<Config> {
  if (config.port !== 0) return config;
  const port = await findFreePort(config.host);
  const local = localUrl(config.host, 0, config.tls !== null);
  return {
    ...config,
    port,
    public_url: config.public_url === local ? localUrl(config.host, port, config.tls !== null) : config.public_url,
  };
}

function findFreePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => (address === null || typeof address === "string" ? reject(new Error("no free port")) : resolve(address.port)));
    });
  });
}
