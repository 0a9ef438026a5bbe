import { toTime } from "#src/core/clock.ts";
import type { OutcomeCode } from "#src/core/outcomes.ts";
import type { ThreadBrief } from "#src/modules/threads/model.ts";
import type { Attempt, Content, Message, MessageStatus, Person, Sent } from "./model.ts";
import { readOrigin } from "./origin.ts";
import type { MessageRow } from "./store.ts";

/** The only way from a row to what clients see. */
export function presentMessage(row: MessageRow): Message {
  return {
    id: row.id,
    channel: row.channel,
    account_id: row.account_id,
    direction: row.direction as Message["direction"],
    to: row.recipient,
    sender: row.sender === null ? null : (JSON.parse(row.sender) as Person),
    contact_id: row.contact_id,
    thread_id: row.thread_id,
    text: row.text,
    ...presentContent(row.content),
    status: row.status as MessageStatus,
    eta: toTime(row.eta),
    schedule_at: toTime(row.schedule_at),
    expires_at: toTime(row.expires_at),
    silent: row.silent === 1,
    reply_to: row.reply_to,
    error: row.error_code === null ? null : { code: row.error_code as OutcomeCode, message: row.error_message ?? "", link: row.error_link },
    last_error: row.last_error,
    attempts: JSON.parse(row.attempts) as Attempt[],
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    origin: readOrigin(row.origin),
    created_at: toTime(row.created_at),
    sent_at: toTime(row.sent_at),
    delivered_at: toTime(row.delivered_at),
    read_at: toTime(row.read_at),
    edited_at: toTime(row.edited_at),
    deleted_at: toTime(row.deleted_at),
    updated_at: toTime(row.updated_at),
  };
}

/** A message as events tell of it. */
export function presentInThread(row: MessageRow, thread: ThreadBrief | null): Message & { thread: ThreadBrief | null } {
  // Not spread: of every message that is sent there are several.
  return Object.assign(presentMessage(row), {
    thread: thread === null ? null : { id: thread.id, topic_id: thread.topic_id, title: thread.title },
  });
}

function presentContent(json: string | null): Required<Content> {
  const content = json === null ? {} : (JSON.parse(json) as Content);
  return {
    parse_mode: content.parse_mode ?? null,
    attachments: content.attachments ?? [],
    buttons: content.buttons ?? [],
    location: content.location ?? null,
    contact_card: content.contact_card ?? null,
    album_id: content.album_id ?? null,
    start_payload: content.start_payload ?? null,
    reactions: content.reactions ?? [],
  };
}

export function presentSent(row: MessageRow): Sent {
  return { id: row.id, status: row.status as MessageStatus, eta: toTime(row.eta ?? row.created_at) };
}
