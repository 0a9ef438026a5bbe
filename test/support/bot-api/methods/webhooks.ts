import { badRequest } from "#test/support/bot-api/failure.ts";
import type { Call } from "./call.ts";

const CONNECTIONS_DEFAULT = 40;
const CONNECTIONS_MAX = 100;
const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** https://core.telegram.org/bots/api#setwebhook; beside HTTPS it takes plain HTTP on loopback, for tests. */
export function setWebhook({ bot, params, emulation }: Call) {
  const mailbox = emulation.mailboxOf(bot);
  if (params.flag("drop_pending_updates")) mailbox.drop();
  const url = params.text("url") ?? "";
  if (url === "") {
    mailbox.webhook.set(null);
    return true;
  }
  const { protocol, hostname } = URL.parse(url) ?? {};
  if (protocol !== "https:" && !LOOPBACK.has(hostname ?? "")) throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
  const secret_token = params.text("secret_token");
  if (secret_token !== undefined && !/^[\w-]{1,256}$/.test(secret_token)) {
    throw badRequest("secret token contains unallowed characters");
  }
  const max_connections = Math.min(Math.max(params.integer("max_connections") ?? CONNECTIONS_DEFAULT, 1), CONNECTIONS_MAX);
  const kinds = params.list("allowed_updates");
  if (kinds !== undefined) mailbox.allow(kinds.map(String));
  mailbox.webhook.set({ url, secret_token, max_connections });
  return true;
}

/** https://core.telegram.org/bots/api#deletewebhook */
export function deleteWebhook({ bot, params, emulation }: Call) {
  const mailbox = emulation.mailboxOf(bot);
  if (params.flag("drop_pending_updates")) mailbox.drop();
  mailbox.webhook.set(null);
  return true;
}

/** https://core.telegram.org/bots/api#getwebhookinfo */
export function getWebhookInfo({ bot, emulation }: Call) {
  const { webhook, pendingCount, allowed } = emulation.mailboxOf(bot);
  return {
    ...webhook.info(),
    has_custom_certificate: false,
    pending_update_count: pendingCount,
    ...(allowed === null ? {} : { allowed_updates: allowed }),
  };
}
