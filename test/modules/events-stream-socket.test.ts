import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { loadConfig } from "#src/config.ts";
import { listen } from "#src/listener.ts";
import { type TestApp, setup as setupApp } from "#test/support/app.ts";
import { appendEvents } from "#test/support/events.ts";
import { queue, turn } from "#test/support/sending.ts";

/** An app that listens. */
async function setup() {
  const app = await setupApp();
  const listener = listen(loadConfig({ env: { PORT: "0" }, flags: {}, isTerminal: false }), app.fetch);
  return {
    app,
    listener,
    port: Number(new URL(listener.url).port),
    async [Symbol.asyncDispose]() {
      await listener.close();
      await app[Symbol.asyncDispose]();
    },
  };
}

/** Asks for a stream, and takes nothing of the answer yet. */
async function ask(port: number, { key }: { key: string }): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").pause();
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.write(`GET /v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n\r\n`);
  return socket;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

const open = ({ services }: TestApp) => services.streams.count();

test("a stream's head and first comment come at once, and events as they happen", async () => {
  await using place = await setup();
  const socket = await ask(place.port, place.app.sandbox);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString())).resume();
  await until(() => text.includes(":\n\n"));
  expect(text).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(text.toLowerCase()).toContain("x-accel-buffering: no");
  const id = await queue(place.app.sandbox);
  await until(() => text.includes("event: message.queued"));
  expect(text).toContain(`"subject":"${id}"`);
  socket.destroy();
});

test("a stream ends when its client goes away, also at once", async () => {
  await using place = await setup();
  const sockets = await Promise.all(Array.from({ length: 20 }, () => ask(place.port, place.app.sandbox)));
  await until(() => open(place.app) === sockets.length);
  for (const socket of sockets) socket.destroy();
  await until(() => open(place.app) === 0);
  for (let round = 0; round < 20; round++) (await ask(place.port, place.app.sandbox)).destroy();
  await queue(place.app.sandbox);
  await until(() => open(place.app) === 0);
});

test("a client that takes nothing is waited for, and then gets everything", async () => {
  await using place = await setup();
  const { app } = place;
  const socket = await ask(place.port, app.sandbox);
  await until(() => open(app) === 1);
  const before = process.memoryUsage().rss;
  const MANY = 20_000;
  for (let at = 0; at < MANY; at += 500)
    await appendEvents(
      app,
      app.sandbox,
      "contact.updated",
      Array.from({ length: 500 }, (_, one) => `ct_${at + one}`),
    );
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 2 ** 20);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString())).resume();
  await until(() => text.includes(`"subject":"ct_${MANY - 1}"`));
  expect(text.match(/^id: /gm)).toHaveLength(MANY);
  socket.destroy();
});

test("streams don't hold up the draining of a server", async () => {
  await using place = await setup();
  const socket = await ask(place.port, place.app.sandbox);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString())).resume();
  await until(() => text.includes(":\n\n"));
  place.app.services.streams.stop();
  await place.listener.drain();
  expect(text).toEndWith("0\r\n\r\n");
});
