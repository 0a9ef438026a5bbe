import { u8 } from "@fuman/utils";
import { aesCtr } from "./crypto.ts";
import { sha256 } from "./hash.ts";

/** What a client says in the first 64 bytes of an obfuscated connection. */
export interface Obfuscation {
  /** The transport inside. */
  tag: number;
  /** Where a client of an MTProxy wants to go. */
  dcId: number;
  decrypt(bytes: Uint8Array): Uint8Array;
  encrypt(bytes: Uint8Array): Uint8Array;
}

/** See https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation */
export function readObfuscation(head: Uint8Array, secret?: Uint8Array): Obfuscation {
  const reversed = u8.toReversed(head.subarray(8, 56));
  const keyOf = (key: Uint8Array) => (secret === undefined ? key : sha256(u8.concat2(key, secret)));
  const incoming = aesCtr(keyOf(head.subarray(8, 40)), head.subarray(40, 56), false);
  const outgoing = aesCtr(keyOf(reversed.subarray(0, 32)), reversed.subarray(32, 48), true);
  const clear = incoming.process(head);
  const view = new DataView(clear.buffer, clear.byteOffset);
  return {
    tag: view.getUint32(56, true),
    dcId: Math.abs(view.getInt16(60, true)),
    decrypt: (bytes) => incoming.process(bytes),
    encrypt: (bytes) => outgoing.process(bytes),
  };
}
