import { getMarkedPeerId, type tl } from "@mtcute/core";
import { __tlReaderMap, TlBinaryReader } from "@mtcute/core/utils.js";
import type { Described } from "./people.ts";
import type { AccountStorage } from "./storage.ts";

/** What is remembered of somebody, or of a chat. */
export async function describe({ peers }: Pick<AccountStorage, "peers">, peer: tl.TypePeer): Promise<Described | null> {
  const known = await peers.getById(getMarkedPeerId(peer));
  return known === null ? null : describedIn(known.complete);
}

/** @returns null where it was written by another version of the schema */
export function describedIn(complete: Uint8Array): Described | null {
  try {
    return TlBinaryReader.deserializeObject<Described>(__tlReaderMap, complete);
  } catch {
    return null;
  }
}
