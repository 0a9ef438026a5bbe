import type { Update } from "grammy/types";
import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { ConnectedAccount, Link } from "#src/modules/connections/model.ts";
import { readBatch } from "./batch.ts";
import type { createPressAnswers } from "./presses.ts";
import type { Setbacks } from "./setbacks.ts";
import { allowedUpdates } from "./updates.ts";
import type { Refused, Wire } from "./wire.ts";

/** How long Telegram may hold a poll that has nothing to tell. */
export const POLL_S = 50;
const LIMIT = 100;
/** A server that does not hold polls is not asked all the time. */
const EMPTY_MS_MIN = 1_000;

const OTHER_POLL =
  "Another program reads this bot's updates with the same token. Stop it, or revoke the token at @BotFather and give this account the new one.";
const OTHER_WEBHOOK =
  "Another program keeps setting a webhook for this bot. Stop it, or revoke the token at @BotFather and give this account the new one.";

interface Needs {
  /** For getUpdates, with time enough for a long poll. */
  pollWire: Wire;
  wire: Wire;
  clock: Clock;
  log: Log;
  account: ConnectedAccount & { token: string };
  link: Link;
  signal: AbortSignal;
  setbacks: Setbacks;
  presses: ReturnType<typeof createPressAnswers>;
}

/**
 * Fetches a bot's updates by long polling (https://core.telegram.org/bots/api#getupdates) until the signal comes or Telegram
 * accepts the token no more. The next are asked for once those before are durable: only then does Telegram forget them.
 */
export async function pollUpdates({ pollWire, wire, clock, log, account, link, signal, setbacks, presses }: Needs): Promise<void> {
  const { token } = account;
  let offset = Number(account.place ?? 0);
  // The first answer comes at once, so that it is soon known whether there is a connection.
  let timeout = 0;
  let conflicts = 0;
  let removed = 0;

  async function take(updates: readonly Update[]): Promise<void> {
    const { items, last, presses: pressed } = readBatch(updates, account, clock.now(), log);
    if (last === null) return;
    // Numbers begin anew, lower too, where a bot had no updates for a week.
    offset = last + 1;
    await link.take(items, String(offset));
    presses.later(pressed);
  }

  /** @returns whether to go on */
  async function settleConflict(answer: Refused): Promise<boolean> {
    conflicts++;
    // A poll of a program that has just ended may be the other one.
    if (!answer.description.includes("webhook is active")) return setbacks.heed(answer, conflicts > 1 ? OTHER_POLL : null);
    const done = await wire(token, signal, (api) => api.deleteWebhook({ drop_pending_updates: false }));
    if (done.kind !== "ok") return setbacks.heed(done);
    log.info("a webhook was set for a bot, and is removed: its updates are fetched", { env_id: account.env_id, account: account.id });
    return removed++ === 0 || setbacks.heed(answer, OTHER_WEBHOOK);
  }

  while (!signal.aborted) {
    const asked = { offset, limit: LIMIT, timeout, allowed_updates: allowedUpdates };
    const began = performance.now();
    const answer = await pollWire(token, signal, async (api) => listOf(await api.getUpdates(asked)));
    if (answer.kind === "ok") {
      link.proved();
      setbacks.over();
      if (answer.result.length > 0) await take(answer.result);
      else if (timeout > 0) {
        conflicts = 0;
        if (performance.now() - began < EMPTY_MS_MIN) await setbacks.pause(EMPTY_MS_MIN);
      }
      timeout = POLL_S;
      continue;
    }
    timeout = 0;
    const isConflict = answer.kind === "refused" && answer.status === 409;
    if (!(await (isConflict ? settleConflict(answer) : setbacks.heed(answer)))) return;
  }
}

/** Without a number among them the same would come again at once, for ever. */
function listOf(result: unknown): Update[] {
  const isList =
    Array.isArray(result) &&
    (result.length === 0 || result.some((update: Partial<Update> | null) => Number.isSafeInteger(update?.update_id)));
  if (!isList) throw new TypeError("no list of updates");
  return result as Update[];
}
