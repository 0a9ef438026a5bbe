import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, eventually } from "./api.ts";
import { launchPosthouse, startPosthouse } from "./posthouse.ts";
import { happen } from "./webhooks.ts";

const KILLS = 3;
const PEOPLE = 20;

beforeAll(() => executable(), 60_000);

test("listen forwards every event once and in order, however often the server is killed meanwhile", async () => {
  using folder = tempFolder();
  await using receiver = openReceiver();
  const first = await startPosthouse({ folder: folder.path });
  const key = await first.sandboxKey();
  const env = { PORT: new URL(first.url).port, POSTHOUSE_KEY: key };
  const flags = ["--forward", receiver.url(), "--events", "contact.*,message.received"];
  await using listening = await launchPosthouse({ folder: folder.path, env, args: ["listen", ...flags] });
  const begun = () => Promise.resolve(listening.log().some((line) => line.startsWith("listening to")));
  await eventually("it does not listen", begun, Boolean);
  let server = first;
  for (let kill = 0; kill < KILLS; kill++) {
    await happen((await connect(server)).as(key), PEOPLE);
    // In the midst of forwarding, or before it has begun.
    if (kill > 0) await receiver.waitFor(receiver.received.length + 1);
    await server.stop("SIGKILL");
    server = await startPosthouse({ folder: folder.path, env });
  }
  await using last = server;
  const caller = (await connect(last)).as(key);
  await happen(caller, 1);
  const { items } = (await caller.get<{ items: { id: string }[] }>("/v1/events?limit=200&type=contact.*,message.received")).body;
  expect(items).toHaveLength(2 * (KILLS * PEOPLE + 1));
  await receiver.waitFor(items.length);
  expect(receiver.ids()).toEqual(items.map(({ id }) => id));
  expect(await listening.stop("SIGTERM")).toBe(0);
  expect(listening.log().filter((line) => line.includes("there again"))).toHaveLength(KILLS);
  expect(listening.out() + listening.log().join("")).not.toContain(key);
}, 60_000);
