import type { Bot } from "#test/support/bot-api/model.ts";
import { type BotApi, type BotApiOptions, startBotApi } from "#test/support/bot-api/start.ts";
import type { Caller, Client } from "#test/support/client.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, connectBot, makeLiveKey } from "./api.ts";
import { type Env, type Posthouse, type ServeOptions, startPosthouse } from "./posthouse.ts";

/** A Telegram that ends with the scope. */
export async function startTelegram(options: BotApiOptions = {}): Promise<BotApi & AsyncDisposable> {
  const api = await startBotApi(options);
  return { ...api, [Symbol.asyncDispose]: () => api.stop() };
}

/** A serve with a live key and a bot of the emulator. */
export interface Live extends AsyncDisposable {
  telegram: BotApi;
  folder: string;
  env: Env;
  posthouse: Posthouse;
  client: Client;
  caller: Caller;
  bot: Bot;
  /** The bot's account. */
  account: number;
  /** Starts it again on the same data, once it has ended. */
  restart(options?: Pick<ServeOptions, "env">): Promise<{ posthouse: Posthouse; caller: Caller }>;
}

type LiveOptions = ServeOptions & Pick<BotApiOptions, "enforceLimits">;

export async function startLive({ env: extra, folder, launcher, enforceLimits }: LiveOptions = {}): Promise<Live> {
  await using stack = new AsyncDisposableStack();
  const telegram = stack.use(await startTelegram(enforceLimits === undefined ? {} : { enforceLimits }));
  const home = folder ?? stack.use(tempFolder()).path;
  const env = { TELEGRAM_API_ROOT: telegram.url, ...extra };
  const start = async (options: ServeOptions) => {
    const posthouse = stack.use(await startPosthouse({ folder: home, env, ...options }));
    return { posthouse, client: await connect(posthouse) };
  };
  const { posthouse, client } = await start(launcher === undefined ? {} : { launcher });
  const caller = client.as(await makeLiveKey(posthouse, env));
  const bot = telegram.addBot({ username: "post_bot" });
  const account = await connectBot(caller, bot);
  const kept = stack.move();
  return {
    telegram,
    folder: home,
    env,
    posthouse,
    client,
    caller,
    bot,
    account,
    async restart(options = {}) {
      const again = await startPosthouse({ folder: home, env, ...options });
      kept.use(again);
      return { posthouse: again, caller: (await connect(again)).as(caller.key) };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
