import { toTime } from "#src/core/clock.ts";
import { cutText } from "#src/core/search-text.ts";
import { EXCERPT_MAX, type HeldThread, type Thread, type ThreadNote } from "./model.ts";
import type { LastMessageRow, ThreadNoteRow, ThreadRow } from "./store.ts";

/** The way from a row to what clients see. */
export function presentThread(row: ThreadRow, last: LastMessageRow | undefined): Thread {
  return { ...presentHeld(row), last_message: last === undefined ? null : presentLast(last) };
}

/** The same without what was written in it. */
export function presentHeld(row: ThreadRow): HeldThread {
  return {
    id: row.id,
    channel: row.channel,
    account_id: row.account_id,
    type: row.type as Thread["type"],
    title: row.title,
    username: row.username,
    topic_id: row.topic_id === "" ? null : row.topic_id,
    contact_id: row.contact_id,
    unread: row.unread,
    archived: row.archived_at !== null,
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

function presentLast({ id, direction, text, status, created_at, sent_at }: LastMessageRow): NonNullable<Thread["last_message"]> {
  return { id, direction: direction as "in" | "out", text: cutText(text, EXCERPT_MAX), at: toTime(sent_at ?? created_at), status };
}

export function presentNote({ id, thread_id, text, actor, created_at }: ThreadNoteRow): ThreadNote {
  return { id, thread_id, text, actor, created_at: toTime(created_at) };
}
