import type { Long } from "@mtcute/core";
import { createAesIgeForMessage, createAesIgeForMessageOld } from "@mtcute/core/utils.js";
import { readerOf, type TlRecord } from "#test/support/data-center/tl/read.ts";
import { crypto } from "./crypto.ts";
import { isEqual, sha256 } from "./hash.ts";
import type { AuthKey } from "./keys.ts";

export interface ClientMessage {
  salt: Long;
  sessionId: Long;
  id: Long;
  sequence: number;
  body: Uint8Array;
}

/** A message in MTProto 2.0. @throws Error if it was not written with this key */
export function decryptMessage(key: AuthKey, packet: Uint8Array): ClientMessage {
  const messageKey = packet.subarray(8, 24);
  // The padded transport adds up to 15 bytes that are not part of the message.
  const encrypted = packet.subarray(24, packet.length - ((packet.length - 24) % 16));
  const plain = createAesIgeForMessage(crypto, key.bytes, messageKey, true).decrypt(encrypted);
  if (!isEqual(sha256(key.bytes.subarray(88, 120), plain).subarray(8, 24), messageKey)) throw new Error("a wrong message key");
  const reader = readerOf(plain);
  const head = { salt: reader.long(), sessionId: reader.long(), id: reader.long(), sequence: reader.int() };
  const length = reader.uint();
  return { ...head, body: plain.subarray(reader.pos, reader.pos + length) };
}

/** What binds a temporary key to a permanent one is written in MTProto 1.0 with the permanent one. */
export function decryptBinding(key: AuthKey, packet: Uint8Array): TlRecord {
  const plain = createAesIgeForMessageOld(crypto, key.bytes, packet.subarray(8, 24), true).decrypt(packet.subarray(24));
  return readerOf(plain, 32).object() as TlRecord;
}
