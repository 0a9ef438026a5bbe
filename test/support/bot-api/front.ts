import net from "node:net";

/** The client's side of a request's connection. */
export interface Connection {
  /** Closes it in order, after these bytes. */
  end(bytes: string): void;
  /** Ends it by a TCP reset. */
  reset(): void;
}

/**
 * Stands before the HTTP server and passes bytes on, since an HTTP server can neither reset a connection
 * nor leave one unread.
 */
export interface Front {
  port: number;
  /** @param port the one that the server sees as the client's */
  connectionOf(port: number): Connection;
  /** Closes the connections on which no answer is due, as a server does with those that were idle for long; waits for their clients. */
  closeIdle(): Promise<void>;
  stop(): Promise<void>;
}

interface FrontOptions {
  port: number;
  target: number;
  onConnection(): void;
  /** Asked before the bytes of a client are passed on. */
  isUnread(): boolean;
}

const HOST = "127.0.0.1";

export async function createFront({ port, target, onConnection, isUnread }: FrontOptions): Promise<Front> {
  const clients = new Map<number, net.Socket>();
  const busy = new Set<net.Socket>();
  const all = new Set<net.Socket>();

  const server = net.createServer({ noDelay: true }, (client) => {
    onConnection();
    all.add(client);
    let upstreamPort = 0;
    const upstream = net.connect({ host: HOST, port: target, noDelay: true }, () => {
      upstreamPort = upstream.localPort ?? 0;
      clients.set(upstreamPort, client);
    });
    client.on("data", (bytes) => {
      if (isUnread()) {
        client.resetAndDestroy();
        return;
      }
      busy.add(client);
      pass(bytes, client, upstream);
    });
    upstream.on("data", (bytes) => {
      busy.delete(client);
      pass(bytes, upstream, client);
    });
    client.on("error", () => client.destroy());
    upstream.on("error", () => client.destroy());
    client.on("end", () => upstream.end());
    upstream.on("end", () => client.end());
    client.on("close", () => {
      all.delete(client);
      busy.delete(client);
      clients.delete(upstreamPort);
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: HOST, port }, resolve);
  });

  return {
    port: (server.address() as net.AddressInfo).port,
    connectionOf(clientPort) {
      const client = clients.get(clientPort);
      return {
        end: (bytes) => void client?.end(bytes),
        reset: () => void client?.resetAndDestroy(),
      };
    },
    async closeIdle() {
      const idle = [...all].filter((client) => !busy.has(client));
      await Promise.all(idle.map((client) => new Promise((resolve) => client.once("close", resolve).end())));
    },
    stop() {
      for (const client of all) client.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Waits with reading while the other side is slower. */
function pass(bytes: string | Uint8Array, from: net.Socket, to: net.Socket): void {
  if (to.destroyed || to.write(bytes)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
