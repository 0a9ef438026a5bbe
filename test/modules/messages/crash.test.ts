import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";
import { type BotApp, setupWithTelegram } from "#test/support/bots.ts";
import { cancel, queue, read } from "#test/support/sending.ts";

/** Two messages to one chat, of which a crash has left the first on the wire. */
async function crashed({ app, telegram, connect }: BotApp): Promise<[string, string]> {
  const { account, bot } = await connect();
  const sarah = telegram.addPrivateChat(bot);
  await app.services.loop.stop();
  const ids: [string, string] = [
    await queue(app.live, { account_id: account.id, to: sarah.id, text: "the first of two" }),
    await queue(app.live, { account_id: account.id, to: sarah.id, text: "the second of two" }),
  ];
  await app.db.write((tx) => app.db.in(tx).updateTable("messages").set({ status: "sending" }).where("id", "=", ids[0]).execute());
  return ids;
}

describe.each(appEngines)("after a crash on %s", (engine) => {
  test("a bot's message that was on the wire ends with its outcome unknown, and the next one leaves", async () => {
    await using town = await setupWithTelegram(engine);
    const [lost, next] = await crashed(town);
    await town.app.services.loop.start();
    await town.app.settled();
    expect(await read(town.app.live, lost)).toMatchObject({ status: "failed", error: { code: "outcome_unknown" }, sent_at: null });
    expect((await read(town.app.live, next)).status).toBe("sent");
    expect(town.telegram.sent.map(({ text }) => text)).toEqual(["the second of two"]);
    const { body } = await town.app.live.get<{ items: { event: string; subject: string; actor: string }[] }>("/v1/events");
    expect(body.items.filter(({ subject }) => subject === lost).map(({ event, actor }) => [event, actor])).toEqual([
      ["message.queued", expect.stringMatching(/^key_/)],
      ["message.failed", "job"],
    ]);
    expect(await town.app.db.read.selectFrom("jobs").selectAll().execute()).toEqual([]);
  });

  test("it is sent again, in its place, where the workspace accepts doubles", async () => {
    await using town = await setupWithTelegram(engine);
    await town.app.live.patch("/v1/workspace", { on_unknown: "retry" });
    const ids = await crashed(town);
    await town.app.services.loop.start();
    await town.app.advance(2_000);
    expect(await Promise.all(ids.map(async (id) => (await read(town.app.live, id)).status))).toEqual(["sent", "sent"]);
    expect(town.telegram.sent.map(({ text }) => text)).toEqual(["the first of two", "the second of two"]);
  });

  test("what only waited is sent once", async () => {
    await using app = await setup({ engine });
    await app.services.loop.stop();
    const ids = await Promise.all(Array.from({ length: 20 }, () => queue(app.sandbox)));
    await app.services.loop.start();
    await app.settled();
    const messages = await Promise.all(ids.map((id) => read(app.sandbox, id)));
    expect(messages.every(({ status, attempts }) => status === "sent" && attempts.length === 1)).toBe(true);
  });
});

describe.each(appEngines)("a message that can't be begun on %s", (engine) => {
  test("fails as internal_error after some tries, and holds up nobody for longer", async () => {
    await using app = await setup({ engine });
    await app.services.loop.stop();
    const [damaged, next] = [await queue(app.sandbox), await queue(app.sandbox)] as const;
    await app.db.write((tx) => app.db.in(tx).updateTable("messages").set({ account_id: 999_999 }).where("id", "=", damaged).execute());
    await app.services.loop.start();
    await app.advance(5 * 60_000);
    expect(await read(app.sandbox, damaged)).toMatchObject({ status: "failed", error: { code: "internal_error" } });
    expect((await read(app.sandbox, next)).status).toBe("sent");
    expect(app.log.filter((line) => line.includes("a job can't be begun"))).toHaveLength(5);
  });
});

describe.each(appEngines)("cancelling while messages are being sent on %s", (engine) => {
  test("ends each of them one way, and tells of no other", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const { account, bot } = await town.connect();
    const chats = telegram.addPrivateChats(bot, 40);
    const ask = (id: number) => ({ account_id: account.id, to: id });
    const live = await Promise.all(chats.map(({ id }) => queue(app.live, ask(id))));
    const sandbox = await Promise.all(chats.map(() => queue(app.sandbox)));
    const answers = await Promise.all([
      ...live.map(async (id) => ({ id, status: (await cancel(app.live, id)).status })),
      ...sandbox.map(async (id) => ({ id, status: (await cancel(app.sandbox, id)).status })),
    ]);
    await app.advance(5_000);
    for (const { id, status } of answers) {
      const tenant = live.includes(id) ? app.live : app.sandbox;
      expect([id, (await read(tenant, id)).status]).toEqual([id, status === 200 ? "canceled" : "sent"]);
    }
    const events = await app.db.read
      .selectFrom("events")
      .select(["subject", "type"])
      .where("type", "in", ["message.sent", "message.canceled"])
      .execute();
    expect(events.map(({ subject }) => subject).toSorted()).toEqual([...live, ...sandbox].toSorted());
    expect(telegram.sent.length).toBe(answers.filter(({ id, status }) => live.includes(id) && status === 409).length);
  });
});
