export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "json" | "pretty";
type LogFields = Record<string, unknown>;

/** Structured log. Never pass it a key, a token, a session or the text of a message. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const ranks: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };

interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  now: () => number;
  /** Takes one line with its line feed. */
  write: (line: string) => void;
}

/** A log that writes one line an entry. */
export function createLog({ level, format, now, write }: LogOptions): Log {
  const render = format === "json" ? renderJson : renderPretty;
  const at = (rank: LogLevel) =>
    ranks[rank] < ranks[level] ? ignore : (message: string, fields?: LogFields) => write(render(now(), rank, message, fields));
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A log that keeps nothing. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

function renderJson(now: number, level: LogLevel, message: string, fields?: LogFields): string {
  return `${JSON.stringify({ time: new Date(now).toISOString(), level, message, ...withPlainErrors(fields) })}\n`;
}

function renderPretty(now: number, level: LogLevel, message: string, fields?: LogFields): string {
  const rest = Object.entries(withPlainErrors(fields))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${new Date(now).toISOString().slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${rest.join("")}\n`;
}

/** An Error's own fields are not enumerable: JSON would show {}. */
function withPlainErrors(fields: LogFields = {}): LogFields {
  if (!Object.values(fields).some((value) => value instanceof Error)) return fields;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return { name: value.name, message: value.message, stack: value.stack, cause: plain(value.cause) };
}
