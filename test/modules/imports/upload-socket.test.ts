import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { loadConfig } from "#src/config.ts";
import { listen } from "#src/listener.ts";
import { appEngines, setup as setupApp } from "#test/support/app.ts";
import type { TestEngine } from "#test/support/databases.ts";

const MEBIBYTE = 1024 * 1024;

async function setup(engine: TestEngine) {
  const app = await setupApp({ engine });
  const listener = listen(loadConfig({ env: { PORT: "0" }, flags: {}, isTerminal: false }), app.fetch);
  return {
    app,
    url: listener.url,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await app[Symbol.asyncDispose]();
    },
  };
}

type Place = Awaited<ReturnType<typeof setup>>;

/** Begins a request of many bytes and sends but the first of them. @returns the status of the answer that comes all the same */
async function statusOfBegun({ url, app }: Place, path: string, type: string, length: string): Promise<number> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  const head = [`POST ${path} HTTP/1.1`, "Host: localhost", `Authorization: Bearer ${app.live.key}`, `Content-Type: ${type}`, length];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  if (length.startsWith("Transfer")) for (let at = 0; at < 20; at++) socket.write(`10000\r\n${"x".repeat(65_536)}\r\n`);
  const [first] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return Number(first.toString().split(" ")[1]);
}

describe.each(appEngines)("an upload over a socket on %s", (engine) => {
  test("may be far beyond the limit of other bodies, at any spelling of its address", async () => {
    await using place = await setup(engine);
    await place.app.services.loop.stop();
    const rows = `${JSON.stringify({ external_id: "u", metadata: { filling: "x".repeat(480) } })}\n`.repeat(MEBIBYTE / 512);
    for (const prefix of ["/v1", "/api/v1"]) {
      let parts = 3;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => (parts-- === 0 ? controller.close() : controller.enqueue(new TextEncoder().encode(rows))),
      });
      const headers = { authorization: `Bearer ${place.app.live.key}`, "content-type": "application/x-ndjson" };
      const answer = await fetch(`${place.url}${prefix}/imports?kind=contacts&mode=update`, { method: "POST", headers, body });
      expect([answer.status, await answer.json()]).toMatchObject([202, { progress: { done: 0, total: (3 * MEBIBYTE) / 512 } }]);
    }
    await place.app.services.loop.start();
  });

  test("leaves the limit of other bodies as it is, which is told without reading them", async () => {
    await using place = await setup(engine);
    const long = `Content-Length: ${100 * MEBIBYTE}`;
    expect(await statusOfBegun(place, "/v1/contacts", "application/json", long)).toBe(413);
    expect(await statusOfBegun(place, "/v1/contacts", "application/json", "Transfer-Encoding: chunked")).toBe(413);
    expect(await statusOfBegun(place, "/v1/contacts", "text/csv", long)).toBe(413);
  });

  test("that breaks off leaves nothing behind", async () => {
    await using place = await setup(engine);
    const socket = connect(Number(new URL(place.url).port), "127.0.0.1");
    await once(socket, "connect");
    const head = ["POST /v1/imports?kind=contacts&mode=update HTTP/1.1", "Host: localhost", `Authorization: Bearer ${place.app.live.key}`];
    socket.write(
      `${[...head, "Content-Type: text/csv", `Content-Length: ${MEBIBYTE}`].join("\r\n")}\r\n\r\nexternal_id\n${"u\n".repeat(200_000)}`,
    );
    const kept = () => place.app.db.read.selectFrom("imports").select(["job_id", "touched_at"]).execute();
    for (let rows = await kept(); rows.length === 0; rows = await kept()) await turn();
    socket.destroy();
    for (let rows = await kept(); rows.length > 0; rows = await kept()) await turn();
    expect(await place.app.db.read.selectFrom("import_chunks").select("seq").execute()).toEqual([]);
    expect(place.app.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
