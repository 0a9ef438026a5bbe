import { createChanges, type Changes } from "./changes.ts";
import { createFaults, type Faults } from "./faults.ts";
import type { Bot, Chat, Limits, Requests, Sent } from "./model.ts";
import { createPacing, type Pacing } from "./pacing.ts";
import { createMailbox, type Mailbox } from "./updates.ts";
import { createWorld, type World } from "./world.ts";

/** All state of one emulator. */
export interface Emulation {
  world: World;
  sent: Sent[];
  requests: Requests;
  changes: Changes;
  faults: Faults;
  pacing: Pacing;
  messageIds: MessageIds;
  mailboxOf(bot: Pick<Bot, "token">): Mailbox;
  /** Puts a message into a chat. */
  record(bot: Bot, chat: Chat, message: Pick<Sent, "text" | "silent" | "parse_mode" | "reply_to">): Sent;
  stop(): void;
}

/** Message ids begin at 1 in every chat, so that an id alone never tells a message. */
interface MessageIds {
  last(bot: Pick<Bot, "token">, chat: Pick<Chat, "id">): number;
  next(bot: Pick<Bot, "token">, chat: Pick<Chat, "id">): number;
}

export interface EmulationOptions {
  enforceLimits?: Limits;
  /** How long the emulator waits before it repeats an update that a webhook did not take; default 50. */
  webhookRetryMs?: number;
}

const WEBHOOK_RETRY_MS = 50;

export function createEmulation({ enforceLimits, webhookRetryMs = WEBHOOK_RETRY_MS }: EmulationOptions): Emulation {
  const changes = createChanges();
  const requests: Requests = { total: 0, by_method: {}, connections: 0, over_limit: 0 };
  const pacing = createPacing(enforceLimits, requests);
  const messageIds = createMessageIds();
  const mailboxes = new Map<string, Mailbox>();
  const sent: Sent[] = [];
  return {
    world: createWorld(),
    sent,
    requests,
    changes,
    faults: createFaults(),
    pacing,
    messageIds,
    mailboxOf({ token }) {
      const mailbox = mailboxes.get(token) ?? createMailbox(changes, webhookRetryMs);
      mailboxes.set(token, mailbox);
      return mailbox;
    },
    record(bot, chat, message) {
      const entry = { token: bot.token, chat_id: chat.id, at: Date.now(), message_id: messageIds.next(bot, chat), ...message };
      sent.push(entry);
      pacing.record(bot.token, chat.id);
      changes.notify();
      return entry;
    },
    stop() {
      for (const mailbox of mailboxes.values()) mailbox.webhook.set(null);
    },
  };
}

function createMessageIds(): MessageIds {
  const ids = new Map<string, number>();
  const last: MessageIds["last"] = (bot, chat) => ids.get(`${bot.token} ${chat.id}`) ?? 0;
  return {
    last,
    next(bot, chat) {
      const id = last(bot, chat) + 1;
      ids.set(`${bot.token} ${chat.id}`, id);
      return id;
    },
  };
}
