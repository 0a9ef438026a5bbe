import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Child, freePort, start, until } from "./process.ts";

export const redisMissing = "redis-server is not installed: apt-get install redis-server";

/** A Redis of its own, in a temporary folder, that appends every write to a file. */
export async function startRedis(appendfsync: "always" | "everysec"): Promise<Child & { port: number }> {
  const folder = mkdtempSync(join(tmpdir(), "posthouse-bench-redis-"));
  const port = await freePort();
  const settings = { port, bind: "127.0.0.1", dir: folder, save: "", appendonly: "yes", appendfsync, "maxmemory-policy": "noeviction" };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = start(["redis-server", ...flags], { cwd: folder });
  const client = new Redis(port, "127.0.0.1", { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on("error", () => {});
  await until("a start of Redis", async () => (await client.ping()) === "PONG");
  client.disconnect();
  return {
    ...server,
    port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
