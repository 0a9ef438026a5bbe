import { createConnection, type Connection, type Host } from "./connection.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import type { Session } from "./session.ts";

/** The door of one data centre. */
export interface Listener<Standing> {
  port: number;
  /** How many connections there ever were. */
  connections(): number;
  sessions(): Session<Standing>[];
  dropConnections(): void;
  stop(): void;
}

interface Client<Standing> {
  connection: Connection<Standing>;
  outbox: Outbox;
  drop(): void;
}

export function listen<Standing>(host: Host<Standing>, port = 0): Listener<Standing> {
  const clients = new Set<Client<Standing>>();
  let count = 0;
  const server = Bun.listen<Client<Standing>>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        count++;
        socket.setNoDelay(true);
        const outbox = createOutbox((bytes) => socket.write(bytes));
        const drop = () => socket.terminate();
        socket.data = { connection: createConnection(host, { send: (bytes) => outbox.send(bytes), drop }), outbox, drop };
        clients.add(socket.data);
      },
      data: (socket, bytes) => socket.data.connection.receive(new Uint8Array(bytes)),
      drain: (socket) => socket.data.outbox.drain(),
      close: (socket) => void clients.delete(socket.data),
      // The close that follows says all there is to say.
      error: () => undefined,
    },
  });
  return {
    port: server.port,
    connections: () => count,
    sessions: () => [...clients].flatMap(({ connection }) => [...connection.sessions.values()]),
    dropConnections: () => {
      for (const { drop } of clients) drop();
    },
    stop: () => server.stop(true),
  };
}
