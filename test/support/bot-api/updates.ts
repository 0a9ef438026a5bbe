import type { Changes } from "./changes.ts";
import { conflict } from "./failure.ts";
import { createWebhook, type Webhook } from "./webhook.ts";

export interface Update {
  /** 0 when the bot did not ask for updates of this kind. */
  update_id: number;
  [kind: string]: unknown;
}

/** The updates of one bot that are not confirmed yet, and the two ways in which they leave. */
export interface Mailbox {
  readonly webhook: Webhook;
  readonly pendingCount: number;
  /** The kinds that were asked for; null for all but those that must be asked for. */
  readonly allowed: readonly string[] | null;
  /** @param kinds an empty list for the default */
  allow(kinds: readonly string[]): void;
  /** Makes an update of what happened, if the bot has asked for its kind. */
  push(content: Record<string, unknown>): Update;
  /** A long poll. @throws BotApiFailure 409 when a webhook is set, or a later poll takes its place */
  poll(options: PollOptions): Promise<Update[]>;
  drop(): void;
}

interface PollOptions {
  offset: number;
  limit: number;
  timeoutMs: number;
  signal: AbortSignal;
}

interface MailboxOptions {
  changes: Changes;
  webhookRetryMs: number;
  /** Where a webhook of this address is posted to. */
  route(url: string): string;
  /** Makes the call that stands in the answer of a webhook. */
  call(values: Record<string, unknown>): void;
}

const FIRST_UPDATE_ID = 800_000_001;
const WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const OTHER_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running";
const WEBHOOK_SET = "terminated by setWebhook request";
/** What a bot gets only by name: https://core.telegram.org/bots/api#getupdates */
const ON_REQUEST = new Set(["chat_member", "message_reaction", "message_reaction_count"]);

export function createMailbox({ changes, webhookRetryMs, route, call }: MailboxOptions): Mailbox {
  const pending = new Map<number, Update>();
  let nextId = FIRST_UPDATE_ID;
  let allowed: readonly string[] | null = null;
  let poll: { wake(): void; refuse(why: string): void } | null = null;
  const webhook = createWebhook({
    retryMs: webhookRetryMs,
    route,
    call,
    pending: () => pending.values(),
    confirm({ update_id }) {
      pending.delete(update_id);
      changes.notify();
    },
    onSet: () => poll?.refuse(WEBHOOK_SET),
  });
  const isWanted = (kind: string) => (allowed === null ? !ON_REQUEST.has(kind) : allowed.includes(kind));
  const confirmBefore = (offset: number) => {
    const first = offset < 0 ? nextId + offset : offset;
    for (const id of pending.keys()) {
      if (id >= first) break;
      pending.delete(id);
    }
  };

  return {
    webhook,
    get pendingCount() {
      return pending.size;
    },
    get allowed() {
      return allowed;
    },
    allow: (kinds) => void (allowed = kinds.length === 0 ? null : kinds),
    push(content) {
      if (!Object.keys(content).every(isWanted)) return { update_id: 0, ...content };
      const update = { update_id: nextId++, ...content };
      pending.set(update.update_id, update);
      poll?.wake();
      webhook.wake(update);
      changes.notify();
      return update;
    },
    async poll({ offset, limit, timeoutMs, signal }) {
      if (webhook.info().url !== "") throw conflict(WEBHOOK_ACTIVE);
      poll?.refuse(OTHER_POLL);
      confirmBefore(offset);
      changes.notify();
      if (pending.size === 0 && timeoutMs > 0) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const mine = { wake: resolve, refuse: (why: string) => reject(conflict(why)) };
        poll = mine;
        const timer = setTimeout(resolve, timeoutMs);
        signal.addEventListener("abort", () => resolve());
        await promise.finally(() => {
          clearTimeout(timer);
          if (poll === mine) poll = null;
        });
      }
      return pending.values().take(limit).toArray();
    },
    drop: () => pending.clear(),
  };
}
