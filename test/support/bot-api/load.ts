import type { Emulation } from "./emulation.ts";
import type { Bot, Chat } from "./model.ts";
import { createWriting } from "./writing.ts";

/** Private messages at a steady pace. */
interface LoadPlan {
  bot: Pick<Bot, "token">;
  /** Who writes, in turns. */
  chats: readonly Pick<Chat, "id">[];
  per_second: number;
  seconds: number;
}

interface LoadState {
  /** How many messages have arrived so far. */
  made: number;
  is_over: boolean;
  /** How many updates of the bot are not confirmed. */
  pending: number;
}

export interface Load {
  /** Starts messages `load <n> <milliseconds since 1970>`, n from 1 on; returns at once. @throws Error while others of the bot are made */
  startLoad(plan: LoadPlan): void;
  /** How far the messages of a bot have come. */
  loadState(bot: Pick<Bot, "token">): LoadState;
}

const TICK_MS = 5;

export function createLoad(emulation: Emulation): Load {
  const { write } = createWriting(emulation);
  const states = new Map<string, Omit<LoadState, "pending">>();
  return {
    startLoad({ bot, chats, per_second, seconds }) {
      const known = states.get(bot.token);
      if (known?.is_over === false) throw new Error("the bot is under load already");
      const total = per_second * seconds;
      const state = { made: 0, is_over: false };
      states.set(bot.token, state);
      const start = performance.now();
      const timer = setInterval(() => {
        const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * per_second));
        while (state.made < due) {
          const chat = chats[state.made++ % chats.length];
          if (chat !== undefined) write(bot, chat, { text: `load ${state.made} ${Date.now()}` });
        }
        if (state.made < total && !emulation.isStopped()) return;
        state.is_over = true;
        clearInterval(timer);
        emulation.changes.notify();
      }, TICK_MS);
    },
    loadState(bot) {
      return { made: 0, is_over: true, ...states.get(bot.token), pending: emulation.mailboxOf(bot).pendingCount };
    },
  };
}
