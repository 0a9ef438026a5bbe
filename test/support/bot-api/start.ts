import { answer } from "./answer.ts";
import type { Changes } from "./changes.ts";
import { control } from "./control.ts";
import { createEmulation, type EmulationOptions } from "./emulation.ts";
import { createFront } from "./front.ts";
import type { Requests, Sent } from "./model.ts";
import { createVerbs, type Verbs } from "./verbs.ts";

export interface BotApiOptions extends EmulationOptions {
  /** 0, the default, takes a free one. */
  port?: number;
}

/** A running emulator of https://core.telegram.org/bots/api */
export interface BotApi extends Verbs {
  /** What goes into `apiRoot` or `TELEGRAM_API_ROOT`. */
  url: string;
  /** Every message that was sent, in order. */
  sent: readonly Sent[];
  requests: Readonly<Requests>;
  /** Resolves once the condition holds; it is looked at whenever something arrives or is sent. */
  waitFor: Changes["waitFor"];
  /** Closes kept connections on which no answer is due; resolves when their clients have seen it. */
  closeIdleConnections(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Bot API server on loopback. */
export async function startBotApi(options: BotApiOptions = {}): Promise<BotApi> {
  const emulation = createEmulation(options);
  const { changes, faults, requests, sent } = emulation;

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    reusePort: false,
    // A hanging request and a long poll stay open until their client goes.
    idleTimeout: 0,
    fetch(request, http): Promise<Response> {
      if (new URL(request.url).pathname.startsWith("/control/")) return control(request, api);
      return answer(request, front.connectionOf(http.requestIP(request)?.port ?? 0), emulation);
    },
  });
  const front = await createFront({
    port: options.port ?? 0,
    target: Number(server.port),
    onConnection() {
      requests.connections++;
      changes.notify();
    },
    isUnread: () => faults.takeUnread(),
  }).catch(async (error: unknown) => {
    await server.stop(true);
    throw error;
  });
  const api: BotApi = {
    ...createVerbs(emulation),
    url: `http://127.0.0.1:${front.port}`,
    sent,
    requests,
    waitFor: changes.waitFor,
    closeIdleConnections: () => front.closeIdle(),
    async stop() {
      emulation.stop();
      await front.stop();
      await server.stop(true);
    },
  };
  return api;
}
