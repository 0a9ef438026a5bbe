import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { UserGate } from "#src/modules/accounts/model.ts";
import type { Connector } from "#src/modules/connections/model.ts";
import type { Channel } from "#src/modules/messages/channel.ts";
import { createChannel } from "./channel.ts";
import type { TelegramUserOptions } from "./client.ts";
import { createConnector } from "./connector.ts";
import { createGate } from "./gate.ts";
import type { Lives } from "./live.ts";

/** User accounts over MTProto: one connection each, by which is sent and listened. */
export interface TelegramUser {
  channel: Channel;
  connector: Connector;
  gate: UserGate;
  /** Ends all connections and logins under way. */
  close(): Promise<void>;
}

export function createTelegramUser({ clock, log, ...telegram }: TelegramUserOptions & { clock: Clock; log: Log }): TelegramUser {
  const lives: Lives = new Map();
  const connector = createConnector({ telegram, clock, log, lives });
  const gate = createGate({ telegram, clock, log });
  return {
    channel: createChannel(lives, clock),
    connector,
    gate,
    async close() {
      await Promise.all([connector.close(), gate.close()]);
    },
  };
}
