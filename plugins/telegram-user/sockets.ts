import { TcpConnection } from "@fuman/bun";
import type { ITcpConnection, TcpEndpoint } from "@fuman/net";

export const CONNECT_MS_MAX = 15_000;

/** The sockets of one client. */
export interface Sockets {
  connect(endpoint: TcpEndpoint): Promise<ITcpConnection>;
  /** Closes them all, also those that are connecting, since mtcute leaves these open. */
  close(): void;
}

export function createSockets(): Sockets {
  const open = new Set<TcpConnection>();
  const closed = Promise.withResolvers<never>();
  let isClosed = false;
  // Nobody may be waiting when it is closed.
  closed.promise.catch(() => undefined);

  return {
    async connect(endpoint) {
      const socket = new TcpConnection();
      const connecting = socket.connect(endpoint);
      try {
        await within(CONNECT_MS_MAX, Promise.race([connecting, closed.promise]));
        if (isClosed) throw new Error("the client is closed");
      } catch (error) {
        // Bun can't be told to stop connecting: one that comes late is ended then.
        connecting.then(() => socket.close()).catch(() => undefined);
        throw error;
      }
      // The wrapper's own setNoDelay and setKeepAlive throw under Bun.
      socket.socket.setNoDelay(true);
      socket.socket.setKeepAlive(true, 30_000);
      for (const one of open) if (one.socket.readyState <= 0) open.delete(one);
      open.add(socket);
      return socket;
    },
    close() {
      isClosed = true;
      closed.reject(new Error("the client is closed"));
      for (const socket of open) socket.close();
    },
  };
}

/** @throws Error when it takes longer */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no connection within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
