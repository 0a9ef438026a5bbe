import { describe, expect, test } from "bun:test";
import { setup, type TestApp } from "#test/support/app.ts";

const MIB = 1024 * 1024;
const GOOD = JSON.stringify({ account_id: 7421, to: "@sarah_miller", text: "Your invite is ready" });

interface Ask {
  body?: RequestInit["body"];
  key?: string | null;
  headers?: Record<string, string>;
  path?: string;
}

function send({ client, sandbox }: TestApp, { body = GOOD, key = sandbox.key, headers = {}, path = "/v1/messages/send" }: Ask) {
  const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const init = { method: "POST", headers: { "content-type": "application/json", ...authorization, ...headers }, body };
  return client.send<{ code: string; details?: { field: string; error: string }[] }>(new Request(`http://localhost${path}`, init));
}

const padded = (bytes: number) => `${GOOD.slice(0, -1)}${" ".repeat(bytes - GOOD.length)}}`;

function chunked(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, (at += 65_536)));
    },
  });
}

describe("errors come in the order of the contract:", () => {
  /** Each breaks one rule; what is wrong earlier is told, whatever is wrong later too. */
  const faults: [code: string, ask: (app: TestApp) => Ask | Promise<Ask>][] = [
    ["payload_too_large", () => ({ headers: { "content-length": String(MIB + 1) } })],
    ["unsupported_media_type", () => ({ headers: { "content-type": "text/plain" } })],
    ["unauthorized", () => ({ key: null })],
    ["rate_limit_exceeded", exhausted],
    ["forbidden", async (app) => ({ key: (await app.makeKey(app.sandbox, { scopes: ["read:messages"] })).key })],
    ["bad_request", () => ({ body: "{" })],
    ["validation_error", () => ({ body: "{}" })],
    ["not_found", () => ({ body: GOOD.replace("7421", "5") })],
    [
      "conflict",
      async (app) => (
        await send(app, { headers: { "idempotency-key": "used" } }),
        { body: GOOD.replace("invite", "parcel"), headers: { "idempotency-key": "used" } }
      ),
    ],
  ];

  async function exhausted(app: TestApp): Promise<Ask> {
    const { key } = await app.makeKey(app.sandbox, { scopes: ["read:messages"], rate_limit: 1 });
    await app.client.as(key).get("/v1/me");
    return { key };
  }

  test.each(faults)("%s", async (code, ask) => {
    await using app = await setup();
    expect((await send(app, await ask(app))).body.code).toBe(code);
  });

  test.each(faults.slice(0, -2).map(([code], at): [string, number] => [code, at]))("%s before all that follow", async (code, at) => {
    await using app = await setup();
    const [first] = [faults[at]!];
    for (const [later, of] of faults.slice(at + 1, -2)) {
      const [one, other] = [await of(app), await first[1](app)];
      const both = { ...one, ...other, headers: { ...one.headers, ...other.headers } };
      expect([later, (await send(app, both)).body.code]).toEqual([later, code]);
    }
  });
});

describe("a body", () => {
  test("has up to 1 MiB, whether or not it says its length", async () => {
    await using app = await setup();
    const [fits, over] = [padded(MIB), padded(MIB + 1)];
    const statuses = await Promise.all(
      [fits, over, chunked(fits), chunked(over), chunked(padded(3 * MIB))].map(async (body) => (await send(app, { body })).status),
    );
    expect(statuses).toEqual([200, 413, 200, 413, 413]);
  });

  test("is JSON, by its type too", async () => {
    await using app = await setup();
    const types = [
      "application/json",
      "application/json; charset=utf-8",
      "APPLICATION/JSON",
      "application/problem+json",
      "text/json",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonp",
      "json",
      "application/octet-stream",
    ];
    const statuses = await Promise.all(types.map(async (type) => (await send(app, { headers: { "content-type": type } })).status));
    expect(statuses).toEqual([200, 200, 200, 200, 415, 415, 415, 415, 415, 415]);
  });

  test("that is not well-formed is a bad request", async () => {
    await using app = await setup();
    const bytes = (...rest: number[]) => new Uint8Array([...new TextEncoder().encode('{"text":"'), ...rest, 0x22, 0x7d]);
    const bad = [
      "{",
      "[1,]",
      "{'a':1}",
      "NaN",
      "{}{}",
      "\u0000",
      '{"a":"\u0001"}',
      bytes(0xff),
      bytes(0xc0, 0x80),
      bytes(0xed, 0xa0, 0x80),
      bytes(0xf4, 0x90, 0x80, 0x80),
      "[".repeat(100_000),
      '{"a":'.repeat(100_000),
    ];
    for (const body of bad) {
      const { status, body: problem } = await send(app, { body });
      expect([String(body).slice(0, 40), status, problem.code]).toEqual([String(body).slice(0, 40), 400, "bad_request"]);
    }
  });

  test("that is missing or no object lacks its fields", async () => {
    await using app = await setup();
    for (const body of ["", "null", "[]", "5", '"text"', "true", "{}"]) {
      const { status, body: problem } = await send(app, { body });
      expect([body, status, problem.code]).toEqual([body, 422, "validation_error"]);
    }
  });

  test("with a NUL or half a pair in a text is refused by the field", async () => {
    await using app = await setup();
    for (const escape of ["\\u0000", "\\ud800", "\\udc00 x", "\\ud800\\ud800"]) {
      const { status, body } = await send(app, { body: GOOD.replace("invite", escape) });
      expect([escape, status, body.details]).toEqual([escape, 422, [{ field: "text", error: "bad_characters" }]]);
      const inName = await send(app, { body: GOOD.replace('"text"', `"metadata":{"${escape}":"x"},"text"`) });
      expect([escape, inName.status, inName.body.details]).toEqual([escape, 422, [{ field: "metadata", error: "bad_characters" }]]);
    }
    expect((await send(app, { body: GOOD.replace("invite", "\\ud83d\\ude00") })).status).toBe(200);
  });

  test("with a member twice counts the last, and with __proto__ has one more unknown field", async () => {
    await using app = await setup();
    const twice = await send(app, { body: GOOD.replace("{", '{"account_id":5,') });
    expect(twice.status).toBe(200);
    for (const name of ["__proto__", "constructor", "prototype"]) {
      const { status, body } = await send(app, { body: GOOD.replace("{", `{"${name}":{"silent":true},`) });
      expect([name, status, body.details?.[0]?.error]).toEqual([name, 422, "unknown_field"]);
    }
  });
});

describe("a query", () => {
  test("with a NUL in it is refused by the parameter", async () => {
    await using app = await setup();
    for (const [path, field] of [
      ["/v1/messages?to=a%00b", "to"],
      ["/v1/events?after=%00", "after"],
      ["/v1/messages?%00=1", "query"],
    ] as const) {
      const { status, body } = await app.sandbox.get<{ details: { field: string }[] }>(path);
      expect([path, status, body.details[0]!.field]).toEqual([path, 422, field]);
    }
  });
});
