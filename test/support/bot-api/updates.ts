import type { Changes } from "./changes.ts";
import { conflict } from "./failure.ts";
import { createWebhook, type Webhook } from "./webhook.ts";

export interface Update {
  update_id: number;
  [kind: string]: unknown;
}

/** The updates of one bot that are not confirmed yet, and the two ways in which they leave. */
export interface Mailbox {
  readonly webhook: Webhook;
  readonly pending: readonly Update[];
  push(update: Record<string, unknown>): Update;
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

const FIRST_UPDATE_ID = 800_000_001;
const WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const OTHER_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running";

export function createMailbox(changes: Changes, webhookRetryMs: number): Mailbox {
  let pending: Update[] = [];
  let nextId = FIRST_UPDATE_ID;
  let poll: { wake(): void; refuse(): void } | null = null;
  const webhook = createWebhook({
    retryMs: webhookRetryMs,
    next: () => pending[0],
    confirm(update) {
      pending = pending.filter((other) => other !== update);
      changes.notify();
    },
  });

  return {
    webhook,
    get pending() {
      return pending;
    },
    push(content) {
      const update = { update_id: nextId++, ...content };
      pending.push(update);
      poll?.wake();
      webhook.wake();
      changes.notify();
      return update;
    },
    async poll({ offset, limit, timeoutMs, signal }) {
      if (webhook.info().url !== "") throw conflict(WEBHOOK_ACTIVE);
      poll?.refuse();
      pending = offset < 0 ? pending.slice(offset) : pending.filter(({ update_id }) => update_id >= offset);
      changes.notify();
      if (pending.length === 0 && timeoutMs > 0) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const mine = { wake: resolve, refuse: () => reject(conflict(OTHER_POLL)) };
        poll = mine;
        const timer = setTimeout(resolve, timeoutMs);
        signal.addEventListener("abort", () => resolve());
        await promise.finally(() => {
          clearTimeout(timer);
          if (poll === mine) poll = null;
        });
      }
      return pending.slice(0, limit);
    },
    drop() {
      pending = [];
    },
  };
}
