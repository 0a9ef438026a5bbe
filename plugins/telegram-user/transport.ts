import { type ITcpConnection, performSocksHandshake, type TcpEndpoint } from "@fuman/net";
import {
  BaseMtProxyTransport,
  IntermediatePacketCodec,
  type IPacketCodec,
  type ITelegramConnection,
  type MtProxySettings,
  type TelegramTransport,
} from "@mtcute/core";
import { CONNECT_MS_MAX, type Sockets, within } from "./sockets.ts";

/**
 * How an account reaches Telegram: straight, or through its own proxy.
 * @param proxy `socks5://user:password@host:port` or `mtproxy://host:port/secret`
 * @throws where the address is none of these; the error does not repeat it
 */
export function createTransport(proxy: string | null, sockets: Sockets): TelegramTransport {
  if (proxy === null) return new DirectTransport(sockets);
  const { protocol, hostname, port, username, password, pathname } = parse(proxy);
  const endpoint = { address: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
  if (protocol === "socks5:") {
    const credentials = username === "" ? {} : { user: decodeURIComponent(username), password: decodeURIComponent(password) };
    return new SocksTransport(sockets, { ...endpoint, ...credentials });
  }
  if (protocol === "mtproxy:")
    return new MtProxyTransport(sockets, { host: endpoint.address, port: endpoint.port, secret: pathname.slice(1) });
  throw new Error("The proxy's address begins neither with socks5:// nor with mtproxy://.");
}

function parse(proxy: string): URL {
  const url = URL.parse(proxy);
  if (url === null || url.port === "") throw new Error("The proxy's address is not of the form scheme://host:port.");
  return url;
}

class DirectTransport implements TelegramTransport {
  constructor(readonly sockets: Sockets) {}

  connect({ ipAddress, port }: { ipAddress: string; port: number }): Promise<ITelegramConnection> {
    return this.sockets.connect({ address: ipAddress, port });
  }

  packetCodec(): IPacketCodec {
    return new IntermediatePacketCodec();
  }
}

type SocksProxy = TcpEndpoint & { user?: string; password?: string };

class SocksTransport extends DirectTransport {
  readonly #proxy: SocksProxy;

  constructor(sockets: Sockets, proxy: SocksProxy) {
    super(sockets);
    this.#proxy = proxy;
  }

  override async connect({ ipAddress, port }: { ipAddress: string; port: number }): Promise<ITelegramConnection> {
    const { address, port: proxyPort, ...credentials } = this.#proxy;
    const connection = await this.sockets.connect({ address, port: proxyPort });
    const proxy = { host: address, port: proxyPort, version: 5 as const, ...credentials };
    try {
      await within(CONNECT_MS_MAX, performSocksHandshake(connection, connection, proxy, { address: ipAddress, port }));
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }
}

class MtProxyTransport extends BaseMtProxyTransport {
  readonly #sockets: Sockets;

  constructor(sockets: Sockets, proxy: MtProxySettings) {
    super(proxy);
    this.#sockets = sockets;
  }

  override _connectTcp(endpoint: TcpEndpoint): Promise<ITcpConnection> {
    return this.#sockets.connect(endpoint);
  }
}
