import { newId } from "#src/core/ids.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { InboundChat, Received } from "#src/modules/connections/model.ts";
import type { Attachment, RemoteFile } from "#src/modules/files/model.ts";
import type { ThreadNews } from "#src/modules/threads/model.ts";
import type { Content, Person } from "./model.ts";
import { nameOf } from "./recording.ts";
import type { ChatRow, MessageRow } from "./store.ts";

/** Whom something has happened to. */
export interface HearingAccount {
  env_id: number;
  id: number;
  kind: string;
  username: string | null;
}

/** What a message tells that is received, or changed. */
export type Told = Omit<Received, "kind"> & { kind: "received" | "edited" };

/** Keeps where a file can be fetched. @returns its id */
export type KeepFile = (tx: Tx, env_id: number, account_id: number, file: RemoteFile) => Maybe<string>;

/** A message as it is kept when it comes: whose it is and what it answers is not known yet. */
export function incomingRow(
  { env_id, id: account_id, username }: HearingAccount,
  channel: string,
  told: Told,
  content: Content | null,
  now: number,
): MessageRow {
  const { sender, chat } = told;
  return {
    env_id,
    id: newId("msg", now, env_id),
    channel,
    account_id,
    direction: "in",
    recipient: username === null ? String(account_id) : `@${username}`,
    contact_id: null,
    thread_id: null,
    text: told.text,
    status: "received",
    eta: null,
    schedule_at: null,
    expires_at: null,
    silent: 0,
    reply_to: told.reply_to,
    metadata: "{}",
    error_code: null,
    error_message: null,
    error_link: null,
    last_error: null,
    attempts: "[]",
    remote_id: told.remote_id,
    cap_day: null,
    sender: sender === null ? null : JSON.stringify(plainPerson(sender)),
    chat_id: chat.id,
    content: content === null ? null : JSON.stringify(content),
    edited_at: told.kind === "edited" ? told.at : null,
    origin: null,
    deleted_at: null,
    created_at: now,
    sent_at: told.at,
    delivered_at: null,
    read_at: null,
    updated_at: now,
  };
}

const plainPerson = ({ telegram_id, username, first_name, last_name }: NonNullable<Told["sender"]>) => ({
  telegram_id,
  username,
  first_name,
  last_name,
});

/** What a message holds beside its text; null where that is nothing. */
export async function contentOf(tx: Tx, { env_id, id }: HearingAccount, told: Told, keepFile: KeepFile): Promise<Content | null> {
  const { files, location, contact_card, album_id, start_payload } = told;
  if (files.length === 0 && location === null && contact_card === null && album_id === null && start_payload === null) return null;
  const attachments: Attachment[] = [];
  for (const file of files) {
    const { type, name, mime, size, width, height, duration } = file;
    attachments.push({ type, file_id: await keepFile(tx, env_id, id, file), url: null, name, mime, size, width, height, duration });
  }
  return {
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(location === null ? {} : { location }),
    ...(contact_card === null ? {} : { contact_card }),
    ...(album_id === null ? {} : { album_id }),
    ...(start_payload === null ? {} : { start_payload }),
  };
}

/** Who makes happen what comes of what people do. */
export const WRITER = "contact";

/** Anonymous admins and channels are nobody's contact. */
export const isPerson = (person: Person | null): person is Person => person !== null && person.telegram_id > 0;

/** Whether a person writes for themselves, in a chat with nobody else. */
export const isPrivate = ({ chat }: { chat: InboundChat }): boolean => chat.type === "private";

/** A chat as it is told of now: it can be written to, since something came from there. */
export function chatRow({ env_id, id: account_id }: HearingAccount, chat: InboundChat, now: number, blocked_at: number | null): ChatRow {
  const { id: chat_id, type, title, first_name, last_name } = chat;
  const username = chat.username?.toLowerCase() ?? null;
  return { env_id, account_id, chat_id, type, username, first_name, last_name, title, blocked_at, updated_at: now };
}

/** What a thread is told of a message that has come. @param row with its contact */
export function newsOf({ chat, topic }: Told, { id, channel, account_id, contact_id }: MessageRow, at: number): ThreadNews {
  const alone = chat.type === "private";
  return {
    ...{ account_id: account_id!, chat_id: chat.id, topic_id: topic?.id ?? null, channel, type: chat.type },
    title: topic === null ? titleOf(chat) : topic.title,
    username: alone ? (chat.username?.toLowerCase() ?? null) : null,
    contact_id: alone ? contact_id : null,
    message_id: id,
    at,
  };
}

const titleOf = (chat: InboundChat) => (chat.type === "private" ? nameOf(chat) : chat.title);
