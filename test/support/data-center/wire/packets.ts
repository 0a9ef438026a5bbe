import { u8 } from "@fuman/utils";

/** The intermediate transport's packets: each says first how long it is. */
export interface Packets {
  /** @returns the packets that are whole now */
  receive(bytes: Uint8Array): Uint8Array[];
}

export function createPackets(): Packets {
  let waiting: Uint8Array = new Uint8Array();
  const take = (): Uint8Array | undefined => {
    if (waiting.length < 4) return undefined;
    const length = uint32(waiting, 0);
    if (waiting.length < 4 + length) return undefined;
    const packet = waiting.slice(4, 4 + length);
    waiting = waiting.slice(4 + length);
    return packet;
  };
  return {
    receive(bytes) {
      waiting = u8.concat2(waiting, bytes);
      const packets: Uint8Array[] = [];
      for (let packet = take(); packet !== undefined; packet = take()) packets.push(packet);
      return packets;
    },
  };
}

export function pack(packet: Uint8Array): Uint8Array {
  const packed = new Uint8Array(4 + packet.length);
  new DataView(packed.buffer).setUint32(0, packet.length, true);
  packed.set(packet, 4);
  return packed;
}

export function uint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}
