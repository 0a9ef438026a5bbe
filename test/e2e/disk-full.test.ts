import { beforeAll, describe, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { eventually, queueEmpty } from "./api.ts";
import { startLive } from "./live.ts";
import { startLoad } from "./load.ts";
import { runPosthouse } from "./posthouse.ts";
import { reckon } from "./records.ts";
import { limitedTo, type SmallDisk, smallDisks } from "./small-disk.ts";

beforeAll(() => executable(), 60_000);

const CHATS = 100;
const STOP_MS_MAX = 10_000;
/** Telegram takes its time, so that there are outcomes to record when the room ends. */
const ANSWER_MS = 100;

/** A server on a small disk, at work. */
async function startBusy(makeDisk: () => SmallDisk) {
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(makeDisk());
  const live = stack.use(await startLive({ folder: disk.path, launcher: disk.launcher }));
  const { telegram, bot, account, caller, posthouse } = live;
  telegram.fault({ kind: "slow", ms: ANSWER_MS }, { method: "sendMessage", times: Number.MAX_SAFE_INTEGER });
  const [own, ...others] = telegram.addPrivateChats(bot, CHATS);
  const targets = others.map(({ id }) => ({ account_id: account, to: id }));
  const load = startLoad({ key: caller.key, targets, url: () => Promise.resolve(posthouse.url), connections: 2, pauseMs: 30 });
  await telegram.waitFor(() => telegram.sent.length > 10);
  const sendOne = () => caller.post("/v1/messages/send", { account_id: account, to: own!.id, text: crypto.randomUUID() });
  const kept = stack.move();
  return { ...live, disk, load, sendOne, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

describe.each(smallDisks)("when %s", (_title, makeDisk) => {
  test("sends are refused with 503, nothing acknowledged is lost, and with room all goes on without a restart", async () => {
    await using busy = await startBusy(makeDisk);
    const { posthouse, disk, load, sendOne, caller, telegram } = busy;
    disk.fill(posthouse.pid);
    const refused = await eventually("sends are still taken", sendOne, ({ status }) => status !== 200);
    expect(refused).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await sendOne()).status).toBe(503);
    // What is there can be read meanwhile.
    expect((await caller.get("/v1/messages")).status).toBe(200);

    disk.makeRoom();
    await eventually("sends are still refused", sendOne, ({ status }) => status === 200);
    await load.finish();
    await queueEmpty(caller);
    expect(await posthouse.stop()).toBe(0);
    const figures = reckon(busy.folder, load.sends, telegram.sent);
    expect(figures).toMatchObject({ queued: 0, faults: [], unknown: [], doubled: 0, integrity: "ok" });
    expect(load.unexpected).toEqual([]);
  }, 30_000);

  test("it still stops within 10 s, and the next start goes on from what is there", async () => {
    await using busy = await startBusy(makeDisk);
    const { posthouse, disk, load, sendOne, telegram } = busy;
    disk.fill(posthouse.pid);
    await eventually("sends are still taken", sendOne, ({ status }) => status !== 200);
    const askedAt = performance.now();
    expect(await posthouse.stop()).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(STOP_MS_MAX);
    await load.leave();

    disk.makeRoom();
    const again = await busy.restart();
    await queueEmpty(again.caller);
    expect(await again.posthouse.stop()).toBe(0);
    const { faults, doubled, integrity, unknown, unknownArrived } = reckon(busy.folder, load.sends, telegram.sent);
    expect({ faults, doubled, integrity }).toEqual({ faults: [], doubled: 0, integrity: "ok" });
    // Only those whose outcome could not be written.
    expect(unknownArrived).toBe(unknown.length);
  }, 30_000);
});

test.each([0, 100, 200, 280, 320, 360])("a first start that runs out of room after %i blocks ends, and says so", async (blocks) => {
  using folder = tempFolder();
  const { code, out, err } = await runPosthouse(folder.path, ["serve"], {}, limitedTo(blocks));
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).not.toBe("");
});
