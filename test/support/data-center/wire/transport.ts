import { u8 } from "@fuman/utils";
import { readObfuscation, type Obfuscation } from "./obfuscation.ts";
import { createPackets, pack, uint32 } from "./packets.ts";

/** Cuts what arrives into packets, and makes bytes of a packet that is sent, in the manner that the client has chosen. */
export interface Transport {
  /** @returns the packets that are whole now */
  receive(bytes: Uint8Array): Uint8Array[];
  pack(packet: Uint8Array): Uint8Array;
  /** Where a client of an MTProxy wants to go, once it has said so. */
  dcId(): number | undefined;
}

const INTERMEDIATE = 0xeeeeeeee;
const PADDED_INTERMEDIATE = 0xdddddddd;
const TAG_BYTES = 4;
const OBFUSCATED_HEAD_BYTES = 64;

/**
 * The intermediate transport, padded or not, obfuscated or not.
 * See https://core.telegram.org/mtproto/mtproto-transports
 * @param secret of the MTProxy, which mixes it into the obfuscation and takes nothing else
 */
export function createTransport(secret?: Uint8Array): Transport {
  const packets = createPackets();
  let head: Uint8Array = new Uint8Array();
  let isTagged = false;
  let obfuscation: Obfuscation | undefined;

  /** Reads how the client is going to speak. @returns what follows, or nothing while too little has arrived */
  const readHead = (): Uint8Array | undefined => {
    if (head.length < TAG_BYTES) return undefined;
    if (secret === undefined && isIntermediate(uint32(head, 0))) {
      isTagged = true;
      return head.slice(TAG_BYTES);
    }
    if (head.length < OBFUSCATED_HEAD_BYTES) return undefined;
    obfuscation = readObfuscation(head.subarray(0, OBFUSCATED_HEAD_BYTES), secret);
    if (!isIntermediate(obfuscation.tag)) throw new Error("a transport that is not intermediate, or a wrong secret");
    isTagged = true;
    return obfuscation.decrypt(head.subarray(OBFUSCATED_HEAD_BYTES));
  };
  return {
    receive(bytes) {
      if (isTagged) return packets.receive(obfuscation?.decrypt(bytes) ?? bytes);
      head = u8.concat2(head, bytes);
      const rest = readHead();
      return rest === undefined ? [] : packets.receive(rest);
    },
    pack: (packet) => obfuscation?.encrypt(pack(packet)) ?? pack(packet),
    dcId: () => obfuscation?.dcId,
  };
}

function isIntermediate(tag: number): boolean {
  return tag === INTERMEDIATE || tag === PADDED_INTERMEDIATE;
}
