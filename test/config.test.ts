import { describe, expect, test } from "bun:test";
import { ConfigError, type ConfigSource, loadConfig, localUrl } from "#src/config.ts";
import { settings } from "#src/settings.ts";

function load(env: ConfigSource["env"] = {}, flags: ConfigSource["flags"] = {}, isTerminal = false) {
  return loadConfig({ env, flags, isTerminal });
}

function faultsOf(env: ConfigSource["env"], flags: ConfigSource["flags"] = {}): string[] {
  try {
    load(env, flags);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test("without any setting it listens on loopback and keeps its data beside it", () => {
  expect(load()).toEqual({
    host: "127.0.0.1",
    port: 5110,
    tls: null,
    data_dir: `${process.cwd()}/data`,
    database_url: `sqlite:${process.cwd()}/data/posthouse.db`,
    public_url: "http://127.0.0.1:5110",
    secret: null,
    telegram_api_root: "https://api.telegram.org",
    telegram_app: null,
    telegram_dc_file: null,
    trusted_proxies: [],
    cors_origins: [],
    allow_private_webhooks: false,
    events_retention_days: 30,
    files_cache_bytes: 1_024_000_000,
    log_level: "info",
    log_format: "json",
  });
});

test("a flag goes before the environment, the environment before the default", () => {
  const config = load({ PORT: "6000", HOST: "::1" }, { port: "7000" });
  expect(config.port).toBe(7000);
  expect(config.host).toBe("::1");
});

test("an empty environment variable counts as not set, an empty flag is a fault", () => {
  expect(load({ PORT: "", TRUSTED_PROXIES: " " }).port).toBe(5110);
  expect(faultsOf({}, { port: "" })).toEqual(['PORT (--port) is ""; accepted: a whole number from 0 to 65535']);
});

test("every fault is reported at once, each in a line that says what was given and what is accepted", () => {
  expect(faultsOf({ PORT: "80a", LOG_LEVEL: "loud", HOST: "a b", TRUSTED_PROXIES: "10.0.0.0/33" }, { logFormat: "xml" })).toEqual([
    'HOST is "a b"; accepted: an IP address or a host name',
    'PORT is "80a"; accepted: a whole number from 0 to 65535',
    'TRUSTED_PROXIES is "10.0.0.0/33"; accepted: IP addresses and ranges such as 10.0.0.0/8, separated by commas',
    'LOG_LEVEL is "loud"; accepted: debug, info, warn, error',
    'LOG_FORMAT (--log-format) is "xml"; accepted: json, pretty',
  ]);
});

test("a fault shows neither a secret nor a password", () => {
  const shown = faultsOf({
    POSTHOUSE_SECRET: "hunter2",
    DATABASE_URL: "postgers://ann:p@ss@db/x?password=hunter2",
    PUBLIC_URL: "https://ann:hunter2@example.com",
  }).join("\n");
  expect(shown).toContain("POSTHOUSE_SECRET has 7 characters; accepted: 16 characters or more");
  expect(shown).toContain('DATABASE_URL is "…@db/x?…"');
  expect(shown).not.toMatch(/hunter2|p@ss|ann/);
});

test("webhooks may go to private addresses only where it says true", () => {
  expect(load({ ALLOW_PRIVATE_WEBHOOKS: "true" }).allow_private_webhooks).toBe(true);
  expect(load({ ALLOW_PRIVATE_WEBHOOKS: "true" }, { allowPrivateWebhooks: "false" }).allow_private_webhooks).toBe(false);
  expect(faultsOf({ ALLOW_PRIVATE_WEBHOOKS: "yes" })).toEqual(['ALLOW_PRIVATE_WEBHOOKS is "yes"; accepted: true or false']);
});

test("a fault stays in one line of bounded length, whatever was given", () => {
  const [fault = ""] = faultsOf({ PORT: `1\n${"2".repeat(5000)}` });
  expect(fault).not.toContain("\n");
  expect(fault.length).toBeLessThan(200);
});

test("a certificate without its key is a fault, both together are HTTPS", () => {
  expect(faultsOf({ TLS_CERT_FILE: "a.pem" })).toEqual(["TLS_KEY_FILE is not set although TLS_CERT_FILE is; accepted: both, or neither"]);
  const config = load({ TLS_CERT_FILE: "a.pem", TLS_KEY_FILE: "/etc/b.pem" });
  expect(config.tls).toEqual({ cert_file: `${process.cwd()}/a.pem`, key_file: "/etc/b.pem" });
  expect(config.public_url).toBe("https://127.0.0.1:5110");
});

describe("a database URL", () => {
  const accepted: Record<string, string> = {
    "sqlite:/var/x.db": "sqlite:/var/x.db",
    "sqlite:///var/x.db": "sqlite:/var/x.db",
    "sqlite:x.db": `sqlite:${process.cwd()}/x.db`,
    "postgres://ann:pw@db:5432/x": "postgres://ann:pw@db:5432/x",
    "postgresql://db/x?sslmode=require": "postgresql://db/x?sslmode=require",
  };
  for (const [given, kept] of Object.entries(accepted))
    test(`${given} is accepted`, () => expect(load({ DATABASE_URL: given }).database_url).toBe(kept));
  for (const given of [
    "mysql://db/x",
    "sqlite:",
    "sqlite::memory:",
    "sqlite://host/x.db",
    "postgres:x",
    "postgres://",
    "x.db",
    "sqlite:x/",
  ])
    test(`${given} is refused`, () => expect(faultsOf({ DATABASE_URL: given })).toHaveLength(1));
});

test("the database lies in the data folder unless it is told otherwise", () => {
  expect(load({ DATA_DIR: "/srv/post" }).database_url).toBe("sqlite:/srv/post/posthouse.db");
});

test("lists take addresses, ranges and origins, and nothing else", () => {
  const config = load({ TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8,fd00::/8", CORS_ORIGINS: "https://a.example:8443,*" });
  expect(config.trusted_proxies).toEqual(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);
  expect(config.cors_origins).toEqual(["https://a.example:8443", "*"]);
  for (const origin of ["a.example", "https://a.example/path", "ftp://a.example", "https://a.example,"])
    expect(faultsOf({ CORS_ORIGINS: origin })).toHaveLength(1);
  for (const range of ["10.0.0.0/", "::/129", "proxy", "10.0.0.0/8/8"]) expect(faultsOf({ TRUSTED_PROXIES: range })).toHaveLength(1);
});

test("a base address loses the slash at its end and has no query", () => {
  expect(load({ PUBLIC_URL: "https://post.example/relay/" }).public_url).toBe("https://post.example/relay");
  expect(faultsOf({ TELEGRAM_API_ROOT: "https://a.example/?x=1" })).toHaveLength(1);
  expect(faultsOf({ TELEGRAM_API_ROOT: "api.telegram.org" })).toHaveLength(1);
});

test("the local address is one that can be opened", () => {
  expect(localUrl("0.0.0.0", 5110, false)).toBe("http://127.0.0.1:5110");
  expect(localUrl("::", 5110, false)).toBe("http://[::1]:5110");
  expect(localUrl("::1", 5110, true)).toBe("https://[::1]:5110");
  expect(localUrl("post.internal", 80, false)).toBe("http://post.internal");
});

test("the log is for people on a terminal, else for programs", () => {
  expect(load({}, {}, true).log_format).toBe("pretty");
  expect(load({ LOG_FORMAT: "json" }, {}, true).log_format).toBe("json");
});

test("the settings can't be changed afterwards", () => {
  const config = load({ TRUSTED_PROXIES: "::1", TLS_CERT_FILE: "a", TLS_KEY_FILE: "b" });
  for (const frozen of [config, config.tls, config.trusted_proxies, config.cors_origins]) expect(Object.isFrozen(frozen)).toBe(true);
});

test("a secret has no flag, since every user of the machine can read the flags", () => {
  expect(settings.secret.flag).toBeNull();
});

test("an application of Telegram's is its number and its hash, whose value no fault shows", () => {
  const hash = "0123456789abcdef0123456789ABCDEF";
  expect(load({ TELEGRAM_API_ID: "12345", TELEGRAM_API_HASH: hash }).telegram_app).toEqual({
    api_id: 12_345,
    api_hash: hash.toLowerCase(),
  });
  expect(faultsOf({ TELEGRAM_API_ID: "12345" })).toEqual([
    "TELEGRAM_API_HASH is not set although TELEGRAM_API_ID is; accepted: both, or neither",
  ]);
  expect(faultsOf({ TELEGRAM_API_HASH: hash })).toEqual([
    "TELEGRAM_API_ID is not set although TELEGRAM_API_HASH is; accepted: both, or neither",
  ]);
  expect(faultsOf({ TELEGRAM_API_ID: "0", TELEGRAM_API_HASH: "secret-hash" }).join()).not.toContain("secret-hash");
});
