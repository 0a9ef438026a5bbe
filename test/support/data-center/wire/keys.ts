import type { Long } from "@mtcute/core";
import { hex } from "./hash.ts";

/** What outlives a connection: the key that a client has agreed with one data centre, and what the cloud knows of it. */
export interface AuthKey<Standing = unknown> {
  id: string;
  bytes: Uint8Array;
  dcId: number;
  isTemporary: boolean;
  salt: Long;
  /** The permanent key for which a temporary one stands (perfect forward secrecy). */
  boundTo?: AuthKey<Standing>;
  standing: Standing;
}

export function permanent<Standing>(key: AuthKey<Standing>): AuthKey<Standing> {
  return key.boundTo ?? key;
}

/** A key's id as it stands in the head of a message, or in a number. */
export function keyIdOf(id: Uint8Array | Long): string {
  return hex(id instanceof Uint8Array ? id.subarray(0, 8) : new Uint8Array(id.toBytesLE()));
}
