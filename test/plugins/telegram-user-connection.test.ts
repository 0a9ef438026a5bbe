import { describe, expect, test } from "bun:test";
import { setup } from "#test/support/telegram-user.ts";

describe("a connected user account", () => {
  test("hears what people write to it", async () => {
    await using app = await setup();
    const { link } = await app.connected();
    app.dc.deliver(app.bob, app.ann, "Hello Ann");
    await link.until(() => link.happened.length === 1);
    expect(link.happened[0]).toMatchObject({
      kind: "received",
      text: "Hello Ann",
      chat: { id: String(app.bob.id), type: "private", first_name: "Bob", username: "bob_other" },
      sender: { telegram_id: app.bob.id, first_name: "Bob" },
    });
  });

  test("hears what was written while it was away, once", async () => {
    await using app = await setup();
    const { link, connection } = await app.connected();
    app.dc.deliver(app.bob, app.ann, "One");
    await link.until(() => link.happened.length === 1);
    await connection.close();
    app.dc.deliver(app.bob, app.ann, "Two");
    app.connect(link);
    app.dc.deliver(app.bob, app.ann, "Three");
    await link.until(() => link.happened.length === 3);
    expect(link.happened.map((one) => "text" in one && one.text)).toEqual(["One", "Two", "Three"]);
  });

  test("tells that its session was revoked", async () => {
    await using app = await setup();
    const { link } = await app.connected();
    app.dc.revoke(app.ann);
    expect(await app.send({})).toMatchObject({ kind: "unauthorized" });
    await link.until(() => link.refusal !== null);
    expect(link.refusal).toEqual({ reason: expect.stringContaining("SESSION_REVOKED"), final: false });
  });
});
