import type { WebhookInfo } from "grammy/types";
import type { Log } from "#src/core/log.ts";
import type { ConnectedAccount, Link } from "#src/modules/connections/model.ts";
import type { Setbacks } from "./setbacks.ts";
import { allowedUpdates } from "./updates.ts";
import type { Wire } from "./wire.ts";

/** A webhook is looked at so often: an account is called connected for five minutes after a proof. */
const LOOK_MS = 120_000;

interface Needs {
  wire: Wire;
  log: Log;
  account: ConnectedAccount & { token: string };
  link: Link;
  signal: AbortSignal;
  setbacks: Setbacks;
  /** Where Telegram is to post. */
  url: string;
  /** What it is to show there. */
  secret: string;
}

/**
 * Has Telegram post a bot's updates here, and looks after that, until the signal comes or the token is refused.
 * @returns why Telegram does not take the address, else null
 */
export async function keepWebhook({ wire, log, account, link, signal, setbacks, url, secret }: Needs): Promise<string | null> {
  const { token } = account;
  const whose = { env_id: account.env_id, account: account.id };
  let isSet = false;
  let failing: number | undefined;

  /** Telegram keeps the last error after it is mended: it counts while something waits and new ones come. */
  function judge({ last_error_message, last_error_date, pending_update_count }: WebhookInfo): void {
    const isNew = last_error_date !== failing;
    if (last_error_message === undefined || pending_update_count === 0 || !isNew) return link.proved();
    failing = last_error_date;
    link.failed(`Telegram can't deliver this bot's updates to PUBLIC_URL: ${last_error_message}`);
  }

  while (!signal.aborted) {
    const settings = { secret_token: secret, allowed_updates: allowedUpdates, drop_pending_updates: false };
    if (!isSet) {
      const set = await wire(token, signal, (api) => api.setWebhook(url, settings));
      if (set.kind === "refused" && set.status === 400) return set.description;
      if (set.kind !== "ok") {
        if (!(await setbacks.heed(set))) return null;
        continue;
      }
      isSet = true;
      setbacks.over();
      link.proved();
    }
    await setbacks.pause(LOOK_MS);
    const info = await wire(token, signal, (api) => api.getWebhookInfo());
    if (info.kind !== "ok") {
      if (!(await setbacks.heed(info))) return null;
      continue;
    }
    setbacks.over();
    isSet = info.result.url === url;
    if (isSet) judge(info.result);
    else log.warn("somebody has changed a bot's webhook, and it is set again", whose);
  }
  return null;
}
