import type { Log } from "#src/core/log.ts";
import type { Wire } from "./wire.ts";

/** Calls at a time. */
const RUNNING_MAX = 10;
/** More than wait are not answered: the person's app stops waiting by itself. */
const WAITING_MAX = 1_000;

interface Needs {
  wire: Wire;
  token: string;
  signal: AbortSignal;
  log: Log;
  whose: { env_id: number; id: number };
}

/** Tells apps that presses have come, so that they end their clocks: https://core.telegram.org/bots/api#answercallbackquery */
export function createPressAnswers({ wire, token, signal, log, whose }: Needs) {
  const waiting: string[] = [];
  const running = new Set<Promise<void>>();

  async function answerAll(): Promise<void> {
    for (let id = waiting.shift(); id !== undefined && !signal.aborted; id = waiting.shift()) {
      const query = id;
      const answer = await wire(token, signal, (api) => api.answerCallbackQuery(query));
      if (answer.kind === "ok") continue;
      const reason = answer.kind === "refused" ? answer.description : answer.reason;
      log.debug("a press on a button could not be answered", { env_id: whose.env_id, account: whose.id, reason });
    }
  }

  return {
    /** Answers them soon; whoever has them may forget them. */
    later(ids: readonly string[]): void {
      waiting.push(...ids.slice(0, Math.max(0, WAITING_MAX - waiting.length)));
      while (running.size < Math.min(RUNNING_MAX, running.size + waiting.length)) {
        const work = answerAll();
        running.add(work);
        void work.finally(() => running.delete(work));
      }
    },
    /** Resolves when none is on its way. */
    async settled(): Promise<void> {
      await Promise.all(running);
    },
  };
}
