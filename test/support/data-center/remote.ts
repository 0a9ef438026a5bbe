import { remoteVerbs, type PlainCall, type RemoteVerb } from "./control.ts";
import type { DataCenter, DataCenterOptions } from "./start.ts";

type RemoteVerbs = { [V in RemoteVerb]: (...args: Parameters<DataCenter[V]>) => Promise<Awaited<ReturnType<DataCenter[V]>>> };

/** A data centre in another process. */
export interface RemoteDataCenter extends RemoteVerbs, Pick<DataCenter, "main" | "publicKeyPem"> {
  /** @param after how many of the first to leave out */
  calls(after?: number): Promise<PlainCall[]>;
  stop(): Promise<void>;
}

/** Starts a data centre as a process of its own, which outlives the server under test but not this one. */
export async function spawnDataCenter(options: DataCenterOptions = {}): Promise<RemoteDataCenter> {
  const path = Bun.fileURLToPath(new URL("main.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, path, JSON.stringify({ ...options, stop_with_stdin: true })], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { url, main, publicKeyPem } = JSON.parse(await firstLine(child.stdout)) as { url: string } & DataCenter;
  const verbs = remoteVerbs.map((verb) => [verb, (...args: unknown[]) => request(`${url}/control/${verb}`, args)]);
  return {
    ...(Object.fromEntries(verbs) as RemoteVerbs),
    main,
    publicKeyPem,
    calls: (after = 0) => request(`${url}/control/calls?after=${after}`) as Promise<PlainCall[]>,
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

async function request(url: string, args?: unknown[]): Promise<unknown> {
  const response = await fetch(url, args === undefined ? {} : { method: "POST", body: JSON.stringify(args, plainBytes) });
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  return response.json();
}

/** Bytes go as Base64. */
function plainBytes(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const given = this[key];
  return given instanceof Uint8Array ? Buffer.from(given).toString("base64") : value;
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString();
    if (text.includes("\n")) break;
  }
  return text.split("\n", 1)[0] ?? "";
}
