import type { BotCheck, BotGate } from "#src/modules/accounts/model.ts";
import { createWire, type WireOptions } from "./wire.ts";

const TOKEN = /^\d+:[\w-]+$/;
const TOO_MANY_REQUESTS = 429;

/**
 * Asks Telegram by getMe whose token this is: https://core.telegram.org/bots/api#getme
 * `refused` when Telegram does not accept it, `unreachable` when it could not be asked; neither reason holds the token.
 */
export function createBotGate(options: WireOptions): BotGate {
  const wire = createWire(options);
  return {
    async check(token: string, signal: AbortSignal = new AbortController().signal): Promise<BotCheck> {
      if (!TOKEN.test(token)) return { kind: "refused", reason: "It does not have the form digits:characters." };
      const answer = await wire(token, signal, async (api) => {
        const { id, username, first_name } = await api.getMe();
        return { telegram_id: id, username, name: first_name };
      });
      if (answer.kind === "ok") return { kind: "ok", ...answer.result };
      if (answer.kind !== "refused") return { kind: "unreachable", reason: answer.reason };
      return { kind: answer.status === TOO_MANY_REQUESTS ? "unreachable" : "refused", reason: answer.description };
    },
  };
}
