import { readHeader, readStatus } from "./answer-head.ts";
import { createKept } from "./kept.ts";

/** Reads answers to POSTs by HTTP/1.1 (RFC 9112), one after another. Strict: what is not clear is a fault. */
export interface AnswerReader {
  /** An answer begins. */
  begin(): void;
  /** @returns true once there is nothing more to read */
  feed(chunk: Buffer): boolean;
  /** The other side has ended the connection properly. @returns whether that ends the answer */
  finish(): boolean;
  /** Of the last answer, as far as it came. `status` is null before the end of a head. */
  readonly status: number | null;
  headers(): Record<string, string>;
  body(): string;
  /** Why it is none, in our own words. */
  readonly fault: string | null;
  /** Anything was received of it. */
  readonly isBegun: boolean;
  /** It was read to its end, and another may follow on the same connection. */
  readonly keepsAlive: boolean;
  /** For how long the other side said it keeps the connection (ms); null when it said nothing. */
  readonly keptForMs: number | null;
}

const LINE_BYTES_MAX = 16_384;
const HEAD_BYTES_MAX = 65_536;
const BODY_BYTES_MAX = 65_536;
const CHUNK_HEAD = /^([0-9a-f]{1,8})[ \t]*(;.*)?$/i;

type State = "status" | "header" | "sized" | "until-close" | "chunk-head" | "chunk" | "chunk-end" | "trailer" | "complete" | "faulty";

export function createAnswerReader(): AnswerReader {
  let state: State = "complete";
  let head = readStatus("HTTP/1.1 200")!;
  let status: number | null = null;
  let fault: string | null = null;
  let isBegun = false;
  let keepsAlive = false;
  let headBytes = 0;
  /** As it came, with the sizes of chunks. */
  let bodyBytes = 0;
  /** Of the body or the chunk. */
  let left = 0;
  /** A line whose end is not here yet. */
  let rest = "";
  const kept = createKept();

  function feed(chunk: Buffer): boolean {
    isBegun = true;
    let at = 0;
    // Latin-1 has a character a byte: where something is in the text it is in the bytes.
    let text: string | null = null;
    while (at < chunk.length && state !== "complete" && state !== "faulty") {
      if (state === "sized" || state === "until-close" || state === "chunk") at = takeBody(chunk, at);
      else at = takeLine((text ??= chunk.toString("latin1")), at);
    }
    // More than was announced: where the next answer begins nobody knows.
    if (at < chunk.length) keepsAlive = false;
    return state === "complete" || state === "faulty";
  }

  function takeBody(chunk: Buffer, at: number): number {
    const until = state === "until-close" ? chunk.length : Math.min(chunk.length, at + left);
    kept.add(at === 0 && until === chunk.length ? chunk : chunk.subarray(at, until));
    left -= until - at;
    countBody(until - at);
    if (left === 0 && state === "sized") state = "complete";
    if (left === 0 && state === "chunk") state = "chunk-end";
    return until;
  }

  function takeLine(text: string, at: number): number {
    const end = text.indexOf("\n", at);
    const until = end === -1 ? text.length : end + 1;
    const isHead = state === "status" || state === "header" || state === "trailer";
    if (isHead) headBytes += until - at;
    else countBody(until - at);
    if (headBytes > HEAD_BYTES_MAX || rest.length + until - at > LINE_BYTES_MAX) fail("the head of the answer is too long");
    else if (end === -1) rest += text.slice(at);
    else {
      const line = rest + text.slice(at, end);
      rest = "";
      readLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    return until;
  }

  function readLine(line: string): void {
    if (state === "status") {
      const begun = readStatus(line);
      if (begun === null) fail("the answer is not HTTP/1.1");
      else {
        head = begun;
        state = "header";
      }
    } else if (state === "header") {
      if (line === "") endHead();
      else if (!readHeader(head, line)) fail("the head of the answer is malformed");
    } else if (state === "chunk-head") {
      const size = CHUNK_HEAD.exec(line)?.[1];
      if (size === undefined) fail("the body of the answer is malformed");
      else {
        left = Number.parseInt(size, 16);
        state = left === 0 ? "trailer" : "chunk";
      }
    } else if (state === "chunk-end") {
      if (line === "") state = "chunk-head";
      else fail("the body of the answer is malformed");
    } else if (line === "") state = "complete";
  }

  function endHead(): void {
    // 100 and its like announce the answer. 101 would be another protocol: nothing more is read.
    if (head.status < 200 && head.status !== 101) {
      state = "status";
      return;
    }
    status = head.status;
    keepsAlive = head.keepsAlive && status !== 101;
    const { coding, length } = head;
    if (status === 101 || status === 204 || status === 304) state = "complete";
    else if (coding !== null) {
      const isChunked = coding === "chunked" || coding.endsWith(",chunked");
      state = isChunked ? "chunk-head" : "until-close";
      // A length beside it is how one answer is passed off as two (RFC 9112, 6.3).
      if (!isChunked || length !== null) keepsAlive = false;
    } else if (length === null) {
      state = "until-close";
      keepsAlive = false;
    } else {
      left = length;
      state = left === 0 ? "complete" : "sized";
    }
  }

  /** More than is wanted is not read; the answer is complete without it. */
  function countBody(bytes: number): void {
    bodyBytes += bytes;
    if (bodyBytes <= BODY_BYTES_MAX) return;
    state = "complete";
    keepsAlive = false;
  }

  function fail(words: string): void {
    fault = words;
    state = "faulty";
    keepsAlive = false;
  }

  return {
    begin() {
      state = "status";
      status = fault = null;
      rest = "";
      isBegun = keepsAlive = false;
      headBytes = bodyBytes = left = 0;
      kept.clear();
    },
    feed,
    finish() {
      if (state === "until-close") state = "complete";
      return state === "complete";
    },
    get status() {
      return status;
    },
    headers: () => (status === null ? {} : head.headers),
    body: () => kept.text(),
    get fault() {
      return fault;
    },
    get isBegun() {
      return isBegun;
    },
    get keepsAlive() {
      return state === "complete" && keepsAlive;
    },
    get keptForMs() {
      return head.keptForMs;
    },
  };
}
