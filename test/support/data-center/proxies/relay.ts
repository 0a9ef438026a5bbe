import type { Socket } from "bun";
import { createOutbox, type Outbox } from "#test/support/data-center/wire/outbox.ts";

/** A client of a proxy, and the way on to a data centre. */
export interface Client {
  reply(bytes: Uint8Array): void;
  drop(): void;
  /**
   * Connects to a data centre.
   * @param onData takes what it says
   * @returns what sends there, at once or when it is connected
   */
  open(port: number, onData: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void;
}

/** A proxy that runs. */
export interface ProxyServer {
  port: number;
  /** How many clients there ever were that got through to a data centre. */
  connections(): number;
  stop(): void;
}

interface Half {
  receive(bytes: Uint8Array): void;
  outbox: Outbox;
  /** The connection to the data centre. */
  onward?: Promise<Socket<Half> | undefined>;
}

/** @param serve gives what takes the bytes of a new client */
export function listenAsProxy(serve: (client: Client) => (bytes: Uint8Array) => void): ProxyServer {
  let connections = 0;
  const server = Bun.listen<Half>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const outbox = createOutbox((bytes) => socket.write(bytes));
        const half: Half = { outbox, receive: () => undefined };
        socket.data = half;
        half.receive = serve({
          reply: (bytes) => outbox.send(bytes),
          drop: () => socket.terminate(),
          open(port, onData) {
            connections++;
            const { promise, send } = connectOnward(port, onData, () => socket.terminate());
            half.onward = promise;
            return send;
          },
        });
      },
      data(socket, bytes) {
        socket.data.receive(new Uint8Array(bytes));
      },
      drain: (socket) => socket.data.outbox.drain(),
      close: (socket) => void socket.data.onward?.then((onward) => onward?.terminate()),
      // The close that follows says all there is to say.
      error: () => undefined,
    },
  });
  return { port: server.port, connections: () => connections, stop: () => server.stop(true) };
}

function connectOnward(port: number, onData: (bytes: Uint8Array) => void, onEnd: () => void) {
  let opened: Socket<Half> | undefined;
  const outbox = createOutbox((bytes) => opened?.write(bytes) ?? 0);
  const promise = Bun.connect<Half>({
    hostname: "127.0.0.1",
    port,
    data: { outbox, receive: onData },
    socket: {
      open(socket) {
        opened = socket;
        outbox.drain();
      },
      data: (socket, bytes) => socket.data.receive(new Uint8Array(bytes)),
      drain: () => outbox.drain(),
      close: onEnd,
      error: onEnd,
    },
  }).catch(() => {
    onEnd();
    return undefined;
  });
  return { promise, send: (bytes: Uint8Array) => outbox.send(bytes) };
}
