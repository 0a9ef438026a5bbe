import { TcpConnection } from "@fuman/bun";
import { type ITcpConnection, performSocksHandshake, type TcpEndpoint } from "@fuman/net";
import {
  BaseMtProxyTransport,
  IntermediatePacketCodec,
  type IPacketCodec,
  type ITelegramConnection,
  type TelegramTransport,
} from "@mtcute/core";

const CONNECT_MS_MAX = 15_000;

/**
 * How an account reaches Telegram: straight, or through its own proxy.
 * @param proxy `socks5://user:password@host:port` or `mtproxy://host:port/secret`
 * @throws where the address is none of these; the error does not repeat it
 */
export function createTransport(proxy: string | null): TelegramTransport {
  if (proxy === null) return new DirectTransport();
  const { protocol, hostname, port, username, password, pathname } = parse(proxy);
  const endpoint = { address: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
  if (protocol === "socks5:") {
    const credentials = username === "" ? {} : { user: decodeURIComponent(username), password: decodeURIComponent(password) };
    return new SocksTransport({ ...endpoint, ...credentials });
  }
  if (protocol === "mtproxy:") return new MtProxyTransport({ host: endpoint.address, port: endpoint.port, secret: pathname.slice(1) });
  throw new Error("The proxy's address begins neither with socks5:// nor with mtproxy://.");
}

function parse(proxy: string): URL {
  const url = URL.parse(proxy);
  if (url === null || url.port === "") throw new Error("The proxy's address is not of the form scheme://host:port.");
  return url;
}

class DirectTransport implements TelegramTransport {
  connect({ ipAddress, port }: { ipAddress: string; port: number }): Promise<ITelegramConnection> {
    return connectTcp({ address: ipAddress, port });
  }

  packetCodec(): IPacketCodec {
    return new IntermediatePacketCodec();
  }
}

class SocksTransport extends DirectTransport {
  readonly #proxy: TcpEndpoint & { user?: string; password?: string };

  constructor(proxy: TcpEndpoint & { user?: string; password?: string }) {
    super();
    this.#proxy = proxy;
  }

  override async connect({ ipAddress, port }: { ipAddress: string; port: number }): Promise<ITelegramConnection> {
    const { address, port: proxyPort, ...credentials } = this.#proxy;
    const connection = await connectTcp({ address, port: proxyPort });
    const proxy = { host: address, port: proxyPort, version: 5 as const, ...credentials };
    try {
      const shaken = performSocksHandshake(connection, connection, proxy, { address: ipAddress, port });
      await within(CONNECT_MS_MAX, shaken);
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }
}

class MtProxyTransport extends BaseMtProxyTransport {
  override _connectTcp(endpoint: TcpEndpoint): Promise<ITcpConnection> {
    return connectTcp(endpoint);
  }
}

async function connectTcp(endpoint: TcpEndpoint): Promise<ITcpConnection> {
  const connection = new TcpConnection();
  const connecting = connection.connect(endpoint);
  // Bun can't be told to stop connecting: one that comes late is ended then.
  const leave = () => void connecting.then(() => connection.close()).catch(() => undefined);
  await within(CONNECT_MS_MAX, connecting, leave);
  // The wrapper's own setNoDelay and setKeepAlive throw under Bun.
  connection.socket.setNoDelay(true);
  connection.socket.setKeepAlive(true, 30_000);
  return connection;
}

async function within<T>(ms: number, work: Promise<T>, onLate: () => void = () => undefined): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    onLate();
    reject(new Error(`no connection within ${ms} ms`));
  }, ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
