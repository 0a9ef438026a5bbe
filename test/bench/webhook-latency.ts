import { setTimeout as wait } from "node:timers/promises";
import { apiAt } from "./api.ts";
import { prepareData } from "./data.ts";
import { dataFolder, startPosthouse } from "./posthouse.ts";
import { alternate, median } from "./rounds.ts";

const ENDPOINTS = 50;
const ROUNDS = 5;
const EVENTS = 40;
const PAUSE_MS = 100;
const WARM_UP_EVENTS = 20;
const HANGING = "/hanging";

/** Takes webhooks in this process: the hanging one's are held until they are let go. */
function openReceiver() {
  const held = new Set<() => void>();
  let taken: number[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === HANGING) {
        await new Promise<void>((resolve) => held.add(resolve));
        return new Response("late", { status: 500 });
      }
      const at = performance.timeOrigin + performance.now();
      taken.push(at - Date.parse(((await request.json()) as { created_at: string }).created_at));
      return new Response("ok");
    },
  });
  return {
    url: (path: string) => `http://127.0.0.1:${server.port}${path}`,
    count: () => taken.length,
    holds: () => held.size,
    letGo(): void {
      for (const resolve of held) resolve();
      held.clear();
    },
    /** What has been taken since the last call: milliseconds from each event's own time. */
    take(): number[] {
      const all = taken;
      taken = [];
      return all;
    },
    stop: () => server.stop(true),
  };
}

/**
 * From commit to receipt at 49 endpoints, while a fiftieth hangs and while there is none, several rounds of each in turn.
 * @returns medians (ms)
 */
export async function latencyBesideHanging(): Promise<{ with: number; without: number }> {
  using folder = dataFolder();
  const env = { ...folder.env, ALLOW_PRIVATE_WEBHOOKS: "true" };
  const { key } = await prepareData(env);
  const receiver = openReceiver();
  await using server = await startPosthouse({ ...folder, env });
  const api = apiAt(server.port, key);
  const events = ["contact.*"];
  for (let number = 1; number < ENDPOINTS; number++) await api.post("/v1/webhooks", { url: receiver.url(`/${number}`), events });
  const { id } = await api.post<{ id: string }>("/v1/webhooks", { url: receiver.url(HANGING), events });
  let made = 0;

  async function happen(count: number): Promise<number> {
    receiver.take();
    for (let number = 0; number < count; number++) {
      await api.post("/v1/contacts", { external_id: `person-${++made}`, name: "Somebody" });
      await wait(PAUSE_MS);
    }
    while (receiver.count() < count * (ENDPOINTS - 1)) await wait(1);
    return median(receiver.take());
  }

  async function without(): Promise<number> {
    await api.patch(`/v1/webhooks/${id}`, { paused: true });
    receiver.letGo();
    return happen(EVENTS);
  }

  async function beside(): Promise<number> {
    await api.patch(`/v1/webhooks/${id}`, { paused: false, skip_waiting: true });
    const median = await happen(EVENTS);
    if (receiver.holds() === 0) throw new Error("nothing hung");
    return median;
  }

  try {
    await happen(WARM_UP_EVENTS);
    const { ours, theirs } = await alternate(ROUNDS, beside, without);
    return { with: ours, without: theirs };
  } finally {
    receiver.letGo();
    await receiver.stop();
  }
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await latencyBesideHanging())}\n`);
