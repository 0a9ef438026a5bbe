import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { loadConfig } from "#src/config.ts";
import { listen } from "#src/listener.ts";
import { appEngines, setup as setupApp } from "#test/support/app.ts";
import type { TestEngine } from "#test/support/databases.ts";
import { addManyContacts } from "#test/support/many-contacts.ts";

/** Far more than what the kernel takes in of what nobody reads. */
const CONTACTS = 4_000;
const BYTES = 10_000;
const PAGE_ROWS = 250;

/** An app that listens, with many contacts, and how many pages of them were read. */
async function setup(engine: TestEngine, failAt = Infinity) {
  const read = { pages: 0 };
  const app = await setupApp({
    engine,
    wrapDatabase: (db) => ({
      ...db,
      slowly: (query) => (++read.pages === failAt ? Promise.reject(new Error("the disk is gone")) : db.slowly(query)),
    }),
  });
  await addManyContacts(app, app.live.env_id, CONTACTS, BYTES);
  const listener = listen(loadConfig({ env: { PORT: "0" }, flags: {}, isTerminal: false }), app.fetch);
  return {
    app,
    read,
    url: listener.url,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await app[Symbol.asyncDispose]();
    },
  };
}

type Place = Awaited<ReturnType<typeof setup>>;

/** Asks for an export, and takes nothing of the answer yet. */
async function ask({ url, app }: Place): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1").pause();
  await once(socket, "connect");
  socket.write(
    `GET /v1/contacts/export?format=ndjson HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${app.live.key}\r\nConnection: close\r\n\r\n`,
  );
  return socket;
}

/** What an export reads that is taken to its end, in whose time others get their turn too. The last page is an empty one. */
const PAGES = CONTACTS / PAGE_ROWS + 1;

async function takeAll({ url, app }: Place): Promise<void> {
  const response = await fetch(`${url}/v1/contacts/export?format=ndjson`, { headers: { authorization: `Bearer ${app.live.key}` } });
  expect(linesOf(await response.text())).toBe(CONTACTS);
}

async function rest(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).resume();
  await new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  return Buffer.concat(chunks).toString();
}

const linesOf = (answer: string) => answer.match(/\{"id":"ct_/g)?.length ?? 0;

describe.each(appEngines)("an export over a socket on %s", (engine) => {
  test("waits for a client that takes nothing, and goes on when it does", async () => {
    await using place = await setup(engine);
    const socket = await ask(place);
    await takeAll(place);
    expect(place.read.pages - PAGES).toBeLessThan(PAGES / 2);
    const answer = await rest(socket);
    expect([linesOf(answer), answer.slice(-5)]).toEqual([CONTACTS, "0\r\n\r\n"]);
    expect(place.read.pages).toBe(2 * PAGES);
  });

  test("ends when the client goes away", async () => {
    await using place = await setup(engine);
    const socket = await ask(place);
    await takeAll(place);
    socket.destroy();
    await takeAll(place);
    await takeAll(place);
    expect(place.read.pages - 3 * PAGES).toBeLessThan(PAGES / 2);
  });

  test("is broken off without its end when the database fails, and the log says why", async () => {
    await using place = await setup(engine, 5);
    const answer = await rest(await ask(place));
    expect(answer).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(answer).not.toEndWith("0\r\n\r\n");
    expect(linesOf(answer)).toBeLessThan(CONTACTS);
    const told = place.app.log.find((line) => line.includes("an answer was broken off"));
    expect(told).toMatch(/"request_id":"req_\w+".*the disk is gone/);
  });
});

test("a stream is not cut for being idle, and other answers may be", async () => {
  await using app = await setupApp();
  const waited: [string, number][] = [];
  const server = { timeout: (request: Request, seconds: number) => void waited.push([request.url, seconds]) };
  const headers = { authorization: `Bearer ${app.live.key}` };
  for (const path of ["/v1/contacts", "/v1/contacts/export", "/api/v1/crm/contacts/export", "/v1/contacts/export?format=x"])
    await app.fetch(new Request(`http://localhost${path}`, { headers }), "127.0.0.1", server);
  expect(waited).toEqual([
    ["http://localhost/v1/contacts/export", 0],
    ["http://localhost/api/v1/crm/contacts/export", 0],
  ]);
});
