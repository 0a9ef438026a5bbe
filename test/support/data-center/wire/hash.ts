import { createHash, randomBytes } from "node:crypto";
import { Long } from "@mtcute/core";

export function sha1(...parts: Uint8Array[]): Uint8Array {
  return digest("sha1", parts);
}

export function sha256(...parts: Uint8Array[]): Uint8Array {
  return digest("sha256", parts);
}

function digest(algorithm: string, parts: Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}

/** The first eight bytes as a number. */
export function longOf(bytes: Uint8Array): Long {
  return Long.fromBytesLE([...bytes.subarray(0, 8)]);
}

export function randomLong(): Long {
  return longOf(random(8));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
