import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { createDialler } from "#plugins/outbound-http/dialler.ts";
import { createAttempt } from "#plugins/outbound-http/attempt.ts";
import { createHttpSender, type SenderOptions } from "#plugins/outbound-http/sender.ts";
import { targetOf } from "#plugins/outbound-http/target.ts";
import type { HttpSender } from "#src/modules/webhooks/sender.ts";
import { answerWith, startRawServer } from "#test/support/raw-server.ts";
import { createTestClock, type TestClock } from "#test/support/test-clock.ts";

const OK = answerWith(200, "ok");
const never = new AbortController().signal;

let clock: TestClock;
let sender: HttpSender;

beforeEach(() => {
  clock = createTestClock();
  sender = create();
});
afterEach(() => sender.close());

function create(options: Partial<SenderOptions> = {}): HttpSender {
  return createHttpSender({ clock, allowPrivate: true, ...options });
}

async function post(url: string, signal = never): Promise<[string | null, number | null]> {
  const { stage, status } = await sender.post({ url, headers: [], body: "{}" }, signal);
  return [stage, status];
}

function gone(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));
}

test("requests to one origin share a connection, whatever their paths", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  for (const path of ["a", "b", "a?c"]) expect(await post(`http://127.0.0.1:${server.port}/${path}`)).toEqual([null, 200]);
  expect(server.sockets).toHaveLength(1);
  await post(`http://localhost:${server.port}/`);
  expect(server.sockets).toHaveLength(2);
});

test("at once there are as many connections as requests, and 64 of them are kept", async () => {
  const waiting: Socket[] = [];
  await using server = await startRawServer((socket) => {
    if (waiting.push(socket) >= 70) for (const each of waiting.splice(0)) each.write(OK);
  });
  await Promise.all(Array.from({ length: 70 }, () => post(server.url)));
  expect(server.sockets).toHaveLength(70);
  await Promise.all(Array.from({ length: 70 }, () => post(server.url)));
  expect(server.sockets).toHaveLength(76);
});

test("of all origins together 512 are kept", async () => {
  const waiting: Socket[] = [];
  await using server = await startRawServer((socket) => {
    if (waiting.push(socket) >= 60) for (const each of waiting.splice(0)) each.write(OK);
  });
  const hosts = Array.from({ length: 9 }, (_, index) => `http://127.0.0.1${index}.example:${server.port}/`);
  sender = create({ resolve: async () => ["127.0.0.1"] });
  for (const host of hosts) await Promise.all(Array.from({ length: 60 }, () => post(host)));
  expect(server.sockets).toHaveLength(540);
  await Promise.all(server.sockets.slice(0, 28).map(gone));
  expect(server.sockets.filter((socket) => !socket.destroyed)).toHaveLength(512);
});

test("an answer that asks for it ends the connection", async () => {
  await using server = await startRawServer((socket) => socket.write(answerWith(200, "", { connection: "close" })));
  expect([await post(server.url), await post(server.url)]).toEqual([
    [null, 200],
    [null, 200],
  ]);
  await gone(server.sockets[0]!);
  expect(server.sockets).toHaveLength(2);
});

test("a connection that nobody uses is closed after 15 to 20 seconds", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  await post(server.url);
  clock.advance(14_000);
  await post(server.url);
  expect(server.sockets).toHaveLength(1);
  clock.advance(20_000);
  await gone(server.sockets[0]!);
  expect(clock.nextTimer()).toBeNull();
});

test("a server that says for how long it keeps connections is believed", async () => {
  await using server = await startRawServer((socket) => socket.write(answerWith(200, "", { "keep-alive": "timeout=5, max=100" })));
  await post(server.url);
  clock.advance(3_999);
  await post(server.url);
  expect(server.sockets).toHaveLength(1);
  clock.advance(4_000);
  await post(server.url);
  expect(server.sockets).toHaveLength(2);
});

test("what comes unasked ends a connection", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  await post(server.url);
  server.sockets[0]!.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
  await gone(server.sockets[0]!);
  expect(await post(server.url)).toEqual([null, 200]);
  expect(server.sockets).toHaveLength(2);
});

test("a server that closes waiting connections is asked on a new one", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  await post(server.url);
  server.sockets[0]!.end();
  await gone(server.sockets[0]!);
  expect(await post(server.url)).toEqual([null, 200]);
  expect(server.requests).toHaveLength(2);
});

test("a request whose kept connection is closed under it is sent once more on a new one, and only then", async () => {
  await using server = await startRawServer((socket, _request, nth) => {
    if (nth === 0 || nth === 2) socket.write(OK);
    else socket.destroy();
  });
  expect(await post(server.url)).toEqual([null, 200]);
  expect(await post(server.url)).toEqual([null, 200]);
  expect([server.requests.length, server.sockets.length]).toEqual([3, 2]);
  // Now the kept one is closed, and so is the new one: that is told.
  expect(await post(server.url)).toEqual(["wait", null]);
  expect([server.requests.length, server.sockets.length]).toEqual([5, 3]);
});

test("a request whose answer has begun is not sent once more", async () => {
  await using server = await startRawServer((socket, _request, nth) => {
    if (nth === 0) socket.write(OK);
    else socket.end("HTTP/1.1 200 OK\r\n");
  });
  await post(server.url);
  expect(await post(server.url)).toEqual(["wait", null]);
  expect(server.requests).toHaveLength(2);
});

test("the second try has what is left of the ten seconds", async () => {
  await using server = await startRawServer((socket, _request, nth) => {
    if (nth === 0) socket.write(OK);
    if (nth === 1) socket.destroy();
  });
  await post(server.url);
  const posted = sender.post({ url: server.url, headers: [], body: "{}" }, never);
  await server.received(3);
  clock.advance(10_000);
  expect(await posted).toMatchObject({ stage: "wait", duration_ms: 10_000 });
});

test("a name is looked up once in half a minute, and by many at once only once", async () => {
  await using server = await startRawServer((socket) => socket.write(answerWith(200, "", { connection: "close" })));
  let asked = 0;
  sender = create({ resolve: async () => (asked++, ["127.0.0.1"]) });
  const url = `http://hook.example:${server.port}/`;
  await Promise.all([post(url), post(url), post(url)]);
  clock.advance(29_999);
  await post(url);
  expect(asked).toBe(1);
  clock.advance(1);
  await post(url);
  expect(asked).toBe(2);
});

test("a connection is used for more than a minute only while its name still leads there", async () => {
  await using first = await startRawServer((socket) => socket.write(OK), { host: "127.0.0.2" });
  await using second = await startRawServer((socket) => socket.write(OK), { host: "127.0.0.3", port: first.port });
  const url = `http://hook.example:${first.port}/`;
  let address = "127.0.0.2";
  sender = create({ resolve: async () => [address] });
  for (let seconds = 0; seconds <= 120; seconds += 10) {
    await post(url);
    clock.advance(10_000);
  }
  expect(first.sockets).toHaveLength(1);
  address = "127.0.0.3";
  for (let seconds = 0; seconds <= 60; seconds += 10) {
    await post(url);
    clock.advance(10_000);
  }
  await gone(first.sockets[0]!);
  expect(second.sockets).toHaveLength(1);
});

test("a connection whose name has come to lead to a private address is closed, and nothing else dialled", async () => {
  await using server = await startRawServer((socket) => socket.write(OK));
  let isGone = false;
  sender = create({ resolve: async () => (isGone ? [] : ["127.0.0.1"]) });
  const url = `http://hook.example:${server.port}/`;
  await post(url);
  isGone = true;
  for (let seconds = 0; seconds < 60; seconds += 12) {
    clock.advance(12_000);
    if (seconds < 48) await post(url);
  }
  expect(await post(url)).toEqual(["resolve", null]);
  await gone(server.sockets[0]!);
});

test("of several addresses the next one is tried when one refuses", async () => {
  await using server = await startRawServer((socket) => socket.write(OK), { host: "127.0.0.3" });
  sender = create({ resolve: async () => ["127.0.0.2", "::1", "127.0.0.3"] });
  expect(await post(`http://hook.example:${server.port}/`)).toEqual([null, 200]);
});

test("closing ends the connections that wait, and keeps none afterwards", async () => {
  await using server = await startRawServer((socket, _request, nth) => nth === 0 && socket.write(OK));
  await post(server.url);
  const posted = post(`${server.url}?2`);
  await server.received(2);
  await sender.close();
  server.sockets[0]!.write(OK);
  expect(await posted).toEqual([null, 200]);
  await gone(server.sockets[0]!);
  expect(clock.nextTimer()).toBeNull();
});

test("eight dials of a place may be left behind; whoever comes then waits until one is over", async () => {
  const over: (() => void)[] = [];
  const dialled: string[] = [];
  const dialler = createDialler(clock, undefined, (_target, address) => {
    dialled.push(address);
    return { line: new Promise(() => undefined), leave: () => undefined, over: new Promise((resolve) => over.push(resolve)) };
  });
  const target = targetOf("http://hook.example/");
  const connect = async (address: string) => {
    const attempt = createAttempt(clock, 10_000, never);
    const connecting = dialler.connect(target, { addresses: [address], refusal: null, at: clock.now() }, attempt);
    return connecting.catch((error: unknown) => (attempt.end(), error));
  };
  const first = Array.from({ length: 8 }, () => connect("192.0.2.1"));
  clock.advance(10_000);
  await Promise.all(first);
  const ninth = connect("192.0.2.1");
  const elsewhere = connect("192.0.2.2");
  await Promise.resolve();
  expect(dialled).toHaveLength(9);
  over[0]!();
  await new Promise((resolve) => setImmediate(resolve));
  expect(dialled).toHaveLength(10);
  clock.advance(10_000);
  expect(await Promise.all([ninth, elsewhere])).toMatchObject([{ stage: "connect" }, { stage: "connect" }]);
});

test("of several addresses each but the last has three seconds", async () => {
  const dialled: string[] = [];
  const dialler = createDialler(clock, undefined, (_target, address) => {
    dialled.push(address);
    return { line: new Promise(() => undefined), leave: () => undefined, over: new Promise(() => undefined) };
  });
  const attempt = createAttempt(clock, 10_000, never);
  const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
  const connecting = dialler.connect(targetOf("http://hook.example/"), { addresses, refusal: null, at: clock.now() }, attempt);
  const failed = connecting.catch((error: unknown) => error);
  for (const count of [1, 2, 3]) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(dialled).toEqual(addresses.slice(0, count));
    clock.advance(3_000);
  }
  clock.advance(1_000);
  expect(await failed).toMatchObject({ stage: "connect", message: "no connection came about in time" });
  attempt.end();
});
