import { u8 } from "@fuman/utils";
import { listenAsProxy, type Client, type ProxyServer } from "./relay.ts";

export interface SocksLogin {
  username: string;
  password: string;
}

const VERSION = 5;
const NO_LOGIN = 0;
const LOGIN = 2;
const NOT_ACCEPTABLE = 0xff;
const IPV4 = 1;
const DOMAIN = 3;
const REFUSED = 5;

/**
 * A SOCKS5 proxy (RFC 1928, RFC 1929) that leads to the data centres alone.
 * @param login without it, it lets everyone in
 * @param ports where the data centres are, by their number
 */
export function listenAsSocks5(login: SocksLogin | undefined, ports: Map<number, number>): ProxyServer {
  return listenAsProxy((client) => {
    const steps = [greeting(client, login), ...(login === undefined ? [] : [loginStep(client, login)]), connecting(client, ports)];
    let waiting: Uint8Array = new Uint8Array();
    let send: ((bytes: Uint8Array) => void) | undefined;
    return (bytes) => {
      if (send !== undefined) {
        send(bytes);
        return;
      }
      waiting = u8.concat2(waiting, bytes);
      for (let step = steps[0]; step !== undefined && waiting.length >= step.length(waiting); step = steps[0]) {
        const length = step.length(waiting);
        const message = waiting.slice(0, length);
        waiting = waiting.slice(length);
        steps.shift();
        send = step.take(message) ?? send;
      }
      if (send !== undefined && waiting.length > 0) send(waiting);
    };
  });
}

/** One message of the client. */
interface Step {
  /** How long it is, by the bytes that there are so far. */
  length(bytes: Uint8Array): number;
  /** Answers it. @returns what takes the bytes from now on, after the last one */
  take(message: Uint8Array): ((bytes: Uint8Array) => void) | undefined;
}

function greeting(client: Client, login: SocksLogin | undefined): Step {
  const wanted = login === undefined ? NO_LOGIN : LOGIN;
  return {
    length: (bytes) => 2 + (bytes[1] ?? 0),
    take(message) {
      const isOffered = message[0] === VERSION && message.subarray(2).includes(wanted);
      client.reply(Uint8Array.of(VERSION, isOffered ? wanted : NOT_ACCEPTABLE));
      return undefined;
    },
  };
}

function loginStep(client: Client, { username, password }: SocksLogin): Step {
  const passwordAt = (bytes: Uint8Array) => 2 + (bytes[1] ?? 0);
  return {
    length: (bytes) => passwordAt(bytes) + 1 + (bytes[passwordAt(bytes)] ?? 0),
    take(message) {
      const at = passwordAt(message);
      const isRight = text(message.subarray(2, at)) === username && text(message.subarray(at + 1)) === password;
      client.reply(Uint8Array.of(1, isRight ? 0 : 1));
      return undefined;
    },
  };
}

function connecting(client: Client, ports: Map<number, number>): Step {
  const addressLength = (bytes: Uint8Array) => (bytes[3] === DOMAIN ? 1 + (bytes[4] ?? 0) : bytes[3] === IPV4 ? 4 : 16);
  return {
    length: (bytes) => 4 + addressLength(bytes) + 2,
    take(message) {
      const port = new DataView(message.buffer, message.byteOffset).getUint16(message.length - 2);
      const isKnown = [...ports.values()].includes(port);
      client.reply(Uint8Array.of(VERSION, isKnown ? 0 : REFUSED, 0, IPV4, 127, 0, 0, 1, 0, 0));
      return isKnown ? client.open(port, (bytes) => client.reply(bytes)) : undefined;
    },
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
