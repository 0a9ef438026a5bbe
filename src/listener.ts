import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { createSecureContext } from "node:tls";
import type { Server } from "bun";
import type { Config } from "./config.ts";

/** Bun's own limit is beyond any: ours answers with a problem document, and an operation that takes a file has none. */
const BODY_BYTES_REFUSED = Number.MAX_SAFE_INTEGER;

/** @param peer the address of the other end of the connection @param server can keep it from being cut as idle */
type Handle = (request: Request, peer?: string, server?: Pick<Server<undefined>, "timeout">) => Promise<Response> | Response;

export interface Listener {
  /** Where it listens: `http://127.0.0.1:5110`. */
  readonly url: string;
  /**
   * Reads the certificate anew. New connections get it; those that stand end in their own time.
   * @throws Error when it can't be used; then the one before stays
   */
  reloadTls(): void;
  /** Takes no more connections; resolves when the last one has ended. */
  drain(): Promise<void>;
  /** Breaks off what is left. */
  close(): Promise<void>;
}

/** @throws Error in words for the person who starts it */
export function listen(config: Config, handle: Handle): Listener {
  const { tls } = config;
  // Bun can't change a listener's certificate: a new one needs a listener beside the old, which both must permit. That would
  // also let a second program in unseen, so the port is first taken alone.
  if (tls !== null) void bind(config, handle, false).stop(true);
  let current = bind(config, handle, tls !== null);
  const all = new Set([current]);
  return {
    url: `${tls === null ? "http" : "https"}://${isIPv6(config.host) ? `[${config.host}]` : config.host}:${current.port}`,
    reloadTls() {
      const before = current;
      current = bind({ ...config, port: Number(before.port) }, handle, true);
      all.add(current);
      void before.stop(false).then(() => all.delete(before));
    },
    async drain() {
      await Promise.all([...all].map((server) => server.stop(false)));
    },
    async close() {
      await Promise.all([...all].map((server) => server.stop(true)));
    },
  };
}

function bind({ host, port, tls }: Config, handle: Handle, reusePort: boolean): Server<undefined> {
  const certificate = tls === null ? {} : { tls: readTls(tls) };
  try {
    return Bun.serve({
      hostname: host,
      port,
      reusePort,
      maxRequestBodySize: BODY_BYTES_REFUSED,
      ...certificate,
      fetch: (request, server) => handle(request, server.requestIP(request)?.address, server),
    });
  } catch (error) {
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const words = inUse
      ? "is in use: stop the program that has it, or set PORT to another one"
      : `can't be listened on: ${reasonOf(error)}`;
    throw new Error(`port ${port} on ${host} ${words}`, { cause: error });
  }
}

function readTls({ cert_file, key_file }: NonNullable<Config["tls"]>): { cert: string; key: string } {
  try {
    const [cert, key] = [readPem(cert_file), readPem(key_file)];
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    throw new Error(`HTTPS can't be served with the certificate ${cert_file} and the key ${key_file}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function readPem(path: string): string {
  const text = readFileSync(path, "utf8");
  if (!text.includes("-----BEGIN ")) throw new Error(`${path} is no PEM file`);
  return text;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
