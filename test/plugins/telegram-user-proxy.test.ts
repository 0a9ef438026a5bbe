import { describe, expect, test } from "bun:test";
import { createMemoryLink } from "#test/support/memory-link.ts";
import { startMtProxy, startSocks } from "#test/support/proxies.ts";
import { account, setup } from "#test/support/telegram-user.ts";

const SECRET = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

describe("a user account with a proxy of its own", () => {
  test("goes through SOCKS5 with a password, also to log in", async () => {
    await using app = await setup();
    await using proxy = await startSocks("ann", "p@ss word");
    const address = `socks5://ann:p%40ss%20word@127.0.0.1:${proxy.port}`;
    const who = { ...account, phone: "+4915100000001", proxy: address };
    await app.user.gate.sendCode(who);
    const done = await app.user.gate.confirm(who, app.dc.codeFor("4915100000001"));
    const link = createMemoryLink();
    link.session = done.kind === "done" ? done.session : null;
    const passed = proxy.passed();
    expect(passed).toBeGreaterThan(0);
    app.connect(link, { proxy: address });
    await link.until(() => link.place !== null);
    expect(proxy.passed()).toBeGreaterThan(passed);
    expect(app.dc.connections()).toBe(proxy.passed());
    expect(await app.send({})).toMatchObject({ kind: "sent" });
  });

  test.each([
    ["plain", SECRET.toString("hex")],
    ["padded", `dd${SECRET.toString("hex")}`],
  ])("goes through MTProxy with a %s secret", async (_, secret) => {
    await using app = await setup();
    await using proxy = await startMtProxy(SECRET, app.dc.main);
    const link = createMemoryLink();
    link.session = await app.login();
    const before = app.dc.connections();
    app.connect(link, { proxy: `mtproxy://127.0.0.1:${proxy.port}/${secret}` });
    await link.until(() => link.place !== null);
    app.dc.deliver(app.bob, app.ann, "Through it");
    await link.until(() => link.happened.length === 1);
    expect(app.dc.connections() - before).toBe(proxy.passed());
  });

  test("tells when the proxy lets nothing through, without its password", async () => {
    await using app = await setup();
    await using proxy = await startSocks("ann", "right");
    const link = createMemoryLink();
    link.session = await app.login();
    app.connect(link, { proxy: `socks5://ann:wrong-one@127.0.0.1:${proxy.port}` });
    await link.until(() => link.failures.length > 0);
    expect(link.failures.join()).not.toContain("wrong-one");
    expect(link.proofs).toBe(0);
  });
});
