import { answerWithin } from "./answer.ts";
import { createCallbacks, type Callbacks } from "./callbacks.ts";
import { createChanges, type Changes } from "./changes.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createFiles, type Files } from "./files.ts";
import { createHistory, type History } from "./history.ts";
import type { Bot, Limits, Message, Requests, Sent } from "./model.ts";
import { createPacing, type Pacing } from "./pacing.ts";
import { createMailbox, type Mailbox } from "./updates.ts";
import { createWorld, type World } from "./world.ts";

/** All state of one emulator. */
export interface Emulation {
  world: World;
  history: History;
  files: Files;
  callbacks: Callbacks;
  sent: Sent[];
  requests: Requests;
  changes: Changes;
  faults: Faults;
  pacing: Pacing;
  mailboxOf(bot: Pick<Bot, "token">): Mailbox;
  /** A bot has put this message into a chat. */
  record(bot: Bot, message: Message, facts: Omit<Sent, "token" | "chat_id" | "at" | "message_id">): void;
  /** Posts webhooks of all addresses to this origin instead. */
  routeWebhooks(origin: string): void;
  stop(): void;
  isStopped(): boolean;
}

export interface EmulationOptions {
  enforceLimits?: Limits;
  /** How long the emulator waits before it repeats an update that a webhook did not take; default 50. */
  webhookRetryMs?: number;
  /** Something has happened that `waitFor` looks at. */
  onChange?(): void;
}

const WEBHOOK_RETRY_MS = 50;

export function createEmulation({ enforceLimits, webhookRetryMs = WEBHOOK_RETRY_MS, onChange }: EmulationOptions): Emulation {
  const changes = createChanges(onChange);
  const requests: Requests = { total: 0, by_method: {}, connections: 0, over_limit: 0 };
  const pacing = createPacing(enforceLimits, requests);
  /** By the bot's id, so that a new token finds what waits. */
  const mailboxes = new Map<number, Mailbox>();
  const sent: Sent[] = [];
  let isStopped = false;
  let webhookOrigin: string | null = null;
  const route = (url: string) => {
    const { pathname, search } = new URL(url);
    return webhookOrigin === null ? url : new URL(pathname + search, webhookOrigin).href;
  };
  const emulation: Emulation = {
    world: createWorld(),
    history: createHistory(),
    files: createFiles(),
    callbacks: createCallbacks(),
    sent,
    requests,
    changes,
    faults: createFaults(),
    pacing,
    mailboxOf({ token }) {
      const id = Number.parseInt(token, 10);
      const mailbox =
        mailboxes.get(id) ??
        createMailbox({ changes, webhookRetryMs, route, call: (values) => void answerWithin(token, values, emulation) });
      mailboxes.set(id, mailbox);
      return mailbox;
    },
    record({ token }, { message_id, chat }, facts) {
      sent.push({ token, chat_id: chat.id, at: Date.now(), message_id, ...facts });
      pacing.record(token, chat.id);
      changes.notify();
    },
    routeWebhooks: (origin) => void (webhookOrigin = origin),
    isStopped: () => isStopped,
    stop() {
      isStopped = true;
      for (const mailbox of mailboxes.values()) mailbox.webhook.set(null);
    },
  };
  return emulation;
}
