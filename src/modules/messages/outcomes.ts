import type { Maybe, Tx } from "#src/core/tx.ts";
import type { EventType } from "#src/modules/events/model.ts";
import type { Ended } from "./model.ts";
import { readOrigin } from "./origin.ts";
import type { MessageRow } from "./store.ts";

/** Whoever has messages made by itself is told of each one's end, once, in the transaction that records it. */
export interface Outcomes {
  recorded(tx: Tx, ended: readonly Ended[]): Maybe<void>;
}

/** @returns null for a message that was asked for by itself, and for what is no end */
export function endedOf(row: MessageRow, events: readonly EventType[]): Ended | null {
  if (row.origin === null) return null;
  const to = endOf(row.status, events);
  if (to === null) return null;
  const { env_id, id: message_id, contact_id, account_id, error_code: code } = row;
  return { env_id, message_id, contact_id, account_id, origin: readOrigin(row.origin)!, to, code };
}

function endOf(status: string, events: readonly EventType[]): Ended["to"] | null {
  if (events.includes("message.sent")) return "sent";
  if (events.includes("message.failed")) return "failed";
  if (events.includes("message.canceled")) return "canceled";
  return status === "queued" ? "returned" : null;
}
