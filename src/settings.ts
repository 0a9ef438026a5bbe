import { isIP } from "node:net";

/** One thing that can be set, by its environment variable or its flag of `serve`. The README's table shows the same texts. */
export interface Setting<T> {
  name: string;
  /** Null for what must not stand in a list of processes. */
  flag: `--${string}` | null;
  /** What stands for the value in the help. */
  placeholder: string;
  byDefault: string;
  meaning: string;
  /** Ends the sentence "accepted: …". */
  accepted: string;
  /** Undefined where the text is not acceptable. */
  parse: (text: string) => T | undefined;
}

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
const LOG_FORMATS = ["json", "pretty"] as const;
const SECRET_LENGTH_MIN = 16;

/** All settings, by the name that their flag has as an option. */
export const settings = {
  host: setting({
    name: "HOST",
    flag: "--host",
    placeholder: "address",
    byDefault: "127.0.0.1",
    meaning: "The address to listen on; 0.0.0.0 for all.",
    accepted: "an IP address or a host name",
    parse: parseHost,
  }),
  port: setting({
    name: "PORT",
    flag: "--port",
    placeholder: "number",
    byDefault: "5110",
    meaning: "The port to listen on; 0 takes a free one.",
    accepted: "a whole number from 0 to 65535",
    parse: parsePort,
  }),
  tlsCertFile: setting({
    name: "TLS_CERT_FILE",
    flag: "--tls-cert-file",
    placeholder: "file",
    byDefault: "none",
    meaning: "The certificate chain (PEM) to serve HTTPS with; read again on SIGHUP.",
    accepted: "the path of a PEM file",
    parse: (text) => text,
  }),
  tlsKeyFile: setting({
    name: "TLS_KEY_FILE",
    flag: "--tls-key-file",
    placeholder: "file",
    byDefault: "none",
    meaning: "The certificate's private key (PEM).",
    accepted: "the path of a PEM file",
    parse: (text) => text,
  }),
  dataDir: setting({
    name: "DATA_DIR",
    flag: "--data-dir",
    placeholder: "folder",
    byDefault: "./data",
    meaning: "Holds the database, the secret key, files and backups.",
    accepted: "the path of a folder",
    parse: (text) => text,
  }),
  databaseUrl: setting({
    name: "DATABASE_URL",
    flag: "--database-url",
    placeholder: "url",
    byDefault: "sqlite:$DATA_DIR/posthouse.db",
    meaning: "The database; postgres://… for several copies on one database.",
    accepted: "sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
    parse: parseDatabaseUrl,
  }),
  publicUrl: setting({
    name: "PUBLIC_URL",
    flag: "--public-url",
    placeholder: "url",
    byDefault: "from HOST and PORT",
    meaning: "The base of links and of problem types: the address under which others reach Posthouse.",
    accepted: "an http:// or https:// address without query and fragment",
    parse: parseBaseUrl,
  }),
  secret: setting({
    name: "POSTHOUSE_SECRET",
    flag: null,
    placeholder: "text",
    byDefault: "made once in $DATA_DIR/secret.key",
    meaning: "Encrypts tokens and other secrets at rest. Copies on one database need the same.",
    accepted: `${SECRET_LENGTH_MIN} characters or more`,
    parse: (text) => (text.length < SECRET_LENGTH_MIN ? undefined : text),
  }),
  telegramApiRoot: setting({
    name: "TELEGRAM_API_ROOT",
    flag: "--telegram-api-root",
    placeholder: "url",
    byDefault: "https://api.telegram.org",
    meaning: "The Bot API server: Telegram's, or one of your own.",
    accepted: "an http:// or https:// address without query and fragment",
    parse: parseBaseUrl,
  }),
  telegramApiId: setting({
    name: "TELEGRAM_API_ID",
    flag: "--telegram-api-id",
    placeholder: "number",
    byDefault: "none",
    meaning: "Of your application at https://my.telegram.org; user accounts need it.",
    accepted: "a whole number above 0",
    parse: (text) => (/^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined),
  }),
  telegramApiHash: setting({
    name: "TELEGRAM_API_HASH",
    flag: null,
    placeholder: "text",
    byDefault: "none",
    meaning: "Beside TELEGRAM_API_ID, from the same page.",
    accepted: "32 hexadecimal digits",
    parse: (text) => (/^[0-9a-f]{32}$/i.test(text) ? text.toLowerCase() : undefined),
  }),
  telegramDcFile: setting({
    name: "TELEGRAM_DC_FILE",
    flag: "--telegram-dc-file",
    placeholder: "file",
    byDefault: "none",
    meaning: "Another data centre for user accounts, for tests: JSON {main:{id,host,port}, public_key_pem}.",
    accepted: "the path of a JSON file",
    parse: (text) => text,
  }),
  trustedProxies: setting({
    name: "TRUSTED_PROXIES",
    flag: "--trusted-proxies",
    placeholder: "list",
    byDefault: "none",
    meaning: "The proxies whose X-Forwarded-For counts.",
    accepted: "IP addresses and ranges such as 10.0.0.0/8, separated by commas",
    parse: (text) => parseList(text, parseRange),
  }),
  corsOrigins: setting({
    name: "CORS_ORIGINS",
    flag: "--cors-origins",
    placeholder: "list",
    byDefault: "none",
    meaning: "The origins whose pages may call the API.",
    accepted: "origins such as https://app.example.com, separated by commas, or *",
    parse: (text) => parseList(text, parseOrigin),
  }),
  allowPrivateWebhooks: setting({
    name: "ALLOW_PRIVATE_WEBHOOKS",
    flag: "--allow-private-webhooks",
    placeholder: "choice",
    byDefault: "false",
    meaning: "Lets webhooks go to private addresses and to this machine.",
    accepted: "true or false",
    parse: (text) => ({ true: true, false: false })[text],
  }),
  eventsRetentionDays: setting({
    name: "EVENTS_RETENTION_DAYS",
    flag: "--events-retention-days",
    placeholder: "days",
    byDefault: "30",
    meaning: "How long events, and what was delivered of them, are kept.",
    accepted: "a whole number from 1 to 3650",
    parse: parseDays,
  }),
  filesCacheMb: setting({
    name: "FILES_CACHE_MB",
    flag: "--files-cache-mb",
    placeholder: "megabytes",
    byDefault: "1024",
    meaning: "How much of received files is kept in the data folder; the rest is fetched again when it is asked for.",
    accepted: "a whole number from 1 to 10000000",
    parse: parseMegabytes,
  }),
  logLevel: setting({
    name: "LOG_LEVEL",
    flag: "--log-level",
    placeholder: "level",
    byDefault: "info",
    meaning: "The least important entries that are logged.",
    accepted: LOG_LEVELS.join(", "),
    parse: (text) => LOG_LEVELS.find((level) => level === text),
  }),
  logFormat: setting({
    name: "LOG_FORMAT",
    flag: "--log-format",
    placeholder: "format",
    byDefault: "pretty on a terminal, else json",
    meaning: "How log entries are written.",
    accepted: LOG_FORMATS.join(", "),
    parse: (text) => LOG_FORMATS.find((format) => format === text),
  }),
};

export type SettingKey = keyof typeof settings;

function setting<T>(row: Setting<T>): Setting<T> {
  return row;
}

function parseHost(text: string): string | undefined {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (isIP(bare) !== 0) return bare;
  return /^(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(text) ? text : undefined;
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : undefined;
}

function parseDays(text: string): number | undefined {
  const days = Number(text);
  return /^\d{1,4}$/.test(text) && days >= 1 && days <= 3_650 ? days : undefined;
}

function parseMegabytes(text: string): number | undefined {
  const megabytes = Number(text);
  return /^\d{1,8}$/.test(text) && megabytes >= 1 && megabytes <= 10_000_000 ? megabytes : undefined;
}

function parseDatabaseUrl(text: string): string | undefined {
  if (text.startsWith("sqlite:")) return namesFile(text.slice("sqlite:".length)) ? text : undefined;
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).hostname === "" ? undefined : text;
}

/** `//host/…` would be another machine's file, and a database in memory can't be shared with the readers. */
function namesFile(path: string): boolean {
  return path !== "" && path !== ":memory:" && !path.endsWith("/") && !/^\/\/(?!\/)/.test(path);
}

function parseBaseUrl(text: string): string | undefined {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const { search, hash, username, password, href } = new URL(text);
  return search + hash + username + password === "" ? href.replace(/\/+$/, "") : undefined;
}

function parseRange(text: string): string | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  if (bits === undefined) return text;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128) ? text : undefined;
}

function parseOrigin(text: string): string | undefined {
  if (text === "*") return text;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const { origin, href } = new URL(text);
  return href === `${origin}/` ? origin : undefined;
}

function parseList(text: string, parse: (item: string) => string | undefined): readonly string[] | undefined {
  const items: string[] = [];
  for (const raw of text.split(",")) {
    const item = parse(raw.trim());
    if (item === undefined) return undefined;
    items.push(item);
  }
  return Object.freeze(items);
}
