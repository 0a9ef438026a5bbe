import { unzipSync } from "node:zlib";
import type { Long } from "@mtcute/core";
import { readCall, readerOf, type TlRecord } from "#test/support/data-center/tl/read.ts";

const CONTAINER = 0x73f1f8dc;
const GZIP_PACKED = 0x3072cfa1;
/** Methods that carry another one, in any order. */
const wrappers = new Set([
  "initConnection",
  "invokeAfterMsg",
  "invokeWithLayer",
  "invokeWithMessagesRange",
  "invokeWithTakeout",
  "invokeWithoutUpdates",
]);

export interface Part {
  id: Long;
  sequence: number;
  body: Uint8Array;
}

/** The messages in a container, or the message itself. */
export function partsOf(message: Part): Part[] {
  const reader = readerOf(message.body);
  const constructor = reader.peekUint() >>> 0;
  if (constructor !== CONTAINER && constructor !== GZIP_PACKED) return [message];
  reader.uint();
  if (constructor === GZIP_PACKED) return partsOf({ ...message, body: unzip(reader.bytes()) });
  return Array.from({ length: reader.uint() }, () => {
    const head = { id: reader.long(), sequence: reader.int() };
    return { ...head, body: new Uint8Array(reader.raw(reader.uint())) };
  }).flatMap(partsOf);
}

export interface Unwrapped {
  call: TlRecord;
  /** The names of the methods around it. */
  wrappedIn: Set<string>;
}

/** @throws Error for a method that the schema does not know */
export function unwrap(body: Uint8Array): Unwrapped {
  const wrappedIn = new Set<string>();
  let call = readCall(readerOf(body));
  while (wrappers.has(call._)) {
    wrappedIn.add(call._);
    call = call["query"] as TlRecord;
  }
  return { call, wrappedIn };
}

function unzip(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(unzipSync(bytes));
}
