import { isUtf8 } from "node:buffer";
import { AppError, invalidField } from "#src/core/errors.ts";
import { incoming } from "#src/core/incoming.ts";
import type { ImportFormat } from "./model.ts";

/** Of a chunk, before it is compressed. */
const CHUNK_BYTES = 256 * 1024;
const [LF, CR, QUOTE] = [10, 13, 34];

interface Sink {
  /** Called with the beginning of the file: what it throws refuses the file before the rest is read. */
  first(text: string): Promise<void>;
  /** Keeps a part; resolves when it is durable. */
  keep(seq: number, data: Uint8Array): Promise<void>;
}

export interface Received {
  chunks: number;
  /** Records, as far as can be told without reading them. */
  rows: number;
  /** Of all bytes. */
  digest: string;
}

/**
 * Takes a file in, no faster than it is kept. Each part is whole UTF-8 by itself, and compressed.
 * @throws AppError `validation_error` for an empty one, `bad_request` for what is not UTF-8 or broke off; what the sink throws
 */
export async function receive(stream: AsyncIterable<Uint8Array>, format: ImportFormat, sink: Sink): Promise<Received> {
  const hasher = new Bun.CryptoHasher("sha256");
  const count = createRecordCount(format);
  let [parts, gathered, seq, taken, rows]: [Uint8Array[], number, number, number, number] = [[], 0, 0, 0, 0];

  async function flush(isLast: boolean): Promise<void> {
    const all = Buffer.concat(parts);
    const bytes = seq === 0 ? withoutMark(all) : all;
    const end = isLast ? bytes.byteLength : wholeUntil(bytes);
    const part = bytes.subarray(0, end);
    check(part, taken);
    taken += all.byteLength - bytes.byteLength + end;
    parts = [bytes.subarray(end)];
    gathered = bytes.byteLength - end;
    if (part.byteLength === 0) return;
    rows = count(part);
    if (seq === 0) await sink.first(part.toString("utf8"));
    await sink.keep(seq++, await Bun.zstdCompress(part));
  }

  for await (const bytes of incoming(stream)) {
    hasher.update(bytes);
    parts.push(bytes);
    gathered += bytes.byteLength;
    if (gathered >= CHUNK_BYTES) await flush(false);
  }
  await flush(true);
  if (seq === 0) throw invalidField("body", "required", "The file is empty.");
  return { chunks: seq, rows, digest: hasher.digest("base64url") };
}

/** Without the byte order mark that a spreadsheet puts first: https://www.unicode.org/faq/utf_bom */
function withoutMark(bytes: Buffer): Buffer {
  const [a, b, c] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))
    throw new AppError("bad_request", "The file is UTF-16: save it as UTF-8 (in a spreadsheet: CSV UTF-8) and send it again.");
  return a === 0xef && b === 0xbb && c === 0xbf ? bytes.subarray(3) : bytes;
}

/** Where the last character that is whole ends: https://www.rfc-editor.org/rfc/rfc3629#section-3 */
function wholeUntil(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(4, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back]!;
    if (byte < 0x80) return bytes.byteLength;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.byteLength - back : bytes.byteLength;
  }
  return bytes.byteLength;
}

function check(bytes: Buffer, before: number): void {
  if (!isUtf8(bytes))
    throw new AppError("bad_request", `The file is not UTF-8 (after byte ${before}): save it as UTF-8 and send it again.`);
  const nul = bytes.indexOf(0);
  if (nul !== -1)
    throw new AppError("bad_request", `The file holds a NUL at byte ${before + nul}, which no text has: is it a file of text in UTF-8?`);
}

/** Counts the records of a file part by part: lines that are not empty, but those within quotes of a CSV, and not its header. */
function createRecordCount(format: ImportFormat): (bytes: Uint8Array) => number {
  let [ended, quoted, filled] = [format === "csv" ? -1 : 0, false, false];
  return (bytes) => {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === LF && !quoted) {
        if (filled) ended++;
        filled = false;
      } else if (byte !== CR) {
        filled = true;
        if (byte === QUOTE && format === "csv") quoted = !quoted;
      }
    }
    return Math.max(0, ended + (filled ? 1 : 0));
  };
}
