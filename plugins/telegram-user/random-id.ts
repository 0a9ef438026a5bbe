import { createHash } from "node:crypto";
import { Long } from "@mtcute/core";

/**
 * The number by which Telegram knows a message again: the same for each try, and for no other message.
 * @param part of an album
 */
export function randomIdOf(message_id: string, part = 0): Long {
  const named = part === 0 ? message_id : `${message_id}:${part}`;
  return Long.fromBytesLE([...createHash("sha256").update(named).digest().subarray(0, 8)]);
}
