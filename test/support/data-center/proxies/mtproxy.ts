import { createPackets, pack } from "#test/support/data-center/wire/packets.ts";
import { createTransport } from "#test/support/data-center/wire/transport.ts";
import { listenAsProxy, type ProxyServer } from "./relay.ts";

const INTERMEDIATE_TAG = new Uint8Array(4).fill(0xee);

/**
 * An MTProxy: https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
 * @param secret 16 bytes; a client of a `dd` secret has the same ones and pads its packets
 * @param ports where the data centres are, by their number
 */
export function listenAsMtProxy(secret: Uint8Array, ports: Map<number, number>): ProxyServer {
  return listenAsProxy((client) => {
    const transport = createTransport(secret);
    const answers = createPackets();
    let send: ((bytes: Uint8Array) => void) | undefined;
    const open = () => {
      const port = ports.get(transport.dcId() ?? 0);
      if (port === undefined) throw new Error(`there is no data centre ${transport.dcId()}`);
      const send = client.open(port, (bytes) => {
        for (const packet of answers.receive(bytes)) client.reply(transport.pack(packet));
      });
      send(INTERMEDIATE_TAG);
      return send;
    };
    return (bytes) => {
      try {
        for (const packet of transport.receive(bytes)) (send ??= open())(pack(packet));
      } catch {
        // Who does not know the secret is not talked to.
        client.drop();
      }
    };
  });
}
