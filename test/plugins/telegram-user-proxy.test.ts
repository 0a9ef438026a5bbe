import { describe, expect, test } from "bun:test";
import { createMemoryLink } from "#test/support/memory-link.ts";
import { account, setup } from "#test/support/telegram-user.ts";

describe("a user account with a proxy of its own", () => {
  test("goes through SOCKS5 with a password, also to log in", async () => {
    await using app = await setup();
    const proxy = app.dc.addSocksProxy({ username: "ann", password: "p@ss word" });
    const address = `socks5://ann:p%40ss%20word@127.0.0.1:${proxy.port}`;
    const who = { ...account, phone: "+4915100000001", proxy: address };
    await app.user.gate.sendCode(who);
    const done = await app.user.gate.confirm(who, app.dc.codeFor("4915100000001"));
    const link = createMemoryLink();
    link.session = done.kind === "done" ? done.session : null;
    const passed = app.dc.proxyConnections(proxy);
    expect(passed).toBeGreaterThan(0);
    app.connect(link, { proxy: address });
    await link.until(() => link.place !== null);
    expect(app.dc.proxyConnections(proxy)).toBeGreaterThan(passed);
    expect(app.dc.connections()).toBe(app.dc.proxyConnections(proxy));
    expect(await app.send({})).toMatchObject({ kind: "sent" });
  });

  test.each(["plain", "dd"] as const)("goes through MTProxy with a %s secret", async (kind) => {
    await using app = await setup();
    const proxy = app.dc.addMtProxy(kind);
    const link = createMemoryLink();
    link.session = await app.login();
    const before = app.dc.connections();
    app.connect(link, { proxy: `mtproxy://127.0.0.1:${proxy.port}/${proxy.secret}` });
    await link.until(() => link.place !== null);
    app.dc.deliver(app.bob, app.ann, "Through it");
    await link.until(() => link.happened.length === 1);
    expect(app.dc.connections() - before).toBe(app.dc.proxyConnections(proxy));
  });

  test("tells when the proxy lets nothing through, without its password", async () => {
    await using app = await setup();
    const proxy = app.dc.addSocksProxy({ username: "ann", password: "right" });
    const link = createMemoryLink();
    link.session = await app.login();
    app.connect(link, { proxy: `socks5://ann:wrong-one@127.0.0.1:${proxy.port}` });
    await link.until(() => link.failures.length > 0);
    expect(link.failures).toEqual(["There is no connection to Telegram through the account's proxy."]);
    expect(link.proofs).toBe(0);
  });
});
