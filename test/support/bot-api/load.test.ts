import { expect, test } from "bun:test";
import { Api } from "grammy";
import { spawnBotApi } from "./remote.ts";

test("messages come at the pace that was asked for, numbered without a gap, each with its time", async () => {
  const api = await spawnBotApi();
  try {
    const bot = await api.addBot();
    const chats = await api.addPrivateChats(bot, 10);
    const client = new Api(bot.token, { apiRoot: api.url });
    await api.startLoad({ bot, chats, per_second: 1_000, seconds: 1 });
    const texts: string[] = [];
    const writers = new Set<number>();
    for (let offset = 0; texts.length < 1_000;) {
      const updates = await client.getUpdates({ offset, timeout: 5 });
      expect(updates.length).toBeWithin(1, 101);
      for (const { update_id, message } of updates) {
        offset = update_id + 1;
        writers.add(message?.from.id ?? 0);
        texts.push(message?.text ?? "");
      }
    }
    const marks = texts.map((text) => text.split(" "));
    expect(marks.map(([, n]) => Number(n))).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    const times = marks.map(([, , at]) => Number(at));
    expect(Number(times.at(-1)) - Number(times[0])).toBeWithin(900, 1_500);
    expect(writers.size).toBe(10);
    expect(await api.loadState(bot)).toEqual({ made: 1_000, is_over: true, pending: expect.any(Number) });
  } finally {
    await api.stop();
  }
});
