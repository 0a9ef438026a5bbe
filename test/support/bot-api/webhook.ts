import type { Update } from "./updates.ts";

interface WebhookSettings {
  url: string;
  secret_token: string | undefined;
  max_connections: number;
}

/** Posts updates to a bot's own server, one after another, each until it is taken with a 2xx. */
export interface Webhook {
  /** @param settings null removes it */
  set(settings: WebhookSettings | null): void;
  info(): { url: string; max_connections: number; last_error_date?: number; last_error_message?: string };
  /** There may be something to deliver. */
  wake(): void;
}

interface WebhookOptions {
  retryMs: number;
  next(): Update | undefined;
  confirm(update: Update): void;
}

const ANSWER_MS = 5_000;
const DEFAULT_CONNECTIONS = 40;

export function createWebhook({ retryMs, next, confirm }: WebhookOptions): Webhook {
  let settings: WebhookSettings | null = null;
  let failure: { last_error_date: number; last_error_message: string } | null = null;
  let isDelivering = false;
  let retry: Timer | undefined;

  const deliver = async () => {
    isDelivering = true;
    for (let update = next(); update !== undefined; update = next()) {
      const target = settings;
      if (target === null) break;
      const problem = await post(target, update);
      if (target !== settings) continue;
      if (problem !== null) {
        failure = { last_error_date: Math.floor(Date.now() / 1000), last_error_message: problem };
        retry = setTimeout(wake, retryMs);
        break;
      }
      failure = null;
      confirm(update);
    }
    isDelivering = false;
  };
  const wake = () => {
    if (settings === null || isDelivering) return;
    clearTimeout(retry);
    void deliver();
  };
  return {
    set(value) {
      settings = value;
      failure = null;
      clearTimeout(retry);
      wake();
    },
    info: () => ({ url: settings?.url ?? "", max_connections: settings?.max_connections ?? DEFAULT_CONNECTIONS, ...failure }),
    wake,
  };
}

/** @returns what was wrong, or null */
async function post({ url, secret_token }: WebhookSettings, update: Update): Promise<string | null> {
  const secret = secret_token === undefined ? {} : { "x-telegram-bot-api-secret-token": secret_token };
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...secret },
      body: JSON.stringify(update),
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await response.arrayBuffer();
    return response.ok ? null : `Wrong response from the webhook: ${response.status} ${response.statusText}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
