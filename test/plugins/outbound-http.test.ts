import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { createHttpSender, type SenderOptions } from "#plugins/outbound-http/sender.ts";
import type { HttpSender, PostRequest } from "#src/modules/webhooks/sender.ts";
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

function post(url: string, more: Partial<PostRequest> = {}, signal = never) {
  return sender.post({ url, headers: [["content-type", "application/json"]], body: "{}", ...more }, signal);
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  await using server = await startRawServer(() => undefined);
  return server.port;
}

/** Of a socket that the receiver ended: the client's end has come too. */
function gone(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));
}

describe("a request", () => {
  test("arrives as it was given, with host and length of our own", async () => {
    await using server = await startRawServer((socket) => socket.write(OK));
    const headers = [
      ["X-Signature", "sha256=ab"],
      ["Host", "evil.example"],
      ["Content-Length", "1"],
      ["Transfer-Encoding", "chunked"],
      ["x-note", "grüße"],
    ] as const;
    const result = await post(`http://127.0.0.1:${server.port}/a%20b/ü?c=d#e`, { headers, body: '{"text":"ü🙂"}' });
    expect(result).toEqual({ stage: null, error: null, status: 200, headers: { "content-length": "2" }, body: "ok", duration_ms: 0 });
    expect(server.requests).toEqual([
      `POST /a%20b/%C3%BC?c=d HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nX-Signature: sha256=ab\r\nx-note: grüße\r\ncontent-length: 17\r\n\r\n{"text":"ü🙂"}`,
    ]);
  });

  test("of megabytes arrives whole", async () => {
    await using server = await startRawServer((socket) => socket.write(OK));
    const body = JSON.stringify("ü🙂x".repeat(2_000_000));
    expect(await post(server.url, { body })).toMatchObject({ stage: null, status: 200 });
    expect(server.requests[0]!.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(await post(server.url)).toMatchObject({ stage: null, status: 200 });
    expect(server.sockets).toHaveLength(1);
  });

  test.each([
    ["x: y\r\nz", "1"],
    ["x", "1\r\nevil: 2"],
    ["x", "1\0"],
    ["", "1"],
  ])("with a header that would break out of its line is not sent: %p: %p", async (name, value) => {
    await using server = await startRawServer((socket) => socket.write(OK));
    const refused = await post(server.url, { headers: [[name, value]] }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TypeError);
    expect(server.sockets).toHaveLength(0);
  });
});

describe("an answer", () => {
  test.each([200, 204, 301, 302, 307, 410, 429, 500, 503])("of %i is told as it is, and no redirect is followed", async (status) => {
    await using server = await startRawServer((socket) =>
      socket.write(
        status === 204 ? "HTTP/1.1 204 No Content\r\n\r\n" : answerWith(status, "why", { Location: "/elsewhere", "Retry-After": "7" }),
      ),
    );
    const result = await post(server.url);
    expect([result.stage, result.status]).toEqual([null, status]);
    if (status !== 204) expect(result).toMatchObject({ body: "why", headers: { location: "/elsewhere", "retry-after": "7" } });
    expect(server.requests).toHaveLength(1);
  });

  test("in odd chunks after a 100 is read whole", async () => {
    const answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    await using server = await startRawServer((socket) => {
      socket.setNoDelay(true);
      const writeFrom = (at: number) => void (at < answer.length && socket.write(answer[at]!, () => writeFrom(at + 1)));
      writeFrom(0);
    });
    expect(await post(server.url)).toMatchObject({ stage: null, status: 201, body: "abcde" });
    expect(await post(server.url)).toMatchObject({ stage: null, status: 201, body: "abcde" });
    expect(server.sockets).toHaveLength(1);
  });

  test("that ends with its connection is complete, one that is reset is not", async () => {
    await using server = await startRawServer((socket, _request, nth) => {
      if (nth === 0) socket.end("HTTP/1.1 200 OK\r\n\r\nhello");
      else socket.write("HTTP/1.1 200 OK\r\n\r\nhello", () => socket.resetAndDestroy());
    });
    expect(await post(server.url)).toMatchObject({ stage: null, status: 200, body: "hello" });
    expect(await post(server.url)).toMatchObject({ stage: "wait" });
  });

  test("that is far too long is complete after 64 KiB, and its connection ends", async () => {
    await using server = await startRawServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n`);
      const more = () => {
        while (!socket.destroyed && socket.write("x".repeat(65_536)));
      };
      socket.on("drain", more);
      more();
    });
    const result = await post(server.url);
    expect([result.stage, result.status, result.body]).toEqual([null, 200, "x".repeat(4_096)]);
    await gone(server.sockets[0]!);
  });

  test("that comes before the request is read whole is taken, and the connection not used again", async () => {
    await using server = await startRawServer(() => undefined, {
      onConnection: (socket) => {
        socket.pause();
        socket.write(answerWith(413, "too large"));
      },
    });
    expect(await post(server.url, { body: "x".repeat(30_000_000) })).toMatchObject({ stage: null, status: 413, body: "too large" });
    void post(server.url).catch(() => undefined);
    await server.accepted(2);
  });
});

describe("a failure", () => {
  const CUT = "the connection was closed before the answer was complete";

  test("tells that nobody listens", async () => {
    expect(await post(`http://127.0.0.1:${await freePort()}/`)).toEqual({
      stage: "connect",
      error: "the connection was refused",
      status: null,
      headers: {},
      body: "",
      duration_ms: 0,
    });
  });

  test("tells that a name does not resolve", async () => {
    sender = create({ resolve: () => Promise.reject(new Error("ENOTFOUND hook.example")) });
    expect(await post("http://hook.example/")).toMatchObject({ stage: "resolve", error: "the name does not resolve" });
  });

  test.each<[string, (socket: Socket) => void, object]>([
    ["closed at once", (socket) => socket.end(), { error: "the connection was closed before an answer came", status: null }],
    ["reset", (socket) => socket.resetAndDestroy(), { error: "the connection was closed before an answer came", status: null }],
    ["cut within the head", (socket) => socket.end("HTTP/1.1 200 OK\r\nx: y"), { error: CUT, status: null }],
    [
      "cut within the body",
      (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"),
      { error: CUT, status: 200, body: "hello" },
    ],
    [
      "cut within a chunk",
      (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhello"),
      { error: CUT, status: 200, body: "hello" },
    ],
    ["no HTTP", (socket) => socket.write("SSH-2.0-x\r\n"), { error: "the answer is not HTTP/1.1", status: null }],
  ])("tells that an answer was %s", async (_name, answer, expected) => {
    await using server = await startRawServer(answer);
    expect(await post(server.url)).toMatchObject({ stage: "wait", ...expected });
    expect(server.requests).toHaveLength(1);
  });

  test("tells that the receiver went away in the middle of the request", async () => {
    await using server = await startRawServer(() => undefined, {
      onConnection: (socket) => socket.once("data", () => socket.resetAndDestroy()),
    });
    expect(await post(server.url, { body: "x".repeat(30_000_000) })).toMatchObject({
      stage: "send",
      error: "the connection was closed before the request was sent",
    });
  });

  test("repeats neither the receiver's words nor its address", async () => {
    await using server = await startRawServer((socket) => socket.end("HTTP/1.1 200 OK\r\nhunter2"));
    const { error } = await post(`http://127.0.0.1:${server.port}/hunter2`, { body: "hunter2" });
    expect(error).not.toMatch(/hunter2|127|hook/);
  });
});

describe("after ten seconds", () => {
  test.each<[string, string, object]>([
    ["before the head", "", { status: null }],
    ["within the head", "HTTP/1.1 200 OK\r\n", { status: null }],
    ["within the body", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", { status: 200, body: "hello" }],
  ])("an answer that hangs %s is given up, and its connection closed", async (_name, answer, expected) => {
    await using server = await startRawServer((socket) => socket.write(answer));
    const posted = post(server.url);
    await server.received(1);
    // What the receiver has written arrives before what it writes to a later connection is answered.
    await using after = await startRawServer((socket) => socket.write(OK));
    await post(after.url);
    clock.advance(9_999);
    expect(await Promise.race([posted, post(after.url)])).toMatchObject({ body: "ok" });
    clock.advance(1);
    expect(await posted).toMatchObject({ stage: "wait", error: "no complete answer came in time", duration_ms: 10_000, ...expected });
    await gone(server.sockets[0]!);
  });

  test("an answer that trickles is given up", async () => {
    await using server = await startRawServer((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"));
    const posted = post(server.url);
    await server.received(1);
    const trickle = () => void (server.sockets[0]!.write("x") && clock.advance(1_000));
    for (let second = 0; second < 10; second++) {
      trickle();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await posted).toMatchObject({ stage: "wait", duration_ms: 10_000 });
  });

  test("a name that does not resolve is given up", async () => {
    sender = create({ resolve: () => new Promise(() => undefined) });
    const posted = post("http://hook.example/");
    clock.advance(10_000);
    expect(await posted).toMatchObject({ stage: "resolve", error: "the name did not resolve in time", duration_ms: 10_000 });
  });

  test("a receiver that doesn't read is given up", async () => {
    await using server = await startRawServer(() => undefined, { onConnection: (socket) => socket.pause() });
    const posted = post(server.url, { body: "x".repeat(30_000_000) });
    await server.accepted(1);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    expect(await posted).toMatchObject({ stage: "send", error: "the request was not taken in time" });
  });

  test("no timer is left of what went well", async () => {
    await using server = await startRawServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    await post(server.url);
    expect(clock.nextTimer()).toBeNull();
  });
});

describe("a signal", () => {
  test("breaks off what is under way, each where it is", async () => {
    await using server = await startRawServer(() => undefined);
    const aborter = new AbortController();
    sender = create({ resolve: () => new Promise(() => undefined) });
    const posts = [post(server.url, {}, aborter.signal), post("http://hook.example/", {}, aborter.signal)];
    await server.received(1);
    aborter.abort();
    const results = await Promise.all(posts);
    expect(results.map(({ stage, error }) => [stage, error])).toEqual([
      ["wait", "the program stopped"],
      ["resolve", "the program stopped"],
    ]);
    await gone(server.sockets[0]!);
    expect(await post(server.url, {}, aborter.signal)).toMatchObject({ stage: "resolve", error: "the program stopped" });
    expect(server.sockets).toHaveLength(1);
  });
});
