import { newId } from "#src/core/ids.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Channel } from "./channel.ts";
import type { Timing } from "./compose.ts";
import type { Addressee } from "./contacts.ts";
import type { Relink } from "./linking.ts";
import type { Content, SendMessage } from "./model.ts";
import { type Origin, writeOrigin } from "./origin.ts";
import type { MessageRow } from "./store.ts";

export type Sender = Pick<Principal, "env_id" | "key_id" | "account_ids">;

/** What a message is made of beside what was asked for. */
export interface Making {
  /** The conversation that it is written in. */
  thread_id?: string | null;
  /** What makes it by itself: then it waits for a day with room under the account's caps. */
  origin?: Origin | null;
  /** Gives its links other addresses. */
  relink?: Relink;
}

interface Composed {
  text: string;
  content: Content | null;
  channel: Channel;
  to: Addressee;
  timing: Timing;
  eta: number;
  cap_day: string | null;
  thread_id: string | null;
  origin: Origin | null;
  now: number;
}

/** A message as it is kept when it is asked for. */
export function newRow(
  sender: Sender,
  ask: SendMessage,
  { text, content, channel, to, timing, eta, cap_day, thread_id, origin, now }: Composed,
): MessageRow {
  return {
    env_id: sender.env_id,
    id: newId("msg", now, sender.env_id),
    channel: channel.name,
    account_id: ask.account_id,
    direction: "out",
    recipient: to.recipient,
    contact_id: to.contact_id,
    thread_id,
    text,
    status: "queued",
    eta,
    schedule_at: timing.schedule_at,
    expires_at: timing.expires_at,
    silent: ask.silent === true ? 1 : 0,
    reply_to: ask.reply_to ?? null,
    metadata: JSON.stringify(ask.metadata ?? {}),
    error_code: null,
    error_message: null,
    error_link: null,
    last_error: null,
    attempts: "[]",
    remote_id: null,
    cap_day,
    sender: null,
    chat_id: null,
    content: content === null ? null : JSON.stringify(content),
    edited_at: null,
    origin: origin === null ? null : writeOrigin(origin),
    deleted_at: null,
    created_at: now,
    sent_at: null,
    delivered_at: null,
    read_at: null,
    updated_at: now,
  };
}
