import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectTcp } from "@fuman/bun";
import { withSocksProxy } from "@fuman/net";
import { BaseMtProxyTransport, IntermediatePacketCodec, type ITelegramConnection, type TelegramTransport } from "@mtcute/core";
import type { DataCenter } from "#test/support/data-center/start.ts";
import { createTestClient } from "#test/support/data-center/test-client.ts";
import { startTestDataCenter, type TestDataCenter } from "#test/support/data-center/test-setup.ts";
import { rejectionOf } from "#test/support/rejection.ts";

let dc: DataCenter;
let addUser: TestDataCenter["addUser"];
let logIn: TestDataCenter["logIn"];

beforeAll(async () => {
  ({ dc, addUser, logIn } = await startTestDataCenter({ dcIds: [2, 4] }));
});
afterAll(() => dc.stop());

class MtProxyTransport extends BaseMtProxyTransport {
  override _connectTcp = connectTcp;
}

function socksTransport(proxy: ReturnType<DataCenter["addSocksProxy"]>): TelegramTransport {
  const { host, port, username: user, password } = proxy;
  const connect = withSocksProxy(connectTcp, { host, port, ...(user && { user }), ...(password && { password }) });
  return {
    connect: ({ ipAddress, port }): Promise<ITelegramConnection> => connect({ address: ipAddress, port }),
    packetCodec: () => new IntermediatePacketCodec(),
  };
}

test.each(["plain", "dd"] as const)("an MTProxy with a %s secret leads to every data centre", async (kind) => {
  const proxy = dc.addMtProxy(kind);
  const { phone, id } = addUser({ homeDc: 4 });
  await using client = createTestClient(dc, { transport: new MtProxyTransport(proxy) });
  await logIn(client, phone);
  expect((await client.telegram.getMe()).id).toBe(id);
  expect(dc.proxyConnections(proxy)).toBeGreaterThan(1);
});

test("an MTProxy lets nobody in who does not know its secret", async () => {
  const proxy = dc.addMtProxy();
  await using client = createTestClient(dc, { transport: new MtProxyTransport({ ...proxy, secret: "00".repeat(16) }) });
  const before = dc.connections();
  const attempt = client.telegram.sendCode({ phone: addUser().phone, abortSignal: AbortSignal.timeout(300) });
  await rejectionOf(attempt);
  expect(dc.proxyConnections(proxy)).toBe(0);
  expect(dc.connections()).toBe(before);
});

test.each([undefined, { username: "sarah", password: "open sesame" }])("a SOCKS5 proxy leads to the data centre: %p", async (login) => {
  const proxy = dc.addSocksProxy(login);
  const { phone, id } = addUser();
  await using client = createTestClient(dc, { transport: socksTransport(proxy) });
  await logIn(client, phone);
  expect((await client.telegram.getMe()).id).toBe(id);
  expect(dc.proxyConnections(proxy)).toBeGreaterThan(0);
});

test("a proxy drops its client where there is no data centre any more", async () => {
  const proxy = dc.addSocksProxy();
  const client = createTestClient(dc, { transport: socksTransport(proxy) });
  await logIn(client, addUser().phone);
  dc.goDown();
  const dropped = Promise.withResolvers<void>();
  client.telegram.onConnectionState.add((state) => {
    if (state === "connecting") dropped.resolve();
  });
  await dropped.promise;
  dc.comeUp();
  await client.telegram.getMe();
  await client.close();
});

test("a SOCKS5 proxy refuses a wrong password", async () => {
  const proxy = dc.addSocksProxy({ username: "sarah", password: "open sesame" });
  const wrong = socksTransport({ ...proxy, password: "sesame" });
  expect(String(await rejectionOf(wrong.connect({ id: 2, ipAddress: "127.0.0.1", port: dc.main.port })))).toContain("auth");
  expect(dc.proxyConnections(proxy)).toBe(0);
});
