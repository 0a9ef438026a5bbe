import { expect, test } from "bun:test";
import { setup } from "#test/support/telegram-user.ts";

test("a user account writes in private to a stranger whom it has met in a supergroup", async () => {
  await using app = await setup();
  const { link } = await app.connected();
  const group = app.dc.addGroup({ kind: "channel", title: "The club", members: [app.ann, app.bob] });
  app.dc.deliver(app.bob, group, "Hello all");
  await link.until(() => link.happened.length === 1);
  expect(await app.send({ recipient: String(app.bob.id), text: "Hi Bob" })).toMatchObject({ kind: "sent" });
  expect(app.dc.history(app.bob).map(({ text }) => text)).toEqual(["Hi Bob"]);
});
