import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { read } from "#test/support/sending.ts";

describe.each(appEngines)("a message to a contact on %s", (engine) => {
  test("goes to their address by their id, and is filled in from what is known of them", async () => {
    await using app = await setup({ engine });
    const { body: contact } = await app.sandbox.post<{ id: string }>("/v1/contacts", {
      username: "sarah_miller",
      first_name: "Sally",
      email: "sally@example.com",
    });
    const { body } = await app.sandbox.post<{ id: string }>("/v1/messages/send", {
      account_id: 7421,
      to: contact.id,
      text: "Hey {first_name} {last_name}, is {email} yours, {nickname|friend}?",
    });
    await app.settled();
    expect(await read(app.sandbox, body.id)).toMatchObject({
      to: "@sarah_miller",
      contact_id: contact.id,
      status: "sent",
      text: "Hey Sally Miller, is sally@example.com yours, friend?",
    });
  });

  test.each([
    ["@Sarah_Miller", { username: "sarah_miller" }],
    [4242, { telegram_id: 4242 }],
    ["4242", { telegram_id: 4242 }],
    ["+447700900123", { phone: "+44 7700 900123" }],
  ])("to %p knows whose address that is", async (to, identity) => {
    await using app = await setup({ engine });
    const { body: contact } = await app.sandbox.post<{ id: string }>("/v1/contacts", { name: "Known One", ...identity });
    const { body } = await app.sandbox.post<{ id: string }>("/v1/messages/send", { account_id: 7421, to, text: "Dear {name}" });
    await app.settled();
    expect(await read(app.sandbox, body.id)).toMatchObject({ contact_id: contact.id, text: "Dear Known One", status: "sent" });
  });

  test("by a template takes from the contact what it asks for", async () => {
    await using app = await setup({ engine });
    const { body: contact } = await app.sandbox.post<{ id: string }>("/v1/contacts", {
      username: "sarah_miller",
      name: "Sarah {x}",
      tags: ["vip"],
    });
    const body = '{% if tags contains "vip" %}Dear {{ name }}{% else %}Hi{% endif %}, {first_name}';
    const { body: template } = await app.sandbox.post<{ id: string }>("/v1/templates", { name: "Greeting", body });
    const preview = await app.sandbox.post<{ text: string }>(`/v1/templates/${template.id}/preview`, { contact_id: contact.id });
    expect(preview.body.text).toBe("Dear Sarah {x}, Sarah");
    const { body: sent } = await app.sandbox.post<{ id: string }>("/v1/messages/send", {
      account_id: 7421,
      to: "@sarah_miller",
      template_id: template.id,
    });
    await app.settled();
    expect(await read(app.sandbox, sent.id)).toMatchObject({ contact_id: contact.id, text: "Dear Sarah {x}, Sarah", status: "sent" });
  });

  test("needs no question to Telegram for what the contact tells", async () => {
    await using town = await setupWithTelegram(engine);
    const { account, bot } = await town.connect();
    const sarah = town.telegram.addPrivateChat(bot);
    const { body: contact } = await town.app.live.post<{ id: string }>("/v1/contacts", {
      telegram_id: sarah.id,
      name: "Sarah from the Desk",
    });
    await town.app.live.post("/v1/messages/send", { account_id: account.id, to: contact.id, text: "Hello {name}" });
    await town.app.settled();
    expect(town.telegram.sent.map(({ text }) => text)).toEqual(["Hello Sarah from the Desk"]);
  });

  test("tells whose a username is by now: it leaves who had it before", async () => {
    await using town = await setupWithTelegram(engine);
    const { app, telegram } = town;
    const { account, bot } = await town.connect();
    const chat = telegram.addPrivateChat(bot, { username: "The_Name" });
    const make = async (ask: object) => (await app.live.post<{ id: string }>("/v1/contacts", ask)).body.id;
    const sarah = await make({ telegram_id: chat.id, username: "old_name" });
    const former = await make({ username: "the_name", email: "former@example.com" });
    const stranger = telegram.addPrivateChat(bot, { username: "somebody_new" });
    for (const to of [chat.id, chat.id, stranger.id])
      await app.live.post("/v1/messages/send", { account_id: account.id, to, text: "Hello" });
    await app.settled();
    const usernameOf = async (id: string) => (await app.live.get<{ username: string | null }>(`/v1/contacts/${id}`)).body.username;
    expect([await usernameOf(sarah), await usernameOf(former)]).toEqual(["the_name", null]);
    const { body } = await app.live.get<{ total: number; items: { event: string; subject: string }[] }>("/v1/events?limit=200");
    const updates = body.items.filter(({ event }) => event === "contact.updated").map(({ subject }) => subject);
    expect(updates).toEqual([former, sarah]);
    expect((await app.live.get("/v1/contacts")).body).toMatchObject({ total: 2 });
  });

  test("is refused where there is no such contact, or none that can be written to", async () => {
    await using app = await setup({ engine });
    const send = (to: string) =>
      app.sandbox.post<{ details?: { field: string }[] }>("/v1/messages/send", { account_id: 7421, to, text: "Hi" });
    const { body: contact } = await app.sandbox.post<{ id: string }>("/v1/contacts", { email: "only@example.com" });
    const other = await app.live.post<{ id: string }>("/v1/contacts", { username: "elsewhere" });
    expect((await send(other.body.id)).status).toBe(404);
    const refused = await send(contact.id);
    expect([refused.status, refused.body.details![0]!.field]).toEqual([422, "to"]);
    await app.sandbox.patch(`/v1/contacts/${contact.id}`, { username: "now_here" });
    expect((await send(contact.id)).status).toBe(200);
    await app.sandbox.delete(`/v1/contacts/${contact.id}`);
    expect((await send(contact.id)).status).toBe(404);
  });
});
