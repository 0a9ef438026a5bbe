import { describe, expect, test } from "bun:test";
import { appEngines } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { arriving } from "#test/support/receiving.ts";
import { makeContact } from "#test/support/scoring.ts";
import { enroll, enrollmentOf, makeSequence, waiting } from "#test/support/sequences.ts";

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
});
