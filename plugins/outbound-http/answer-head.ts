/** The head of an answer as far as it is read. */
export interface Head {
  status: number;
  /** Names in lower case; of many, or of long ones, the first. */
  headers: Record<string, string>;
  /** Of `headers`: names, values and separators. */
  chars: number;
  names: number;
  /** `transfer-encoding` in lower case without spaces. */
  coding: string | null;
  /** `content-length`. */
  length: number | null;
  keepsAlive: boolean;
  /** It said `connection: close`, which counts for more than whatever else it says. */
  closes: boolean;
  /** The `timeout` of `keep-alive`. */
  keptForMs: number | null;
}

const NAMES_MAX = 64;
const CHARS_MAX = 8_192;
const STATUS = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** No value has these, and a database can't hold the last one. */
const REFUSED_IN_VALUE = /[\r\0]/;
const LENGTH = /^\d{1,15}$/;
const KEEP_ALIVE_SECONDS = /(?:^|[\s,;])timeout=(\d{1,6})/i;

/** Null when the line is no status line of HTTP/1.0 or 1.1. */
export function readStatus(line: string): Head | null {
  const match = STATUS.exec(line);
  if (match === null) return null;
  const keepsAlive = match[1] === "1";
  return {
    status: Number(match[2]),
    headers: {},
    chars: 0,
    names: 0,
    coding: null,
    length: null,
    keepsAlive,
    closes: false,
    keptForMs: null,
  };
}

/** Takes one line up. False when it is malformed; a folded line, which RFC 9112 lets one refuse, is. */
export function readHeader(head: Head, line: string): boolean {
  const colon = line.indexOf(":");
  const given = line.slice(0, Math.max(0, colon));
  const value = line.slice(colon + 1).trim();
  if (!NAME.test(given) || REFUSED_IN_VALUE.test(value)) return false;
  const name = given.toLowerCase();
  keep(head, name, value);
  switch (name) {
    case "content-length":
      return takeLength(head, value);
    case "transfer-encoding":
      head.coding = `${head.coding === null ? "" : `${head.coding},`}${value.toLowerCase().replaceAll(/\s/g, "")}`;
      return true;
    case "connection":
      takeConnection(head, value.toLowerCase());
      return true;
    case "keep-alive": {
      const seconds = KEEP_ALIVE_SECONDS.exec(value)?.[1];
      if (seconds !== undefined) head.keptForMs = Number(seconds) * 1000;
      return true;
    }
    default:
      return true;
  }
}

function keep(head: Head, name: string, value: string): void {
  const { headers } = head;
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
  const chars = name.length + value.length + 4;
  // The prototype's own name would be no header of the object.
  if (head.chars + chars > CHARS_MAX || (before === undefined && head.names >= NAMES_MAX) || name === "__proto__") return;
  head.chars += chars;
  if (before === undefined) head.names++;
  headers[name] = before === undefined ? value : `${before}, ${value}`;
}

/** The same length twice is one; two lengths are none. */
function takeLength(head: Head, value: string): boolean {
  for (const text of value.split(",")) {
    const length = Number(text.trim());
    if (!LENGTH.test(text.trim()) || (head.length !== null && head.length !== length)) return false;
    head.length = length;
  }
  return true;
}

function takeConnection(head: Head, value: string): void {
  for (const token of value.split(",")) {
    if (token.trim() === "close") head.closes = true;
    if (token.trim() === "keep-alive") head.keepsAlive = true;
  }
  if (head.closes) head.keepsAlive = false;
}
