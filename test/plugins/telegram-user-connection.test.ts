import { describe, expect, spyOn, test } from "bun:test";
import { createMemoryLink, type MemoryLink } from "#test/support/memory-link.ts";
import { type Setup, setup } from "#test/support/telegram-user.ts";
import { createTestClock } from "#test/support/test-clock.ts";

const textsOf = ({ happened }: MemoryLink) => happened.map((one) => ("text" in one ? one.text : one.kind));
const callsOf = ({ dc }: Setup, method: string) => dc.calls.filter((call) => call.method === method).length;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a connected user account", () => {
  test("hears what people write to it, and that proves it", async () => {
    await using app = await setup();
    const { link } = await app.connected();
    app.dc.deliver(app.bob, app.ann, "Hello Ann");
    await link.until(() => link.happened.length === 1);
    expect(link.proofs).toBeGreaterThan(0);
    expect(link.failures).toEqual([]);
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
    await link.until(() => link.happened.length === 2);
    app.dc.deliver(app.bob, app.ann, "Three");
    await link.until(() => link.happened.length === 3);
    expect(textsOf(link)).toEqual(["One", "Two", "Three"]);
  });

  test("hears more than one answer of Telegram's holds", async () => {
    await using app = await setup();
    const { link, connection } = await app.connected();
    await connection.close();
    app.dc.limitDifference({ slice: 3 });
    for (let at = 0; at < 10; at += 1) app.dc.deliver(app.bob, app.ann, `No. ${at}`);
    app.connect(link);
    await link.until(() => link.happened.length === 10);
    expect(textsOf(link)).toEqual(Array.from({ length: 10 }, (_, at) => `No. ${at}`));
  });

  test("hears what was written in a supergroup that it was in before, but had not heard of", async () => {
    await using app = await setup();
    const forum = app.dc.addGroup({ title: "Many", kind: "channel", members: [app.ann, app.bob] });
    app.dc.deliver(app.bob, forum, "Long ago");
    const { link, connection } = await app.connected();
    await connection.close();
    app.dc.deliver(app.bob, forum, "While away");
    app.connect(link);
    await link.until(() => link.happened.length === 1);
    expect(textsOf(link)).toEqual(["While away"]);
  });

  test("hears more than Telegram tells of a supergroup at once", async () => {
    await using app = await setup();
    const many = app.dc.addGroup({ title: "Many", kind: "channel", members: [app.ann, app.bob] });
    app.dc.deliver(app.bob, many, "Before");
    const { link, connection } = await app.connected();
    app.dc.deliver(app.bob, many, "Heard");
    await link.until(() => link.happened.length === 1);
    await connection.close();
    const missed = Array.from({ length: 250 }, (_, at) => `Missed ${at}`);
    for (const text of missed) app.dc.deliver(app.bob, many, text);
    const again = app.connect(link);
    await link.until(() => link.happened.length === 251);
    expect(textsOf(link)).toEqual(["Heard", ...missed]);
    await again.close();
    // What was read is read.
    const asked = callsOf(app, "messages.getHistory");
    app.connect(link);
    app.dc.deliver(app.bob, many, "After");
    await link.until(() => textsOf(link).includes("After"));
    expect(callsOf(app, "messages.getHistory")).toBe(asked);
  });

  test("hears more than Telegram tells of at all", async () => {
    await using app = await setup();
    const { link, connection } = await app.connected();
    app.dc.deliver(app.bob, app.ann, "Heard");
    await link.until(() => link.happened.length === 1);
    await connection.close();
    const few = app.dc.addGroup({ title: "Few", kind: "chat", members: [app.ann, app.bob] });
    const missed = Array.from({ length: 150 }, (_, at) => `Missed ${at}`);
    for (const [at, text] of missed.entries()) app.dc.deliver(app.bob, at % 2 === 0 ? app.ann : few, text);
    app.dc.limitDifference({ total: 100 });
    app.connect(link);
    await link.until(() => new Set(textsOf(link)).size === 151);
    expect(textsOf(link).slice(1)).toEqual(missed);
  });

  test("reads the rest of what it missed after a crash, and once Telegram lets it", async () => {
    const clock = createTestClock();
    await using app = await setup({ clock });
    const many = app.dc.addGroup({ title: "Many", kind: "channel", members: [app.ann, app.bob] });
    app.dc.deliver(app.bob, many, "Before");
    const { link, connection } = await app.connected();
    await connection.close();
    for (let at = 0; at < 250; at += 1) app.dc.deliver(app.bob, many, `Missed ${at}`);
    app.dc.fail("messages.getHistory", 420, "FLOOD_WAIT_40", 2);
    const broken = app.connect(link);
    await link.until(() => link.place?.includes("gap") === true);
    await until(() => callsOf(app, "messages.getHistory") > 0);
    await broken.close();
    app.connect(link);
    await until(() => callsOf(app, "messages.getHistory") > 1 && clock.nextTimer() === clock.now() + 40_000);
    clock.advance(40_000);
    await link.until(() => new Set(textsOf(link)).size === 250);
  });

  test("hears what is written in a supergroup while it asks what it missed elsewhere", async () => {
    await using app = await setup();
    const members = [app.ann, app.bob];
    const forum = app.dc.addGroup({ title: "Many", kind: "channel", members });
    const clock = spyOn(Date, "now").mockReturnValue(Date.now() - 60_000);
    app.dc.deliver(app.bob, forum, "Long ago");
    clock.mockRestore();
    const { link } = await app.connected();
    app.dc.deliver(app.bob, app.ann, "Caught up");
    await link.until(() => link.happened.length === 1);
    // Of a group that it does not know it asks; the answer says of the supergroup only that it has gone on.
    const asked = callsOf(app, "updates.getDifference");
    app.dc.delay("updates.getDifference", 50);
    app.dc.deliver(app.bob, app.dc.addGroup({ title: "New", kind: "chat", members }), "Elsewhere");
    await until(() => callsOf(app, "updates.getDifference") > asked);
    app.dc.deliver(app.bob, forum, "Meanwhile");
    await link.until(() => link.happened.length === 3);
    expect(textsOf(link).toSorted()).toEqual(["Caught up", "Elsewhere", "Meanwhile"]);
  });

  for (const [when, isFirst] of [
    ["at first", true],
    ["later", false],
  ] as const)
    test(`asks which supergroups there are until it is answered, ${when}`, async () => {
      const clock = createTestClock();
      await using app = await setup({ clock });
      const link = createMemoryLink();
      link.session = await app.login();
      if (!isFirst) {
        const before = app.connect(link);
        await link.until(() => link.place !== null);
        await before.close();
      }
      app.dc.fail("messages.getDialogs", 420, "FLOOD_WAIT_40");
      app.connect(link);
      await until(() => clock.nextTimer() === clock.now() + 40_000);
      const asked = callsOf(app, "messages.getDialogs");
      clock.advance(40_000);
      await until(() => callsOf(app, "messages.getDialogs") > asked);
    });

  test("comes back when the connection is lost, and hears what it missed", async () => {
    await using app = await setup();
    const { link } = await app.connected();
    app.dc.goDown();
    await link.until(() => link.failures.length > 0);
    app.dc.deliver(app.bob, app.ann, "While down");
    expect(await app.send({})).toMatchObject({ kind: "unreached" });
    app.dc.comeUp();
    await link.until(() => link.happened.length === 1);
    expect(textsOf(link)).toEqual(["While down"]);
    expect(await app.send({})).toMatchObject({ kind: "sent" });
  });

  test("goes no further than what is on disk", async () => {
    await using app = await setup();
    const { link, connection } = await app.connected();
    const before = link.place;
    link.fault = new Error("no longer this process's");
    app.dc.deliver(app.bob, app.ann, "Not written down");
    await connection.close();
    expect({ happened: link.happened, place: link.place }).toEqual({ happened: [], place: before });
    link.fault = null;
    app.connect(link);
    await link.until(() => link.happened.length === 1);
    expect(textsOf(link)).toEqual(["Not written down"]);
    expect(link.place).not.toBe(before);
  });

  test("waits while the database refuses to write down whom it has met", async () => {
    await using app = await setup();
    const { link } = await app.connected();
    link.bookFaults = 1;
    app.dc.deliver(app.bob, app.ann, "Hi");
    await link.until(() => link.happened.length === 1);
    expect(link.book.has(app.bob.id)).toBe(true);
    expect(link.bookFaults).toBe(0);
  });

  test("ends when nothing more is taken from it", async () => {
    await using app = await setup();
    const { link } = await app.connected();
    link.fault = new Error("no longer this process's");
    app.dc.deliver(app.bob, app.ann, "Not written down");
    for (;;) {
      const answer = await app.send({ id: "msg_1" });
      if (answer.kind === "unreached") break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(link.refusal).toBeNull();
  });

  test("hands over together what waits for the disk", async () => {
    await using app = await setup();
    const { link } = await app.connected();
    const { promise, resolve } = Promise.withResolvers<void>();
    link.hold = promise;
    for (const text of ["A", "B", "C", "D"]) app.dc.deliver(app.bob, app.ann, text);
    await app.send({ id: "msg_1", text: "Meanwhile" });
    const takes = link.takes;
    resolve();
    await link.until(() => link.happened.length === 4);
    expect(textsOf(link)).toEqual(["A", "B", "C", "D"]);
    expect(link.takes - takes).toBeLessThanOrEqual(2);
  });

  test("tells that its session was revoked, within two minutes even when nothing happens", async () => {
    const clock = createTestClock();
    await using app = await setup({ clock });
    const { link } = await app.connected();
    app.dc.revoke(app.ann);
    clock.advance(120_000);
    await link.until(() => link.refusal !== null);
    expect(link.refusal).toEqual({ reason: expect.stringContaining("SESSION_REVOKED"), final: false });
  });

  test("is refused where it is not logged in", async () => {
    await using app = await setup();
    for (const session of [null, "{}", "nonsense"]) {
      const link = createMemoryLink();
      link.session = session;
      app.connect(link);
      await link.until(() => link.refusal !== null);
      expect(link.refusal).toEqual({ reason: "The account is not logged in.", final: false });
    }
  });

  test("says what is wrong with the address of its proxy", async () => {
    await using app = await setup();
    const link = createMemoryLink();
    link.session = await app.login();
    app.connect(link, { proxy: "http://user:secret@proxy.example:8080" });
    await link.until(() => link.failures.length === 1);
    expect(link.failures).toEqual(["The proxy's address begins neither with socks5:// nor with mtproxy://."]);
  });

  test("remembers whom it has met, so that a later connection can write to their ids", async () => {
    await using app = await setup();
    const { link, connection } = await app.connected();
    app.dc.deliver(app.bob, app.ann, "Hi");
    await link.until(() => link.happened.length === 1);
    expect({ ...link.book.get(app.bob.id) }).toMatchObject({ usernames: ["bob_other"], access_hash: expect.any(String) });
    await connection.close();
    app.connect(link);
    const { proofs } = link;
    await link.until(() => link.proofs > proofs);
    expect(await app.send({ recipient: String(app.bob.id) })).toMatchObject({ kind: "sent", chat: { first_name: "Bob" } });
    expect(app.dc.calls.some(({ method }) => method === "contacts.resolveUsername")).toBe(false);
  });
});
