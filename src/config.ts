import { resolve } from "node:path";
import type { LogFormat, LogLevel } from "#src/core/log.ts";
import { type Setting, type SettingKey, settings } from "./settings.ts";

const SHOWN_LENGTH_MAX = 100;

/** What the program runs with. Frozen: nothing changes it after the start. */
export interface Config {
  readonly host: string;
  /** 0 is a free one. */
  readonly port: number;
  readonly tls: { readonly cert_file: string; readonly key_file: string } | null;
  /** Absolute. */
  readonly data_dir: string;
  /** `sqlite:` with an absolute path, or `postgres://…`. */
  readonly database_url: string;
  /** Without a slash at its end. */
  readonly public_url: string;
  /** Null: the one in the data folder. */
  readonly secret: string | null;
  readonly telegram_api_root: string;
  /** For user accounts; null where there are none. */
  readonly telegram_app: { readonly api_id: number; readonly api_hash: string } | null;
  /** Absolute; null: Telegram's own data centres. */
  readonly telegram_dc_file: string | null;
  /** Addresses and ranges. */
  readonly trusted_proxies: readonly string[];
  readonly cors_origins: readonly string[];
  readonly allow_private_webhooks: boolean;
  /** How long events are kept. */
  readonly events_retention_days: number;
  /** Of received files. */
  readonly files_cache_bytes: number;
  readonly log_level: LogLevel;
  readonly log_format: LogFormat;
}

/** Some settings are not acceptable. `faults` has a line for each. */
export class ConfigError extends Error {
  constructor(readonly faults: string[]) {
    super(faults.join("\n"));
    this.name = "ConfigError";
  }
}

export interface ConfigSource {
  env: Readonly<Record<string, string | undefined>>;
  /** What was given on the command line; it goes before the environment. */
  flags: Readonly<Partial<Record<SettingKey, string | undefined>>>;
  /** Whether a person reads the log. */
  isTerminal: boolean;
}

/**
 * Reads all settings. An empty environment variable counts as not set.
 * @throws ConfigError with every fault, not the first alone
 */
export function loadConfig(source: ConfigSource): Config {
  const faults: string[] = [];
  const take = <T>(key: SettingKey, setting: Setting<T>): T | undefined => {
    const flag = source.flags[key];
    const text = flag ?? source.env[setting.name]?.trim();
    if (text === undefined || (text === "" && flag === undefined)) return undefined;
    const value = text === "" ? undefined : setting.parse(text);
    if (value === undefined) faults.push(describeFault(setting, text, flag !== undefined));
    return value;
  };

  const host = take("host", settings.host) ?? "127.0.0.1";
  const port = take("port", settings.port) ?? 5110;
  const tls = takeTls(take("tlsCertFile", settings.tlsCertFile), take("tlsKeyFile", settings.tlsKeyFile), faults);
  const dataDir = resolve(take("dataDir", settings.dataDir) ?? "data");
  const app = takeApp(take("telegramApiId", settings.telegramApiId), take("telegramApiHash", settings.telegramApiHash), faults);
  const dcFile = take("telegramDcFile", settings.telegramDcFile);
  const config: Config = {
    host,
    port,
    tls,
    data_dir: dataDir,
    database_url: absoluteDatabaseUrl(take("databaseUrl", settings.databaseUrl) ?? `sqlite:${dataDir}/posthouse.db`),
    public_url: take("publicUrl", settings.publicUrl) ?? localUrl(host, port, tls !== null),
    secret: take("secret", settings.secret) ?? null,
    telegram_api_root: take("telegramApiRoot", settings.telegramApiRoot) ?? "https://api.telegram.org",
    telegram_app: app,
    telegram_dc_file: dcFile === undefined ? null : resolve(dcFile),
    trusted_proxies: take("trustedProxies", settings.trustedProxies) ?? Object.freeze([]),
    cors_origins: take("corsOrigins", settings.corsOrigins) ?? Object.freeze([]),
    allow_private_webhooks: take("allowPrivateWebhooks", settings.allowPrivateWebhooks) ?? false,
    events_retention_days: take("eventsRetentionDays", settings.eventsRetentionDays) ?? 30,
    files_cache_bytes: (take("filesCacheMb", settings.filesCacheMb) ?? 1_024) * 1_000_000,
    log_level: take("logLevel", settings.logLevel) ?? "info",
    log_format: take("logFormat", settings.logFormat) ?? (source.isTerminal ? "pretty" : "json"),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
}

/** The address of a server on this machine: what PUBLIC_URL is by default. */
export function localUrl(host: string, port: number, tls: boolean): string {
  const near = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return new URL(`${tls ? "https" : "http"}://${near.includes(":") ? `[${near}]` : near}:${port}`).origin;
}

function takeTls(cert: string | undefined, key: string | undefined, faults: string[]): Config["tls"] {
  if (cert === undefined && key === undefined) return null;
  if (cert !== undefined && key !== undefined) return Object.freeze({ cert_file: resolve(cert), key_file: resolve(key) });
  const [given, missing] = cert === undefined ? ["TLS_KEY_FILE", "TLS_CERT_FILE"] : ["TLS_CERT_FILE", "TLS_KEY_FILE"];
  faults.push(`${missing} is not set although ${given} is; accepted: both, or neither`);
  return null;
}

function takeApp(api_id: number | undefined, api_hash: string | undefined, faults: string[]): Config["telegram_app"] {
  if (api_id === undefined && api_hash === undefined) return null;
  if (api_id !== undefined && api_hash !== undefined) return Object.freeze({ api_id, api_hash });
  const [given, missing] = api_id === undefined ? ["TELEGRAM_API_HASH", "TELEGRAM_API_ID"] : ["TELEGRAM_API_ID", "TELEGRAM_API_HASH"];
  faults.push(`${missing} is not set although ${given} is; accepted: both, or neither`);
  return null;
}

function absoluteDatabaseUrl(url: string): string {
  return url.startsWith("sqlite:") ? `sqlite:${resolve(url.slice("sqlite:".length))}` : url;
}

function describeFault(setting: Setting<unknown>, text: string, byFlag: boolean): string {
  const name = byFlag ? `${setting.name} (${setting.flag})` : setting.name;
  const given =
    setting === settings.secret || setting === settings.telegramApiHash
      ? `has ${text.length} characters`
      : `is ${JSON.stringify(withoutPassword(text).slice(0, SHOWN_LENGTH_MAX))}`;
  return `${name} ${given}; accepted: ${setting.accepted}`;
}

/** Whatever could be the password of a URL stays out of terminals and logs. */
function withoutPassword(text: string): string {
  return text.replace(/^.*@/s, "…@").replace(/\?.*$/s, "?…");
}
