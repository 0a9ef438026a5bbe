import type { PostRequest } from "#src/modules/webhooks/sender.ts";
import { addressIn } from "./resolver.ts";

/** Where a URL leads, read once. */
export interface Target {
  /** Scheme, host and port: connections of one origin are shared. */
  origin: string;
  /** As in a URL's `hostname`. */
  host: string;
  port: number;
  isSecure: boolean;
  /** Whom the certificate must be for. */
  serverName: string;
  /** The request line and `host`. */
  head: string;
}

const KEPT_MAX = 1_000;
const kept = new Map<string, Target>();

/** @throws TypeError for what is no http:// or https:// address */
export function targetOf(url: string): Target {
  let target = kept.get(url);
  if (target === undefined) {
    target = read(new URL(url));
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(url, target);
  }
  return target;
}

function read({ protocol, origin, hostname, host, port, pathname, search }: URL): Target {
  if (protocol !== "http:" && protocol !== "https:") throw new TypeError("only http:// and https:// addresses can be posted to");
  const isSecure = protocol === "https:";
  return {
    origin,
    host: hostname,
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    isSecure,
    serverName: addressIn(hostname) ?? hostname.replace(/\.$/, ""),
    head: `POST ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n`,
  };
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** These are what would end a line. */
const ENDS_LINE = /[\r\n\0]/;

/** Headers that say where a request ends, or whose connection it is, are this door's alone. */
const OURS = new Set(["host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "expect", "te", "trailer"]);

/**
 * The whole request in one piece, so that it leaves by one write, as UTF-8.
 * @throws TypeError for a header that can't be written: whoever lets one be set has to refuse it
 */
export function writeRequest(target: Target, { headers, body }: PostRequest): Buffer {
  let text = target.head;
  for (const [name, value] of headers) {
    if (!NAME.test(name) || ENDS_LINE.test(value)) throw new TypeError("a header has a character that no header can have");
    if (!OURS.has(name.toLowerCase())) text += `${name}: ${value}\r\n`;
  }
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  text += `content-length: ${length}\r\n\r\n`;
  const request = Buffer.allocUnsafe(Buffer.byteLength(text) + length);
  const start = request.write(text);
  if (typeof body === "string") request.write(body, start);
  else request.set(body, start);
  return request;
}
