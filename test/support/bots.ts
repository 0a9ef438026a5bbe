import type { Account } from "#src/modules/accounts/model.ts";
import { setup, type TestApp } from "./app.ts";
import { type BotApi, startBotApi } from "./bot-api/start.ts";
import type { TestEngine } from "./databases.ts";

interface Connected {
  account: Account;
  bot: ReturnType<BotApi["addBot"]>;
}

export interface BotApp extends AsyncDisposable {
  /** Resolves when all that has happened to a bot is taken. */
  heard(bot: Pick<Connected["bot"], "token">): Promise<void>;
  app: TestApp;
  telegram: BotApi;
  /** Makes a bot at Telegram and connects it to the live environment. */
  connect(): Promise<Connected>;
}

/** An app that reaches a Bot API server on loopback. */
export async function setupWithTelegram(engine: TestEngine = "sqlite", options: Parameters<typeof setup>[0] = {}): Promise<BotApp> {
  const telegram = await startBotApi();
  const app = await setup({ engine, apiRoot: telegram.url, ...options });
  return {
    app,
    telegram,
    async connect() {
      const bot = telegram.addBot();
      const { body } = await app.live.post<Account>("/v1/accounts", { kind: "telegram_bot", token: bot.token });
      return { account: body, bot };
    },
    heard: (bot) => telegram.waitFor(() => telegram.loadState(bot).pending === 0),
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await telegram.stop();
    },
  };
}
