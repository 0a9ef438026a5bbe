import { expect, test } from "bun:test";
import fc from "fast-check";
import { type AnswerReader, createAnswerReader } from "#plugins/outbound-http/answer.ts";

/** Reads what came in pieces; `end` says that the other side then ended the connection. */
function read(pieces: readonly (string | Buffer)[], { end = false } = {}) {
  const reader = createAnswerReader();
  reader.begin();
  let isComplete = false;
  for (const piece of pieces) if (!isComplete) isComplete = reader.feed(Buffer.from(piece as string, "utf8"));
  if (!isComplete && end) isComplete = reader.finish();
  return told(reader, isComplete);
}

function told(reader: AnswerReader, isComplete: boolean) {
  const { status, fault, keepsAlive } = reader;
  return { isComplete, status, fault, keepsAlive, headers: reader.headers(), body: reader.body() };
}

const OK = { isComplete: true, status: 200, fault: null, keepsAlive: true, headers: {}, body: "" };

test("an answer with a length ends where it says", () => {
  expect(read(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"])).toEqual({
    ...OK,
    headers: { "content-length": "5", "x-a": "b" },
    body: "hello",
  });
  expect(read(["HTTP/1.1 500\r\ncontent-length: 0\r\n\r\n"])).toMatchObject({ isComplete: true, status: 500 });
  expect(read(["HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello"], { end: true })).toMatchObject({ isComplete: false, body: "hello" });
});

test("an answer in chunks ends with the last one, after its trailers", () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
  expect(read([`${head}5;a="b"\r\nhello\r\nA \r\n, 10 bytes\r\n0\r\nx-t: 1\r\n\r\n`])).toMatchObject({
    ...OK,
    headers: {},
    body: "hello, 10 bytes",
  });
  expect(read([`${head}5\r\nhello\r\n0\r\n`], { end: true }).isComplete).toBe(false);
});

test("an answer without either ends with its connection, which is not used again", () => {
  const answer = "HTTP/1.1 200 OK\r\n\r\nhello";
  expect(read([answer]).isComplete).toBe(false);
  expect(read([answer], { end: true })).toEqual({ ...OK, keepsAlive: false, body: "hello" });
  expect(read(["HTTP/1.1 200 OK\r\nx: y\r\n"], { end: true }).isComplete).toBe(false);
});

test("204 and 304 have no body, and 100 and its like come before the answer", () => {
  expect(read(["HTTP/1.1 204 No Content\r\n\r\n"])).toEqual({ ...OK, status: 204 });
  expect(read(["HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n"])).toMatchObject({ isComplete: true, status: 304 });
  const before = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
  expect(read([before]).status).toBeNull();
  expect(read([`${before}HTTP/1.1 204 No Content\r\n\r\n`])).toEqual({ ...OK, status: 204 });
  expect(read(["HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\nbytes"])).toMatchObject({ isComplete: true, status: 101, keepsAlive: false });
});

test("a connection is kept as HTTP says", () => {
  const kept = (head: string) => read([`${head}\r\ncontent-length: 0\r\n\r\n`]).keepsAlive;
  expect(kept("HTTP/1.1 200 OK")).toBe(true);
  expect(kept("HTTP/1.0 200 OK")).toBe(false);
  expect(kept("HTTP/1.0 200 OK\r\nConnection: Keep-Alive")).toBe(true);
  expect(kept("HTTP/1.1 200 OK\r\nConnection: close")).toBe(false);
  expect(kept("HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive")).toBe(false);
  expect(read(["HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"])).toMatchObject({ isComplete: true, body: "a", keepsAlive: false });
  const both = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
  expect(read([both])).toMatchObject({ isComplete: true, body: "", keepsAlive: false });
});

test.each([
  ["a mail server", "220 mail.example ESMTP\r\n"],
  ["another version", "HTTP/2 200 OK\r\n"],
  ["no status", "HTTP/1.1 2000 OK\r\n"],
  ["a status that is none", "HTTP/1.1 099 OK\r\n"],
  ["a header without a colon", "HTTP/1.1 200 OK\r\nabc\r\n"],
  ["a space before the colon", "HTTP/1.1 200 OK\r\nabc : d\r\n"],
  ["a folded header", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n"],
  ["a NUL", "HTTP/1.1 200 OK\r\na: b\0c\r\n"],
  ["a return within a line", "HTTP/1.1 200 OK\r\na: b\rc\r\n"],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n"],
  ["a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n"],
  ["a length in words", "HTTP/1.1 200 OK\r\ncontent-length: 1e3\r\n"],
  ["an empty length", "HTTP/1.1 200 OK\r\ncontent-length:\r\n"],
  ["a chunk without a size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n"],
  ["a chunk of a negative size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n"],
  ["a chunk of a size in words", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
  ["a chunk that is longer than its size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n"],
  ["a line without end", `HTTP/1.1 200 OK\r\na: ${"b".repeat(16_384)}`],
  ["a head without end", `HTTP/1.1 200 OK\r\n${`a: ${"b".repeat(1_000)}\r\n`.repeat(70)}`],
])("%s is a fault", (_name, text) => {
  const { isComplete, fault, keepsAlive } = read([text]);
  expect([isComplete, keepsAlive]).toEqual([true, false]);
  expect(fault).toMatch(/^the (answer|head of the answer|body of the answer) is /);
});

test("of many headers 64 are kept, of long ones 8 KiB, and the length counts all the same", () => {
  const many = Array.from({ length: 200 }, (_, index) => `x-${index}: y\r\n`).join("");
  const first = read([`HTTP/1.1 200 OK\r\n${many}content-length: 2\r\n\r\nok`]);
  expect(Object.keys(first.headers)).toHaveLength(64);
  expect(first).toMatchObject({ isComplete: true, body: "ok" });
  const long = `x: ${"y".repeat(5_000)}\r\n`;
  const second = read([`HTTP/1.1 200 OK\r\n${long.repeat(3)}content-length: 2\r\n\r\nok`]);
  expect(JSON.stringify(second.headers).length).toBeLessThan(8_300);
  expect(second).toMatchObject({ isComplete: true, body: "ok" });
});

test("a header's name is never more than a name", () => {
  const { headers } = read(["HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\ntoString: c\r\nset-cookie: d\r\nSet-Cookie: e\r\n\r\n"]);
  expect(JSON.stringify(headers)).toBe('{"constructor":"b","tostring":"c","set-cookie":"d, e"}');
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
});

test("of a long body 4 KiB are kept and 64 KiB are read; no character is cut in two", () => {
  const body = `a${"é".repeat(50_000)}`;
  const { isComplete, keepsAlive, ...rest } = read([`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`, body]);
  expect([isComplete, keepsAlive, rest.fault]).toEqual([true, false, null]);
  expect(rest.body).toBe(`a${"é".repeat(2_047)}`);
  const short = body.slice(0, 10_000);
  expect(read([`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(short)}\r\n\r\n${short}`]).keepsAlive).toBe(true);
});

test("chunks of one byte count with their sizes, so that an answer can't go on without end", () => {
  const reader = createAnswerReader();
  reader.begin();
  reader.feed(Buffer.from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"));
  let fed = 0;
  while (!reader.feed(Buffer.from("1;and=so-on\r\na\r\n"))) fed += 16;
  expect(fed).toBeLessThanOrEqual(65_536);
});

test("bytes that are no UTF-8 become U+FFFD, and NUL goes", () => {
  const bytes = Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), Buffer.from([0x61, 0xff, 0, 0x62, 0xc3])]);
  expect(read([bytes]).body).toBe("a\uFFFDb\uFFFD");
});

test("wherever an answer is cut into pieces, it is read as the same", () => {
  const header = fc.tuple(fc.constantFrom("x-a", "X-B", "set-cookie", "date"), fc.constantFrom("", "1", "a b", "é", "x".repeat(300)));
  const pieces = fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { maxLength: 8 });
  const framing = fc.constantFrom("sized", "chunked", "until-close");
  fc.assert(
    fc.property(
      fc.array(header, { maxLength: 6 }),
      pieces,
      framing,
      fc.boolean(),
      fc.array(fc.nat(2_000)),
      (headers, parts, framing, hasContinue, cuts) => {
        const body = parts.join("");
        const chunks = parts.filter((part) => part !== "").map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`);
        const framed = {
          sized: `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
          chunked: `transfer-encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`,
          "until-close": `\r\n${body}`,
        }[framing];
        const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
        const whole = Buffer.from(`${hasContinue ? "HTTP/1.1 100 Continue\r\n\r\n" : ""}HTTP/1.1 200 OK\r\n${lines}${framed}`);
        const places = [...new Set([0, ...cuts.map((cut) => cut % whole.length), whole.length])].toSorted((a, b) => a - b);
        const inPieces = places.slice(1).map((place, index) => whole.subarray(places[index], place));
        const expected = read([whole], { end: true });
        expect(expected).toMatchObject({ isComplete: true, fault: null, status: 200, body: body.replaceAll("\0", "") });
        expect(read(inPieces, { end: true })).toEqual(expected);
        expect(
          read(
            [...whole].map((byte) => Buffer.from([byte])),
            { end: true },
          ),
        ).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

test("whatever comes, reading it ends and throws nothing", () => {
  const text = fc.constantFrom(
    "HTTP/1.1 200 OK\r\n",
    "\r\n",
    "\n",
    "content-length: 3\r\n",
    "transfer-encoding: chunked\r\n",
    "a",
    "5\r\n",
    "\0",
    ":",
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          text,
          fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
        ),
        { maxLength: 30 },
      ),
      (pieces) => {
        const { body, headers } = read(pieces, { end: true });
        expect(body).not.toContain("\0");
        expect(JSON.stringify(headers)).not.toContain("\\u0000");
      },
    ),
    { numRuns: 2_000 },
  );
});
