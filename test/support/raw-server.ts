import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** A receiver that answers, or doesn't, byte by byte as a test wants it. */
export interface RawServer extends AsyncDisposable {
  port: number;
  url: string;
  /** Whole requests, head and body, in order. */
  requests: string[];
  /** Connections that were accepted, in order. */
  sockets: Socket[];
  /** Resolves when so many requests are here. */
  received(count: number): Promise<void>;
  accepted(count: number): Promise<void>;
}

export interface RawServerOptions {
  host?: string;
  port?: number;
  tls?: { cert: string; key: string };
  /** As soon as a connection stands. */
  onConnection?: (socket: Socket) => void;
}

/** @param onRequest for each whole request; `nth` counts from 0 */
export async function startRawServer(
  onRequest: (socket: Socket, request: string, nth: number) => void,
  { host = "127.0.0.1", port = 0, tls, onConnection }: RawServerOptions = {},
): Promise<RawServer> {
  const requests: string[] = [];
  const sockets: Socket[] = [];
  const waiting: (() => void)[] = [];
  const notify = () => waiting.forEach((look) => look());
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => isSo() && resolve();
      waiting.push(look);
      look();
    });

  const serve = (socket: Socket) => {
    sockets.push(socket);
    // Clients of these tests break off in every way there is.
    socket.on("error", () => socket.destroy());
    let got = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      for (let end = endOfRequest(got); end !== null; end = endOfRequest(got)) {
        const request = got.toString("utf8", 0, end);
        got = got.subarray(end);
        onRequest(socket, request, requests.push(request) - 1);
        notify();
      }
    });
    onConnection?.(socket);
    notify();
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const bound = (server.address() as { port: number }).port;
  return {
    port: bound,
    url: `${tls === undefined ? "http" : "https"}://${host}:${bound}/hook`,
    requests,
    sockets,
    received: (count) => until(() => requests.length >= count),
    accepted: (count) => until(() => sockets.length >= count),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer with a body and its length. */
export function answerWith(status: number, body = "", headers: Record<string, string> = {}): string {
  const all = { ...headers, "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join("")}\r\n${body}`;
}

function endOfRequest(got: Buffer): number | null {
  const head = got.indexOf("\r\n\r\n");
  if (head === -1) return null;
  const length = Number(/content-length: (\d+)/i.exec(got.toString("latin1", 0, head))?.[1] ?? 0);
  return got.length >= head + 4 + length ? head + 4 + length : null;
}
