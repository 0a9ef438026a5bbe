import { describe, expect, test } from "bun:test";
import { createSandboxChannel } from "#plugins/sandbox/channel.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { arriving } from "#test/support/receiving.ts";
import { makeContact } from "#test/support/scoring.ts";
import { enroll, enrollmentOf, makeSequence, outOf, waiting } from "#test/support/sequences.ts";
import { makeUser, playUsers } from "#test/support/user-channel.ts";

const DAY = 86_400_000;

describe.each(appEngines)("a pool of accounts on %s", (engine) => {
  test("sends by the first that can reach the contact, and goes on with who has written while they can", async () => {
    await using town = await setupWithTelegram(engine);
    const { app } = town;
    const { live } = app;
    const [first, second] = [await town.connect(), await town.connect()];
    const { id: telegram_id } = town.telegram.addPrivateChat(second.bot, { first_name: "Anna", username: "anna" });
    const anna = { telegram_id, username: "anna", first_name: "Anna", last_name: null };
    const meets = async ({ account }: typeof first, remote_id: string) => {
      const hearing = { env_id: live.env_id, id: account.id, kind: "telegram_bot", username: account.username };
      const chat = { id: String(telegram_id), type: "private" as const, title: null, ...anna };
      await app.db.write((tx) => app.services.happened(tx, hearing, [arriving({ remote_id, chat, sender: anna })]));
    };
    const contact = await makeContact(live, { telegram_id, username: "anna" });
    await meets(second, "1");
    const pool = { type: "send", account_ids: [first.account.id, second.account.id] };
    const steps = [{ ...pool, text: "One" }, waiting("1d"), { ...pool, text: "Two" }];
    const sequence = await makeSequence(live, { steps, exit_on: { reply: false } });
    const enrollment = await enroll(live, sequence, contact);
    await app.settled();
    expect(await enrollmentOf(live, sequence, enrollment)).toMatchObject({ account_id: second.account.id });
    // By now the first could, too.
    await meets(first, "2");
    await app.leap(86_400_000);
    const { body } = await live.get<{ items: { account_id: number; text: string }[] }>("/v1/messages?direction=out");
    expect(body.items.map(({ account_id, text }) => [text, account_id])).toEqual([
      ["Two", second.account.id],
      ["One", second.account.id],
    ]);
  });

  test("of several kinds goes by their order, passes over who is logged out, and never takes a kind that is left out", async () => {
    const users = playUsers();
    await using app = await setup({ engine, channels: (clock) => [createSandboxChannel(clock), users.channel] });
    const { sandbox, services } = app;
    const user = await makeUser({ ...app, live: sandbox });
    const pool = { type: "send", account_ids: [7421, user] };
    const both = { ...pool, channels: ["telegram_user", "sandbox"] };
    const steps = [
      { ...both, text: "One" },
      waiting("1d"),
      { ...both, text: "Two" },
      waiting("1d"),
      { ...pool, channels: ["telegram_user"], text: "Three" },
    ];
    const sequence = await makeSequence(sandbox, { steps });
    await enroll(sandbox, sequence, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    expect(users.sent.map(({ text }) => text)).toEqual(["One"]);
    await app.db.write((tx) => services.accounts.disconnect(tx, sandbox.env_id, user, "It was closed.", true));
    await app.leap(DAY);
    await app.leap(DAY);
    const sent = (await outOf(sandbox)).map(({ text, account_id }) => [text, account_id]);
    expect(sent).toEqual([
      ["One", user],
      ["Two", 7421],
      ["Three", user],
    ]);
    // It waits for whoever logs the account in again.
    expect(users.sent.map(({ text }) => text)).toEqual(["One"]);
  });

  test("passes over who is paused while another can send", async () => {
    const users = playUsers();
    await using app = await setup({ engine, channels: (clock) => [createSandboxChannel(clock), users.channel] });
    const { sandbox } = app;
    const user = await makeUser({ ...app, live: sandbox });
    const pool = { type: "send", account_ids: [user, 7421] };
    const sequence = await makeSequence(sandbox, { steps: [{ ...pool, text: "One" }, waiting("1d"), { ...pool, text: "Two" }] });
    await enroll(sandbox, sequence, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    expect((await sandbox.patch(`/v1/accounts/${user}`, { paused: true })).status).toBe(200);
    await app.leap(DAY);
    expect((await outOf(sandbox)).map(({ text, account_id }) => [text, account_id])).toEqual([
      ["One", user],
      ["Two", 7421],
    ]);
  });

  test("goes on by another account when one is removed, and a step without another says that it is gone", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const { live } = app;
    const [first, second] = [await town.connect(), await town.connect()];
    const pool = { type: "send", account_ids: [first.account.id, second.account.id] };
    const { id: telegram_id } = telegram.addPrivateChat(first.bot, { first_name: "Anna", username: "anna" });
    telegram.addPrivateChat(second.bot, { id: telegram_id, first_name: "Anna", username: "anna" });
    const contact = await makeContact(live, { telegram_id, username: "anna" });
    const pooled = await makeSequence(live, { steps: [{ ...pool, text: "One" }, waiting("1d"), { ...pool, text: "Two" }] });
    const own = { type: "send", account_id: first.account.id };
    const single = await makeSequence(live, { steps: [{ ...own, text: "Three" }, waiting("1d"), { ...own, text: "Four" }] });
    const [by, alone] = [await enroll(live, pooled, contact), await enroll(live, single, contact)];
    await app.settled();
    expect((await live.delete(`/v1/accounts/${first.account.id}`)).status).toBe(204);
    await app.leap(DAY);
    expect(await enrollmentOf(live, pooled, by)).toMatchObject({ status: "completed", account_id: second.account.id });
    expect(await enrollmentOf(live, single, alone)).toMatchObject({ status: "failed", reason: "account_gone" });
    expect((await outOf(live)).map(({ text, account_id }) => [text, account_id])).toEqual([
      ["One", first.account.id],
      ["Three", first.account.id],
      ["Two", second.account.id],
    ]);
  });

  test("an account that is logged out on the way keeps what it has, another goes on, and each message leaves once", async () => {
    const users = playUsers();
    await using app = await setup({ engine, channels: (clock) => [createSandboxChannel(clock), users.channel] });
    const { sandbox, db, services } = app;
    const { env_id } = sandbox;
    const user = await makeUser({ ...app, live: sandbox });
    const pool = { type: "send", account_ids: [user, 7421] };
    const sequence = await makeSequence(sandbox, { steps: [{ ...pool, text: "One" }, waiting("1d"), { ...pool, text: "Two" }] });
    users.results.push({ kind: "unauthorized", reason: "It was logged out." });
    await enroll(sandbox, sequence, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    expect(users.sent).toEqual([]);
    await app.leap(DAY);
    await db.write(async (tx) => {
      await db.in(tx).updateTable("accounts").set({ status: "connected" }).where("env_id", "=", env_id).where("id", "=", user).execute();
      await services.loop.pauseLane(tx, env_id, `account:${user}`, false);
    });
    await app.leap(60_000);
    await app.leap(60_000);
    const { body } = await sandbox.get<{ items: { text: string; account_id: number; status: string }[] }>("/v1/messages?direction=out");
    const left = body.items.map(({ text, account_id, status }) => `${text} ${account_id === user ? "user" : "sandbox"} ${status}`);
    expect(left.toSorted()).toEqual(["One user sent", "Two sandbox sent"]);
    expect(users.sent.map(({ text }) => text)).toEqual(["One"]);
  });
});
