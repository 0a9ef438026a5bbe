import { u8 } from "@fuman/utils";
import { readObfuscation, type Obfuscation } from "./obfuscation.ts";

/** Cuts what arrives into packets, and makes a packet of what is sent, in the manner that the client has chosen. */
export interface Transport {
  /** @returns the packets that are whole now */
  receive(bytes: Uint8Array): Uint8Array[];
  pack(packet: Uint8Array): Uint8Array;
}

const INTERMEDIATE = 0xeeeeeeee;
const PADDED_INTERMEDIATE = 0xdddddddd;
const OBFUSCATED_HEAD_BYTES = 64;

/**
 * The intermediate transport, padded or not, obfuscated or not.
 * See https://core.telegram.org/mtproto/mtproto-transports
 * @param secret of the MTProxy, which mixes it into the obfuscation
 */
export function createTransport(secret?: Uint8Array): Transport {
  let waiting: Uint8Array = new Uint8Array();
  let obfuscation: Obfuscation | undefined;
  let isTagged = false;

  /** Reads how the client is going to speak. @returns false while too little has arrived */
  const readTag = (): boolean => {
    const tag = waiting.length < 4 ? undefined : uint32(waiting, 0);
    if (tag === undefined) return false;
    if (isIntermediate(tag) && secret === undefined) {
      waiting = waiting.slice(4);
      return true;
    }
    if (waiting.length < OBFUSCATED_HEAD_BYTES) return false;
    obfuscation = readObfuscation(waiting.subarray(0, OBFUSCATED_HEAD_BYTES), secret);
    if (!isIntermediate(obfuscation.tag)) throw new Error("a transport that is not intermediate");
    waiting = obfuscation.decrypt(waiting.subarray(OBFUSCATED_HEAD_BYTES));
    return true;
  };
  const takePacket = (): Uint8Array | undefined => {
    if (waiting.length < 4) return undefined;
    const length = uint32(waiting, 0);
    if (waiting.length < 4 + length) return undefined;
    const packet = waiting.slice(4, 4 + length);
    waiting = waiting.slice(4 + length);
    return packet;
  };
  return {
    receive(bytes) {
      waiting = u8.concat2(waiting, isTagged && obfuscation ? obfuscation.decrypt(bytes) : bytes);
      isTagged ||= readTag();
      const packets: Uint8Array[] = [];
      if (!isTagged) return packets;
      for (let packet = takePacket(); packet !== undefined; packet = takePacket()) packets.push(packet);
      return packets;
    },
    pack(packet) {
      const packed = new Uint8Array(4 + packet.length);
      new DataView(packed.buffer).setUint32(0, packet.length, true);
      packed.set(packet, 4);
      return obfuscation?.encrypt(packed) ?? packed;
    },
  };
}

function isIntermediate(tag: number): boolean {
  return tag === INTERMEDIATE || tag === PADDED_INTERMEDIATE;
}

function uint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}
