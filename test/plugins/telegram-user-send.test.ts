import { describe, expect, test } from "bun:test";
import { setup } from "#test/support/telegram-user.ts";

describe("a text that a user account sends", () => {
  test("arrives by the username, and teaches who it is", async () => {
    await using app = await setup();
    await app.connected();
    const sent = await app.send({ recipient: "@bob_other", text: "Hi Bob" });
    expect(sent).toMatchObject({
      kind: "sent",
      remote_id: expect.stringMatching(/^\d+$/),
      reached: "sent",
      chat: { chat_id: String(app.bob.id), type: "private", first_name: "Bob", username: "bob_other", title: null },
    });
    expect(app.dc.history(app.bob).map(({ text }) => text)).toEqual(["Hi Bob"]);
  });

  test("is not sent twice when it is sent again", async () => {
    await using app = await setup();
    await app.connected();
    const first = await app.send({ id: "msg_1", text: "Once" });
    const again = await app.send({ id: "msg_1", text: "Once" });
    expect(again).toEqual(first);
    expect(app.dc.history(app.bob)).toHaveLength(1);
  });
});
