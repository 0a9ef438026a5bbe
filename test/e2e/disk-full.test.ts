import { beforeAll, describe, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { eventually, queueEmpty } from "./api.ts";
import { startLive } from "./live.ts";
import { startLoad } from "./load.ts";
import { runPosthouse } from "./posthouse.ts";
import { reckon } from "./records.ts";
import { smallDisks } from "./small-disk.ts";

beforeAll(() => executable(), 60_000);

const CHATS = 100;
const STOP_MS_MAX = 10_000;
const ANSWER_MS = 100;

describe.each(smallDisks)("while %s", (_title, makeDisk) => {
  async function startBusy() {
    await using stack = new AsyncDisposableStack();
    const disk = stack.use(makeDisk());
    const live = stack.use(await startLive({ folder: disk.path, launcher: disk.launcher }));
    const { telegram, bot, account, caller, posthouse } = live;
    telegram.fault({ kind: "slow", ms: ANSWER_MS }, { method: "sendMessage", times: Number.MAX_SAFE_INTEGER });
    const [own, ...others] = telegram.addPrivateChats(bot, CHATS);
    const targets = others.map(({ id }) => ({ account_id: account, to: id }));
    const load = startLoad({ key: caller.key, targets, url: () => Promise.resolve(posthouse.url), connections: 2, pauseMs: 30 });
    const ask = { account_id: account, to: own!.id, text: "one more" };
    const tryOne = () => caller.post("/v1/messages/send", ask);
    await telegram.waitFor(() => telegram.sent.length > 10);
    const kept = stack.move();
    return { ...live, disk, load, tryOne, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  test("sends are refused with 503, nothing acknowledged is lost, and without a restart all goes on when there is room", async () => {
    await using busy = await startBusy();
    const { posthouse, disk, load, tryOne, caller, telegram } = busy;
    disk.fill(posthouse.pid);
    const refused = await eventually("sends are still taken", tryOne, ({ status }) => status !== 200);
    expect(refused).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await tryOne()).status).toBe(503);
    // What is there can be read meanwhile.
    expect((await caller.get("/v1/messages")).status).toBe(200);

    disk.makeRoom(posthouse.pid);
    await eventually("sends are still refused", tryOne, ({ status }) => status === 200);
    await load.finish();
    await queueEmpty(caller);
    expect(await posthouse.stop()).toBe(0);
    const sent = telegram.sent.filter(({ text }) => text !== "one more");
    const figures = reckon(busy.folder, load.sends, sent);
    expect({ ...figures, faults: figures.faults }).toMatchObject({ queued: 0, unknown: [], integrity: "ok" });
    expect(load.unexpected).toEqual([]);
  }, 30_000);

  test("it can be stopped, and the next start goes on from what is there", async () => {
    await using busy = await startBusy();
    const { posthouse, disk, load, tryOne, telegram } = busy;
    disk.fill(posthouse.pid);
    await eventually("sends are still taken", tryOne, ({ status }) => status !== 200);
    const askedAt = performance.now();
    const code = await posthouse.stop();
    console.log({ code, ms: performance.now() - askedAt });
    await load.leave();
    console.log(posthouse.log().slice(-10).join("\n"));
    disk.makeRoom(posthouse.pid);
  }, 30_000);
});
