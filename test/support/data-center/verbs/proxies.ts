import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import { listenAsMtProxy } from "#test/support/data-center/proxies/mtproxy.ts";
import type { ProxyServer } from "#test/support/data-center/proxies/relay.ts";
import { listenAsSocks5, type SocksLogin } from "#test/support/data-center/proxies/socks5.ts";
import { hex, random } from "#test/support/data-center/wire/hash.ts";

/** A proxy, as a client is told of it. */
interface Proxy {
  host: string;
  port: number;
}

export interface ProxyVerbs {
  /** Starts a SOCKS5 proxy that leads to the data centres; without a login it lets everyone in. */
  addSocksProxy(login?: SocksLogin): Proxy & Partial<SocksLogin>;
  /** Starts an MTProxy that leads to the data centres. @param secret `dd` if packets are to be padded */
  addMtProxy(secret?: "plain" | "dd"): Proxy & { secret: string };
  /** How many clients got through this proxy to a data centre. */
  proxyConnections(proxy: Pick<Proxy, "port">): number;
  stopProxy(proxy: Pick<Proxy, "port">): void;
  stopProxies(): void;
}

export function proxyVerbs({ ports }: Cloud): ProxyVerbs {
  const servers = new Map<number, ProxyServer>();
  const add = (server: ProxyServer): Proxy => {
    servers.set(server.port, server);
    return { host: "127.0.0.1", port: server.port };
  };
  return {
    addSocksProxy: (login) => ({ ...add(listenAsSocks5(login, ports)), ...login }),
    addMtProxy(kind = "plain") {
      const secret = random(16);
      return { ...add(listenAsMtProxy(secret, ports)), secret: `${kind === "dd" ? "dd" : ""}${hex(secret)}` };
    },
    proxyConnections: ({ port }) => servers.get(port)?.connections() ?? 0,
    stopProxy: ({ port }) => servers.get(port)?.stop(),
    stopProxies() {
      for (const server of servers.values()) server.stop();
    },
  };
}
