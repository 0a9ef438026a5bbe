import { describe, expect, test } from "bun:test";
import { toTime } from "#src/core/clock.ts";
import { appEngines } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { queue, read, sendTo } from "#test/support/sending.ts";

describe.each(appEngines)("a bot's message on %s", (engine) => {
  test("reaches the chat once, and keeps Telegram's id of it", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot, { first_name: "Sarah", last_name: "Miller", username: "sarah_miller" });
    const id = await queue(town.app.live, { account_id: account.id, to: sarah.id, text: "Hey {first_name}, {name|you}", silent: true });
    await town.app.settled();
    const sent = await read(town.app.live, id);
    expect(sent).toMatchObject({ status: "sent", channel: "telegram", text: "Hey Sarah, Sarah Miller", to: String(sarah.id) });
    expect(town.telegram.sent).toMatchObject([{ chat_id: sarah.id, text: "Hey Sarah, Sarah Miller", silent: true }]);
    const reply = await queue(town.app.live, { account_id: account.id, to: sarah.id, reply_to: id });
    await town.app.advance(1_000);
    expect((await read(town.app.live, reply)).status).toBe("sent");
    expect(town.telegram.sent[1]!.reply_to).toBe(town.telegram.sent[0]!.message_id);
  });

  test("goes to a username once the bot has had the chat, and gives the link before", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot, { username: "Sarah_Miller" });
    const early = await queue(town.app.live, { account_id: account.id });
    await town.app.settled();
    expect(await read(town.app.live, early)).toMatchObject({
      status: "failed",
      error: { code: "recipient_not_started", link: `https://t.me/${bot.username}` },
    });
    await queue(town.app.live, { account_id: account.id, to: sarah.id });
    await town.app.settled();
    const later = await queue(town.app.live, { account_id: account.id, to: "@SARAH_miller" });
    await town.app.advance(1_000);
    expect((await read(town.app.live, later)).status).toBe("sent");
  });

  test("leaves at the pace of one a second in a chat, in order, and says so in its eta", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    const start = town.app.clock.now();
    const etas: string[] = [];
    for (const text of ["the first", "the second", "the third"])
      etas.push((await sendTo(town.app.live, { account_id: account.id, to: sarah.id, text })).body.eta);
    expect(etas).toEqual([0, 1_000, 2_000].map((ms) => toTime(start + ms)));
    await town.app.settled();
    expect(town.telegram.sent.length).toBe(1);
    await town.app.advance(999);
    expect(town.telegram.sent.length).toBe(1);
    await town.app.advance(1_001);
    expect(town.telegram.sent.map(({ text }) => text)).toEqual(["the first", "the second", "the third"]);
  });

  test("leaves at the pace of thirty a second over all chats", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const chats = town.telegram.addPrivateChats(bot, 65);
    const messages = chats.map(({ id }, at) => ({ account_id: account.id, to: id, text: `to number ${at}` }));
    await town.app.live.post("/v1/messages/batch", { messages });
    await town.app.settled();
    expect(town.telegram.sent.length).toBe(30);
    await town.app.advance(1_000);
    expect(town.telegram.sent.length).toBe(60);
    await town.app.advance(1_000);
    expect(town.telegram.sent.map(({ chat_id }) => chat_id).toSorted()).toEqual(chats.map(({ id }) => id).toSorted());
  });

  test("waits as long as Telegram asks, while another bot's goes on", async () => {
    await using town = await setupWithTelegram(engine);
    const [busy, free] = [await town.connect(), await town.connect()];
    const chats = [busy, free].map(({ bot }) => town.telegram.addPrivateChat(bot));
    town.telegram.fault(
      { kind: "error", error_code: 429, description: "Too Many Requests: retry after 7", parameters: { retry_after: 7 } },
      { token: busy.bot.token },
    );
    const held = await queue(town.app.live, { account_id: busy.account.id, to: chats[0]!.id });
    await town.app.settled();
    const behind = await queue(town.app.live, { account_id: busy.account.id, to: chats[0]!.id });
    const other = await queue(town.app.live, { account_id: free.account.id, to: chats[1]!.id });
    await town.app.settled();
    const states = async () => Promise.all([held, behind, other].map(async (id) => (await read(town.app.live, id)).status));
    expect(await states()).toEqual(["queued", "queued", "sent"]);
    await town.app.advance(6_999);
    expect(await states()).toEqual(["queued", "queued", "sent"]);
    await town.app.advance(1);
    expect((await read(town.app.live, held)).attempts.map(({ outcome }) => outcome)).toEqual(["held", "sent"]);
    await town.app.advance(1_000);
    expect(await states()).toEqual(["sent", "sent", "sent"]);
  });

  test("is not sent a second time when the answer got lost, unless the workspace accepts doubles", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    town.telegram.fault({ kind: "reset", done: true }, { method: "sendMessage", times: 2 });
    const lost = await queue(town.app.live, { account_id: account.id, to: sarah.id });
    await town.app.settled();
    expect(await read(town.app.live, lost)).toMatchObject({
      status: "failed",
      error: { code: "outcome_unknown" },
      attempts: [{ outcome: "unknown" }],
    });
    await town.app.live.patch("/v1/workspace", { on_unknown: "retry" });
    const doubled = await queue(town.app.live, { account_id: account.id, to: sarah.id });
    await town.app.advance(61_000);
    expect((await read(town.app.live, doubled)).attempts.map(({ outcome }) => outcome)).toEqual(["unknown", "sent"]);
    expect(town.telegram.sent.length).toBe(3);
  });

  test("that can't reach Telegram is tried again and again", async () => {
    await using town = await setupWithTelegram(engine);
    const { account } = await town.connect();
    await town.telegram.stop();
    const id = await queue(town.app.live, { account_id: account.id, to: 123456789 });
    await town.app.settled();
    expect(await read(town.app.live, id)).toMatchObject({ status: "queued", attempts: [{ outcome: "unreached" }] });
    await town.app.advance(10_000);
    const { status, attempts } = await read(town.app.live, id);
    expect([status, attempts.length > 2, attempts.every(({ outcome }) => outcome === "unreached")]).toEqual(["queued", true, true]);
  });

  test("waits in its place while the token is refused, and leaves when there is a new one", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    town.telegram.revokeToken(bot);
    const id = await queue(town.app.live, { account_id: account.id, to: sarah.id });
    await town.app.settled();
    const path = `/v1/accounts/${account.id}`;
    expect((await town.app.live.get(path)).body).toMatchObject({ status: "disconnected" });
    expect(await read(town.app.live, id)).toMatchObject({ status: "queued", attempts: [{ outcome: "unauthorized" }] });
    const renewed = town.telegram.addBot({ token: `${bot.id}:${"N".repeat(35)}`, username: bot.username });
    town.telegram.addPrivateChat(renewed, { id: sarah.id });
    const patched = await town.app.live.patch(path, { token: renewed.token });
    expect([patched.status, patched.body.status]).toEqual([200, "connected"]);
    await town.app.advance(1_000);
    expect((await read(town.app.live, id)).status).toBe("sent");
    const { body } = await town.app.live.get<{ items: { event: string }[] }>("/v1/events");
    expect(body.items.map(({ event }) => event)).toEqual([
      "account.connected",
      "message.queued",
      "account.disconnected",
      "account.connected",
      "message.sent",
    ]);
  });

  test("whose account is removed fails, whenever it was due", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    const path = `/v1/accounts/${account.id}`;
    await town.app.live.patch(path, { paused: true });
    const waiting = await queue(town.app.live, { account_id: account.id, to: sarah.id });
    const later = await queue(town.app.live, {
      account_id: account.id,
      to: sarah.id,
      schedule_at: toTime(town.app.clock.now() + 3_600_000),
    });
    expect((await town.app.live.delete(path)).status).toBe(204);
    await town.app.leap(3_600_000);
    const codes = await Promise.all([waiting, later].map(async (id) => (await read(town.app.live, id)).error?.code));
    expect(codes).toEqual(["account_unauthorized", "account_unauthorized"]);
    expect((await sendTo(town.app.live, { account_id: account.id, to: sarah.id })).status).toBe(404);
    expect(town.telegram.sent).toEqual([]);
  });

  test("to somebody who blocked the bot fails with a code of its own", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    town.telegram.block(bot, sarah);
    const id = await queue(town.app.live, { account_id: account.id, to: sarah.id });
    await town.app.settled();
    expect((await read(town.app.live, id)).error?.code).toBe("recipient_blocked");
  });
});
