import { connectTcp } from "@fuman/bun";
import {
  IntermediatePacketCodec,
  MemoryStorage,
  networkMiddlewares,
  ObfuscatedPacketCodec,
  PaddedIntermediatePacketCodec,
  type ICorePlatform,
  type IPacketCodec,
  type ITelegramConnection,
  type ITelegramStorageProvider,
  type TelegramTransport,
} from "@mtcute/core";
import { TelegramClient } from "@mtcute/core/client.js";
import { addPublicKey } from "@mtcute/core/utils.js";
import type { DataCenter } from "./start.ts";
import { crypto } from "./wire/crypto.ts";

export interface TestClientOptions {
  /** Of a client that stopped before. */
  storage?: ITelegramStorageProvider;
  codec?: "intermediate" | "padded" | "obfuscated";
  /** Through a proxy. */
  transport?: TelegramTransport;
  /** Asks what it has missed when it starts. */
  catchUp?: boolean;
}

export interface TestClient extends AsyncDisposable {
  telegram: TelegramClient;
  storage: ITelegramStorageProvider;
  /** Texts that came in or were sent elsewhere, in order. */
  texts: string[];
  /** Resolves once the client has caught up after its login, before which mtcute may skip what arrives. */
  caughtUp: Promise<void>;
  /** Resolves once so many have come. */
  waitForTexts(count: number): Promise<void>;
  close(): Promise<void>;
}

const WAIT_MS = 10_000;

/** An unmodified mtcute client of the data centre. */
export function createTestClient(dc: Pick<DataCenter, "main" | "publicKeyPem">, options: TestClientOptions = {}): TestClient {
  const { storage = new MemoryStorage(), codec = "intermediate", catchUp = true, transport = transportWith(codec) } = options;
  addPublicKey(crypto, dc.publicKeyPem);
  const address = { id: dc.main.id, ipAddress: dc.main.host, port: dc.main.port };
  const telegram = new TelegramClient({
    apiId: 1,
    apiHash: "0123456789abcdef0123456789abcdef",
    storage,
    crypto,
    platform,
    transport,
    defaultDcs: { main: address, media: address },
    updates: { catchUp },
    network: {
      middlewares: networkMiddlewares.basic({
        floodWaiter: { maxWait: 0, store: false },
        internalErrors: { maxRetries: 1, exceptErrors: ["RANDOM_ID_DUPLICATE"] },
      }),
    },
  });
  const texts: string[] = [];
  let onText = () => undefined as void;
  telegram.onNewMessage.add((message) => {
    texts.push(message.text);
    onText();
  });
  const caughtUp = Promise.withResolvers<void>();
  let isCatchingUp = false;
  telegram.onConnectionState.add((state) => {
    if (isCatchingUp && state === "connected") caughtUp.resolve();
    isCatchingUp ||= state === "updating";
  });
  const close = () => telegram.destroy();
  return {
    telegram,
    storage,
    texts,
    caughtUp: caughtUp.promise,
    async waitForTexts(count) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error(`${texts.length} of ${count} messages: ${texts.join(", ")}`)), WAIT_MS);
      onText = () => {
        if (texts.length >= count) resolve();
      };
      onText();
      await promise.finally(() => clearTimeout(timer));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const platform: ICorePlatform = {
  beforeExit: () => () => undefined,
  log: (_color, _level, tag, format, args) => void process.stderr.write(`[${tag}] ${format} ${args.map(String).join(" ")}\n`),
  getDefaultLogLevel: () => Number(process.env["MTCUTE_LOG_LEVEL"] ?? 0),
  getDeviceModel: () => "a test",
};

const codecs = {
  intermediate: () => new IntermediatePacketCodec(),
  padded: () => new PaddedIntermediatePacketCodec(),
  obfuscated: () => new ObfuscatedPacketCodec(new PaddedIntermediatePacketCodec()),
} satisfies Record<string, () => IPacketCodec>;

function transportWith(codec: keyof typeof codecs): TelegramTransport {
  return {
    connect: ({ ipAddress, port }): Promise<ITelegramConnection> => connectTcp({ address: ipAddress, port }),
    packetCodec: () => codecs[codec](),
  };
}
