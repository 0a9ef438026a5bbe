import type { Clock } from "#src/core/clock.ts";
import { newId } from "#src/core/ids.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { Channel } from "./channel.ts";
import type { Message, Person } from "./model.ts";
import { presentMessage } from "./present.ts";
import { readReply } from "./replies.ts";
import { notesOf, type Scoring } from "./scoring.ts";
import type { MessageRow, MessageStore } from "./store.ts";

/** What somebody has written to an account, as its channel tells. */
export interface Incoming {
  env_id: number;
  account: { id: number; kind: string; username: string | null };
  /** The channel's own id of the message, unique within the chat. */
  remote_id: string;
  /** Of a private chat the sender's own id. */
  chat_id: string;
  sender: Person;
  text: string;
  /** Ms. */
  sent_at: number;
}

interface Needs {
  store: MessageStore;
  clock: Clock;
  channels: ReadonlyMap<string, Pick<Channel, "name" | "family">>;
  /** Whose message it is. @param at when the person wrote, in ms @returns the contact's id */
  seen(tx: Tx, writer: { env_id: number; actor: string }, person: Person, at: number): Promise<string>;
  scoring: Scoring;
  suppressions: {
    optOut(tx: Tx, env_id: number, family: string, recipient: string): Promise<void>;
    /** Lifts what `optOut` has made. */
    optIn(tx: Tx, env_id: number, family: string, recipient: string): Promise<void>;
  };
  /** Whether a person's own STOP counts. */
  hearsReplies(tx: Tx, env_id: number): Maybe<boolean>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

/** Who makes happen what comes of a message that was received. */
const WRITER = "contact";

/** Takes what people write. */
export function createReceiver({ store, clock, channels, seen, scoring, suppressions, hearsReplies, appendEvent }: Needs) {
  /** A private chat tells whose `@username` it is, so that an opt-out of the id is one of the name. */
  async function keepChat(tx: Tx, { env_id, account, chat_id, sender }: Incoming, updated_at: number): Promise<void> {
    const { first_name, last_name } = sender;
    const username = sender.username?.toLowerCase() ?? null;
    await store.keepChat(tx, {
      env_id,
      account_id: account.id,
      chat_id,
      type: "private",
      username,
      first_name,
      last_name,
      title: null,
      blocked_at: null,
      updated_at,
    });
  }

  async function heed(tx: Tx, { env_id, account, chat_id, text }: Incoming): Promise<void> {
    const reply = readReply(text);
    if (reply === null || !(await hearsReplies(tx, env_id))) return;
    const { family } = channels.get(account.kind)!;
    if (reply === "stop") await suppressions.optOut(tx, env_id, family, chat_id);
    else await suppressions.optIn(tx, env_id, family, chat_id);
  }

  /**
   * Keeps a message that was received, once: telling of it again changes nothing.
   * @returns the message, and whether it is new
   */
  return async function receive(tx: Tx, incoming: Incoming): Promise<{ message: Message; created: boolean }> {
    const { env_id, account, sender } = incoming;
    const now = clock.now();
    const row = newRow(incoming, channels.get(account.kind)!.name, now);
    while (!(await store.insertReceived(tx, row))) {
      // One that is erased between the two has left its place.
      const kept = await store.received(tx, row);
      if (kept !== undefined) return { message: presentMessage(kept), created: false };
    }
    const contact_id = await seen(tx, { env_id, actor: WRITER }, sender, Math.min(incoming.sent_at, now));
    const received = { ...row, contact_id };
    store.assign(tx, received);
    const message = presentMessage(received);
    appendEvent(tx, env_id, { type: "message.received", subject: row.id, actor: WRITER, data: message });
    await scoring.noted(tx, { env_id, actor: WRITER }, notesOf(received, ["message.received"]));
    if (incoming.chat_id === String(sender.telegram_id)) {
      await keepChat(tx, incoming, now);
      await heed(tx, incoming);
    }
    return { message, created: true };
  };
}

function newRow({ env_id, account, remote_id, chat_id, sender, text, sent_at }: Incoming, channel: string, now: number): MessageRow {
  const { telegram_id, username, first_name, last_name } = sender;
  const never = { eta: null, schedule_at: null, expires_at: null, delivered_at: null, read_at: null, cap_day: null };
  const nothing = { thread_id: null, reply_to: null, error_code: null, error_message: null, error_link: null, last_error: null };
  return {
    ...never,
    ...nothing,
    env_id,
    id: newId("msg", now),
    channel,
    account_id: account.id,
    direction: "in",
    recipient: account.username === null ? String(account.id) : `@${account.username}`,
    contact_id: null,
    text,
    status: "received",
    silent: 0,
    metadata: "{}",
    attempts: "[]",
    remote_id,
    sender: JSON.stringify({ telegram_id, username, first_name, last_name }),
    chat_id,
    content: null,
    edited_at: null,
    deleted_at: null,
    created_at: now,
    sent_at,
    updated_at: now,
  };
}
