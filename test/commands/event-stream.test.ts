import { expect, test } from "bun:test";
import fc from "fast-check";
import { ExitError } from "#src/commands/command.ts";
import { followEvents, parseEvents, type StreamAsk } from "#src/commands/event-stream.ts";
import { createServerApi } from "#src/commands/server-api.ts";
import { certificateKeyPem, certificatePem } from "#test/support/certificate.ts";

test("a stream is read the same however its bytes are cut", async () => {
  const stream = [
    ":\n\n",
    'id: evt_1\nevent: contact.created\ndata: {"name":"Zoë 🎈"}\n\n',
    ": a comment\r\nid: evt_2\r\ndata: one\r\ndata: two\r\n\r\n",
    "id:evt_3\rdata:three\r\r",
    "data: without an id\n\n",
    "id: evt_4\ndata: never ended",
  ];
  const expected = [
    { id: "evt_1", body: '{"name":"Zoë 🎈"}' },
    { id: "evt_2", body: "one\ntwo" },
    { id: "evt_3", body: "three" },
  ];
  const bytes = new TextEncoder().encode(stream.join(""));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 40 }), async (cuts) => {
      const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
      async function* parts() {
        for (const [at, end] of ends.entries()) yield bytes.slice(ends[at - 1] ?? 0, end);
      }
      expect(await Array.fromAsync(parseEvents(parts()))).toEqual(expected);
    }),
  );
});

test("a stream that falls silent is given up", async () => {
  const silent = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new TextEncoder().encode(written("evt_1"))) });
  const events = parseEvents(silent, 20);
  expect((await events.next()).value).toMatchObject({ id: "evt_1" });
  const failure = await events.next().catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: "nothing has come for 0.02 s" });
});

const written = (id: string) => `id: ${id}\nevent: contact.created\ndata: ${id}!\n\n`;

const streamOf = (text: string) => new Response(text, { headers: { "content-type": "text/event-stream" } });

/** The second is none that the command knows for this machine: it is asked by the other way. */
const hosts = ["127.0.0.1", "127.0.0.2"];

/** A server that gives these answers to those who open its stream, one after another. */
function openServer(answers: (() => Response)[], hostname: string, tls?: { cert: string; key: string }) {
  const asked: { query: string; last: string | null; key: string | null }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname,
    ...(tls === undefined ? {} : { tls }),
    fetch({ url, headers }) {
      const { pathname, search } = new URL(url);
      if (pathname === "/v1/events") return Response.json({ items: [], has_more: false, next_cursor: "evt_0" });
      asked.push({ query: search, last: headers.get("last-event-id"), key: headers.get("authorization") });
      return answers[asked.length - 1]!();
    },
  });
  return { url: server.url.origin, asked, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** Follows until there are so many events. */
async function follow(url: string, ask: StreamAsk, count: number) {
  const broken: { why: string; waitMs: number }[] = [];
  const opened: boolean[] = [];
  const { signal } = new AbortController();
  const needs = {
    signal,
    onOpen: (again: boolean) => void opened.push(again),
    onBroken: (why: string, waitMs: number) => void broken.push({ why, waitMs }),
  };
  const ids: string[] = [];
  for await (const { id } of followEvents(createServerApi(url, "cs_test_x"), ask, needs)) {
    ids.push(id);
    if (ids.length === count) break;
  }
  return { ids, broken, opened };
}

test.each(hosts)("a stream that breaks is opened again behind the last whole event, also after refusals that pass: at %s", async (host) => {
  await using server = openServer(
    [
      () => streamOf(`:\n\n${written("evt_1")}${written("evt_2").slice(0, -1)}`),
      () => new Response("", { status: 503, headers: { "retry-after": "1" } }),
      () => new Response("<html>", { status: 502 }),
      () => streamOf(written("evt_2") + written("evt_3")),
    ],
    host,
  );
  const { ids, broken, opened } = await follow(server.url, { type: "contact.*" }, 3);
  expect(ids).toEqual(["evt_1", "evt_2", "evt_3"]);
  expect(opened).toEqual([false, true]);
  expect(broken.map(({ why }) => why).slice(1)).toEqual(["it answers 503", "it answers 502"]);
  expect(broken[1]!.waitMs).toBeGreaterThanOrEqual(1_000);
  expect(server.asked.map(({ last }) => last)).toEqual(["evt_0", "evt_1", "evt_1", "evt_1"]);
  for (const { query, key } of server.asked) expect({ query, key }).toEqual({ query: "?type=contact.*", key: "Bearer cs_test_x" });
});

test("a server on this machine is asked whatever name its certificate is for", async () => {
  await using server = openServer([() => streamOf(written("evt_1"))], hosts[0]!, { cert: certificatePem, key: certificateKeyPem });
  expect(await follow(server.url, {}, 1)).toMatchObject({ ids: ["evt_1"], opened: [false] });
});

test.each(hosts)("what asking again does not mend ends it, and a redirect takes the key nowhere: at %s", async (host) => {
  await using other = openServer([() => streamOf(written("evt_1"))], host);
  for (const [answer, code, words] of [
    [Response.json({ detail: "This key lacks the scope read:messages." }, { status: 403 }), 1, "lacks the scope"],
    [Response.json({ detail: "no name", details: [{ field: "type" }] }, { status: 422 }), 2, "--events: no name"],
    [Response.json({ detail: "no such event" }, { status: 422 }), 1, "no such event"],
    [new Response("not found", { status: 404 }), 1, "is not the address of a Posthouse: it answers 404"],
    [Response.redirect(`${other.url}/v1/events/stream`, 302), 1, "it answers 302"],
  ] as const) {
    await using server = openServer([() => answer], host);
    const error = await follow(server.url, { after: "evt_0" }, 1).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ExitError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  }
  expect(other.asked).toEqual([]);
});
