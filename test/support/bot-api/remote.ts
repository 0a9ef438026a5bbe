import { remoteVerbs, type RemoteVerb } from "./control.ts";
import type { Requests, Sent } from "./model.ts";
import type { BotApi, BotApiOptions } from "./start.ts";

type RemoteVerbs = { [V in RemoteVerb]: (...args: Parameters<BotApi[V]>) => Promise<Awaited<ReturnType<BotApi[V]>>> };

/** An emulator in another process. */
export interface RemoteBotApi extends RemoteVerbs {
  url: string;
  /** @param after how many of the first to leave out */
  sent(after?: number): Promise<Sent[]>;
  requests(): Promise<Requests>;
  /** @throws Error when so many messages are not sent in time */
  waitForSent(count: number, timeoutMs?: number): Promise<void>;
}

const WAIT_MS = 10_000;

/** Speaks to an emulator that runs at this address. */
function connectBotApi(url: string): RemoteBotApi {
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/control/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  };
  const verbs = remoteVerbs.map((verb) => [verb, (...args: unknown[]) => call("POST", verb, args)]);
  return {
    ...(Object.fromEntries(verbs) as RemoteVerbs),
    url,
    sent: (after = 0) => call("GET", `sent?after=${after}`) as Promise<Sent[]>,
    requests: () => call("GET", "requests") as Promise<Requests>,
    async waitForSent(count, timeoutMs = WAIT_MS) {
      await call("GET", `wait?sent=${count}&timeout_ms=${timeoutMs}`);
    },
  };
}

/** Starts an emulator as a process of its own, which outlives the server under test but not this one. */
export async function spawnBotApi(options: BotApiOptions = {}): Promise<RemoteBotApi & { stop(): Promise<void> }> {
  const main = Bun.fileURLToPath(new URL("main.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, main, JSON.stringify({ ...options, stop_with_stdin: true })], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { url } = JSON.parse(await firstLine(child.stdout)) as { url: string };
  return {
    ...connectBotApi(url),
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString();
    if (text.includes("\n")) break;
  }
  return text.split("\n", 1)[0] ?? "";
}
