import { beforeAll, describe, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { type Live, startLive } from "./live.ts";
import { queueEmpty, send } from "./api.ts";
import { startLoad } from "./load.ts";
import { reckon } from "./records.ts";

beforeAll(() => executable(), 60_000);

const STOP_MS_MAX = 10_000;
const CHATS = 200;
/** Telegram takes its time, so that there is something on the wire when the signal comes. */
const ANSWER_MS = 300;

async function startBusy(live: Live) {
  const { telegram, bot, account, caller, posthouse } = live;
  telegram.fault({ kind: "slow", ms: ANSWER_MS }, { method: "sendMessage", times: Number.MAX_SAFE_INTEGER });
  const targets = telegram.addPrivateChats(bot, CHATS).map(({ id }) => ({ account_id: account, to: id }));
  const load = startLoad({ key: caller.key, targets, url: () => Promise.resolve(posthouse.url), connections: 3, pauseMs: 20 });
  // More than a second's worth for one bot: from then on messages wait for its pace.
  await telegram.waitFor(() => telegram.sent.length > 30);
  return load;
}

describe.each(["SIGTERM", "SIGINT"] as const)("%s under load", (signal) => {
  test("finishes what is on the wire and records it, keeps everything acknowledged, and ends with 0 within 10 s", async () => {
    await using live = await startLive();
    const load = await startBusy(live);
    const askedAt = performance.now();
    const code = await live.posthouse.stop(signal);
    const ms = performance.now() - askedAt;
    await load.leave();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS_MAX);
    const { queued, sent, ...figures } = reckon(live.folder, load.sends, live.telegram.sent);
    expect(figures).toMatchObject({ faults: [], unknown: [], doubled: 0, integrity: "ok" });
    expect(sent).toBe(live.telegram.sent.length);
    expect(queued).toBeGreaterThan(0);
    expect(load.unexpected).toEqual([]);
  }, 20_000);
});

test("what waited when it stopped goes out with the next start, once", async () => {
  await using live = await startLive();
  const load = await startBusy(live);
  await live.posthouse.stop();
  await load.leave();
  live.telegram.clearFaults();
  const { posthouse, caller } = await live.restart();
  await queueEmpty(caller);
  await posthouse.stop();
  const figures = reckon(live.folder, load.sends, live.telegram.sent);
  expect(figures).toMatchObject({ queued: 0, faults: [], unknown: [], doubled: 0, integrity: "ok" });
}, 30_000);

test("a Telegram that hangs doesn't hold the stop over 10 s; the message is then outcome_unknown", async () => {
  await using live = await startLive();
  const { telegram, bot, account, caller } = live;
  const chat = telegram.addPrivateChat(bot);
  telegram.fault({ kind: "hang", done: true }, { method: "sendMessage" });
  const id = await send(caller, account, chat.id, "Hello");
  await telegram.waitFor(() => telegram.sent.length === 1);
  const askedAt = performance.now();
  expect(await live.posthouse.stop()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(STOP_MS_MAX);
  const again = await live.restart();
  expect((await again.caller.get(`/v1/messages/${id}`)).body).toMatchObject({ status: "failed", error: { code: "outcome_unknown" } });
  expect(telegram.sent).toHaveLength(1);
}, 20_000);
