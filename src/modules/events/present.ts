import { toTime } from "#src/core/clock.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Event, EventType } from "./model.ts";
import type { EventRow } from "./store.ts";

/** The form in which an event goes out, in lists and to receivers alike. */
export function presentEvent(row: EventRow): Event {
  const data = JSON.parse(row.data) as Record<string, unknown>;
  const event = { event: row.type as EventType, id: row.id, created_at: toTime(row.created_at), subject: row.subject, actor: row.actor };
  if (!row.type.startsWith("message.")) return { ...event, data };
  const { account_id, to, sender, text, thread_id } = data as Pick<Message, "account_id" | "to" | "sender" | "text" | "thread_id">;
  return { ...event, account_id, contact: writerOf(sender) ?? to, text, thread_id, data };
}

/** @param sender absent from events of earlier versions */
function writerOf(sender: Message["sender"] | undefined): string | undefined {
  if (sender === null || sender === undefined) return undefined;
  return sender.username === null ? String(sender.telegram_id) : `@${sender.username}`;
}
