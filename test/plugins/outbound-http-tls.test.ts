import { afterEach, describe, expect, test } from "bun:test";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import type { HttpSender } from "#src/modules/webhooks/sender.ts";
import { certificateKeyPem, certificatePem } from "#test/support/certificate.ts";
import {
  authorityPem,
  expiredKeyPem,
  expiredPem,
  hookKeyPem,
  hookPem,
  loopbackKeyPem,
  loopbackPem,
} from "#test/support/hook-certificates.ts";
import { answerWith, startRawServer } from "#test/support/raw-server.ts";
import { createTestClock } from "#test/support/test-clock.ts";

const OK = answerWith(200, "ok");
const HOOK = { cert: hookPem, key: hookKeyPem };
const never = new AbortController().signal;

const clock = createTestClock();
let sender: HttpSender;
afterEach(() => sender.close());

/** All names lead to 127.0.0.1. */
function create(ca: string | undefined): HttpSender {
  return (sender = createHttpSender({
    clock,
    allowPrivate: true,
    resolve: async () => ["127.0.0.1"],
    ...(ca === undefined ? {} : { ca }),
  }));
}

const post = (url: string) => sender.post({ url, headers: [["x", "y"]], body: "{}" }, never);

describe("a certificate", () => {
  test("for the URL's name lets the request through, and the connection is kept", async () => {
    await using server = await startRawServer((socket) => socket.write(OK), { tls: HOOK });
    create(authorityPem);
    for (const host of ["hook.example", "HOOK.example"])
      expect(await post(`https://${host}:${server.port}/`)).toMatchObject({ stage: null, error: null, status: 200, body: "ok" });
    expect(server.sockets).toHaveLength(1);
    expect(server.requests[0]).toStartWith(`POST / HTTP/1.1\r\nhost: hook.example:${server.port}\r\n`);
    expect(await post(`https://hook.example.:${server.port}/`)).toMatchObject({ stage: null, status: 200 });
  });

  test("for an address lets a request to the address through", async () => {
    await using server = await startRawServer((socket) => socket.write(OK), { tls: { cert: loopbackPem, key: loopbackKeyPem } });
    create(authorityPem);
    expect(await post(server.url)).toMatchObject({ stage: null, status: 200 });
  });

  test.each<[string, { cert: string; key: string }, string, string | undefined, string]>([
    ["for another name", HOOK, "other.example", authorityPem, "the certificate is for another name"],
    ["for a name, not for the address", HOOK, "127.0.0.1", authorityPem, "the certificate is for another name"],
    ["that has expired", { cert: expiredPem, key: expiredKeyPem }, "hook.example", authorityPem, "the certificate has expired"],
    ["signed by itself", { cert: certificatePem, key: certificateKeyPem }, "localhost", undefined, "the certificate is signed by itself"],
    ["that nobody trusted has signed", HOOK, "hook.example", undefined, "nobody who is trusted has signed the certificate"],
  ])("%s is refused, and nothing of the request sent", async (_name, tls, host, ca, error) => {
    await using server = await startRawServer((socket) => socket.write(OK), { tls });
    create(ca);
    expect(await post(`https://${host}:${server.port}/`)).toMatchObject({ stage: "tls", error, status: null });
    expect(server.requests).toEqual([]);
  });
});

describe("a handshake", () => {
  test("with what speaks no TLS fails", async () => {
    await using server = await startRawServer(() => undefined, { onConnection: (socket) => socket.end("HTTP/1.1 400 Bad\r\n\r\n") });
    create(authorityPem);
    expect(await post(`https://hook.example:${server.port}/`)).toMatchObject({ stage: "tls", error: "the TLS handshake failed" });
  });

  test("that is cut off fails", async () => {
    await using server = await startRawServer(() => undefined, { onConnection: (socket) => socket.resetAndDestroy() });
    create(authorityPem);
    expect(await post(`https://hook.example:${server.port}/`)).toMatchObject({ stage: "tls", status: null });
  });

  test("that hangs is given up after ten seconds", async () => {
    await using server = await startRawServer(() => undefined, { onConnection: (socket) => void socket.resume() });
    create(authorityPem);
    const posted = post(`https://hook.example:${server.port}/`);
    await new Promise((resolve) => void server.accepted(1).then(() => server.sockets[0]!.once("data", resolve)));
    clock.advance(10_000);
    expect(await posted).toMatchObject({ stage: "tls", error: "the TLS handshake did not end in time" });
  });
});

test("a large body goes over TLS whole", async () => {
  await using server = await startRawServer((socket) => socket.write(OK), { tls: HOOK });
  create(authorityPem);
  const body = "ü🙂".repeat(1_000_000);
  expect(await sender.post({ url: `https://hook.example:${server.port}/`, headers: [], body }, never)).toMatchObject({
    stage: null,
    status: 200,
  });
  expect(server.requests[0]!.endsWith(`\r\n\r\n${body}`)).toBe(true);
});

test("an answer over TLS that is cut is a failure at `wait`", async () => {
  await using server = await startRawServer((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"), { tls: HOOK });
  create(authorityPem);
  expect(await post(`https://hook.example:${server.port}/`)).toMatchObject({ stage: "wait", status: 200, body: "hello" });
});
