import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { ConnectedAccount, Connector, Link } from "#src/modules/connections/model.ts";
import { keepWebhook } from "./hook.ts";
import { POLL_S, pollUpdates } from "./poll.ts";
import { createPressAnswers } from "./presses.ts";
import { createSetbacks } from "./setbacks.ts";
import { webhookPath, type WebhookSecrets } from "./webhook.ts";
import { createWire, type WireOptions } from "./wire.ts";

/** How much longer than a poll its exchange may take. */
const POLL_MARGIN_MS = 10_000;
/** Characters: a hundred updates, each with a long text, its entities and the message that it answers. */
const POLL_ANSWER_MAX = 16 * 1_048_576;

interface Options extends WireOptions {
  clock: Clock;
  log: Log;
  /** The https address under which Telegram reaches this program; null where it can't, and updates are fetched. */
  webhookBase: string | null;
  secretFor: WebhookSecrets;
}

/** Hears what happens to bots: by webhook where there is an address for that, else by long polling, which needs none. */
export function createBotConnector({ clock, log, webhookBase, secretFor, ...options }: Options): Connector {
  const wire = createWire(options);
  const pollWire = createWire({ ...options, timeoutMs: POLL_S * 1_000 + POLL_MARGIN_MS, answerMax: POLL_ANSWER_MAX });

  async function hear(account: ConnectedAccount & { token: string }, link: Link, signal: AbortSignal): Promise<void> {
    const { env_id, id, token } = account;
    const setbacks = createSetbacks({ link, clock, signal });
    const presses = createPressAnswers({ wire, token, signal, log, whose: account });
    const needs = { wire, pollWire, clock, log, account, link, signal, setbacks, presses };
    try {
      if (webhookBase !== null) {
        const url = `${webhookBase}${webhookPath(env_id, id)}`;
        const reason = await keepWebhook({ ...needs, url, secret: secretFor(env_id, id) });
        if (reason === null) return;
        log.warn("Telegram does not take PUBLIC_URL for a webhook; a bot's updates are fetched", { env_id, account: id, reason });
      }
      await pollUpdates(needs);
    } finally {
      await presses.settled();
    }
  }

  return {
    kind: "telegram_bot",
    connect(account, link) {
      const { token, env_id, id } = account;
      if (token === null) throw new Error("a bot without a token can't be connected");
      const aborter = new AbortController();
      const hearing = hear({ ...account, token }, link, aborter.signal).catch((error: unknown) => {
        if (!aborter.signal.aborted) log.warn("a bot is heard no more by this process", { env_id, account: id, error });
      });
      return {
        async close() {
          aborter.abort();
          await hearing;
        },
      };
    },
  };
}
