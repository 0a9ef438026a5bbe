import {
  type ICorePlatform,
  type ITelegramStorageProvider,
  networkMiddlewares,
  type RpcCallMiddleware,
  type UpdatesManagerParams,
} from "@mtcute/core";
import { BaseTelegramClient, type BaseTelegramClientOptions } from "@mtcute/core/client.js";
import { addPublicKey, LogManager } from "@mtcute/core/utils.js";
import type { Log } from "#src/core/log.ts";
import { crypto } from "./crypto.ts";
import { createSockets, type Sockets } from "./sockets.ts";
import { createTransport } from "./transport.ts";

/** The program's own registration at Telegram (https://my.telegram.org), and where Telegram is when it isn't the real one. */
export interface TelegramUserOptions {
  /** Null where user accounts are not set up. */
  api_id: number | null;
  api_hash: string | null;
  dc: { main: { id: number; host: string; port: number }; public_key_pem: string } | null;
}

interface ClientOptions {
  telegram: TelegramUserOptions;
  storage: ITelegramStorageProvider;
  proxy: string | null;
  log: Log;
  /** How it follows what happens to the account; null where it does not. */
  updates: Pick<UpdatesManagerParams, "onChannelTooLong"> | null;
  /** Sees every answer. */
  onAnswer?: RpcCallMiddleware;
}

/** An account has few connections at once: each costs memory and a handshake. */
const MEDIA_CONNECTIONS = 2;

/** For what mtcute asks by itself, such as what was missed. */
const PATIENCE_MS = 300_000;
const RETRIES = 5;
/** For what we ask: floods and Telegram's own faults are told, and the queue decides. */
export const AT_ONCE = { floodSleepThreshold: 0, maxRetryCount: 0 } as const;

/**
 * One account's client. Its requests wait while there is no connection: each needs a deadline.
 * @throws where the proxy's address is none
 */
export function createClient({ telegram, storage, proxy, log, updates, onAnswer }: ClientOptions): BaseTelegramClient {
  const { api_id, api_hash, dc } = telegram;
  if (dc !== null) addPublicKey(crypto, dc.public_key_pem);
  const address = dc === null ? null : { id: dc.main.id, ipAddress: dc.main.host, port: dc.main.port };
  const logger = new LogManager("telegram", platformOf(log));
  const sockets = createSockets();
  return new Client(sockets, {
    apiId: api_id ?? 0,
    apiHash: api_hash ?? "",
    storage,
    storageOptions: { cleanup: false, peers: { cacheSize: 50, updatesWriteInterval: 0 } },
    crypto,
    platform: platformOf(log),
    logger,
    transport: createTransport(proxy, sockets),
    updates: updates !== null && { catchUp: true, disableNoDispatch: true, ...updates },
    initConnectionOptions: { deviceModel: "Posthouse", appVersion: "1" },
    network: {
      connectionCount: (kind) => (kind === "main" ? 1 : MEDIA_CONNECTIONS),
      middlewares: [
        ...(onAnswer === undefined ? [] : [onAnswer]),
        ...networkMiddlewares.basic({
          floodWaiter: { maxWait: PATIENCE_MS, store: false },
          internalErrors: { maxRetries: RETRIES, exceptErrors: ["RANDOM_ID_DUPLICATE"] },
        }),
      ],
    },
    ...(address === null ? {} : { defaultDcs: { main: address, media: address } }),
  });
}

/** By which mtcute logs in at other data centres. It would keep one that failed for good, and leave its error uncaught. */
class Exports extends Map<number, Promise<void>> {
  override set(dc: number, exporting: Promise<void>): this {
    exporting.catch(() => this.delete(dc));
    return super.set(dc, exporting);
  }
}

class Client extends BaseTelegramClient {
  readonly sockets: Sockets;

  constructor(sockets: Sockets, options: BaseTelegramClientOptions) {
    super(options);
    this.sockets = sockets;
    // By its name in quotes, a private member is still checked: it is not there by another.
    this.mt.network["_pendingExports"] = new Exports();
  }

  /** What mtcute still asks by itself is not answered: it would fail where nobody catches it. */
  override async destroy(): Promise<void> {
    this.call = () => new Promise<never>(() => undefined);
    const destroyed = super.destroy();
    this.sockets.close();
    await destroyed;
  }
}

const WARN = LogManager.WARN;

/** mtcute's complaints without their arguments, which can hold what is said and who is meant. */
function platformOf(log: Log): ICorePlatform {
  return {
    beforeExit: () => () => undefined,
    log(_color, level, tag, format) {
      if (level <= WARN) log.debug("mtcute complains", { tag, format });
    },
    getDefaultLogLevel: () => WARN,
    getDeviceModel: () => "Posthouse",
  };
}
