import { laneOf } from "./lane.ts";
import type { Update } from "./updates.ts";

interface WebhookSettings {
  url: string;
  secret_token: string | undefined;
  max_connections: number;
}

/** Posts updates to a bot's own server, those of a chat one after another, each until it is taken with a 2xx. */
export interface Webhook {
  /** @param settings null removes it */
  set(settings: WebhookSettings | null): void;
  info(): { url: string; max_connections: number; last_error_date?: number; last_error_message?: string };
  /** There is something to deliver. */
  wake(update: Update): void;
}

interface WebhookOptions {
  retryMs: number;
  route(url: string): string;
  /** What is not delivered yet, in order. */
  pending(): Iterable<Update>;
  confirm(update: Update): void;
  onSet(): void;
  /** Makes the call that stands in an answer: https://core.telegram.org/bots/api#making-requests-when-getting-updates */
  call(values: Record<string, unknown>): void;
}

const ANSWER_MS = 5_000;
const DEFAULT_CONNECTIONS = 40;

export function createWebhook({ retryMs, route, pending, confirm, onSet, call }: WebhookOptions): Webhook {
  let settings: WebhookSettings | null = null;
  let failure: { last_error_date: number; last_error_message: string } | null = null;
  let retry: Timer | undefined;
  /** Chats of which an update is on its way or has just failed. */
  const busy = new Set<string>();

  const deliver = async (target: WebhookSettings, update: Update) => {
    const lane = laneOf(update);
    busy.add(lane);
    const problem = await post({ ...target, url: route(target.url) }, update, call);
    busy.delete(lane);
    // What a webhook was given before it was removed counts as taken all the same.
    if (problem === null) confirm(update);
    if (problem === null && target === settings) failure = null;
    if (problem === null || target !== settings) return fill();
    failure = { last_error_date: Math.floor(Date.now() / 1000), last_error_message: problem };
    clearTimeout(retry);
    retry = setTimeout(fill, retryMs);
  };
  /** Takes from every chat the first update, as far as there are connections. */
  const fill = () => {
    if (settings === null) return;
    const passed = new Set<string>();
    for (const update of pending()) {
      if (busy.size >= settings.max_connections) break;
      const lane = laneOf(update);
      if (busy.has(lane) || passed.has(lane)) continue;
      passed.add(lane);
      void deliver(settings, update);
    }
  };
  return {
    set(value) {
      if (value !== null) onSet();
      settings = value;
      failure = null;
      clearTimeout(retry);
      fill();
    },
    info: () => ({ url: settings?.url ?? "", max_connections: settings?.max_connections ?? DEFAULT_CONNECTIONS, ...failure }),
    wake() {
      if (settings !== null && failure === null && busy.size < settings.max_connections) fill();
    },
  };
}

/** @returns what was wrong, or null */
async function post({ url, secret_token }: WebhookSettings, update: Update, call: WebhookOptions["call"]): Promise<string | null> {
  const secret = secret_token === undefined ? {} : { "x-telegram-bot-api-secret-token": secret_token };
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...secret },
      body: JSON.stringify(update),
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await response.text();
    if (response.ok && text.startsWith("{")) call(JSON.parse(text) as Record<string, unknown>);
    return response.ok ? null : `Wrong response from the webhook: ${response.status} ${response.statusText}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
