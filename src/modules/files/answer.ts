import { answerInParts } from "#src/core/answer-in-parts.ts";
import { etagOf } from "#src/core/etag.ts";
import type { Log } from "#src/core/log.ts";
import type { RequestContext } from "#src/core/request.ts";
import type { File } from "./model.ts";
import type { Bytes } from "./service.ts";

/** A file as an answer: all of it, the range that was asked for, or nothing where the client has it already. */
export async function answerFile(request: Request, context: RequestContext, read: Bytes, log: Log): Promise<Response> {
  const headers = headersOf(read.file);
  if ("fetching" in read) return answerInParts(context, read.fetching.follow(), headers, log);
  const { blob } = read;
  if (isKnown(request, headers.etag!)) return new Response(null, { status: 304, headers: { etag: headers.etag! } });
  // As slowly as the client likes.
  context.streams = true;
  const range = rangeOf(request, headers.etag!, blob.size);
  const part = range === null ? blob : blob.slice(range[0], range[1] + 1);
  // Told here, since an answer to HEAD has no body of which it would be told.
  const all = { ...headers, "accept-ranges": "bytes", "content-length": String(part.size) };
  if (range === null) return new Response(part, { headers: all });
  return new Response(part, { status: 206, headers: { ...all, "content-range": `bytes ${range[0]}-${range[1]}/${blob.size}` } });
}

function headersOf(file: File): Record<string, string> {
  const { name, mime } = file;
  return {
    etag: etagOf(file),
    "content-type": mime ?? "application/octet-stream",
    "x-content-type-options": "nosniff",
    "content-disposition": disposition(mime ?? "", name ?? file.id),
  };
}

/** Only what can't hold a script is shown in the place of a page. https://www.rfc-editor.org/rfc/rfc6266 */
function disposition(mime: string, name: string): string {
  const kind = /^(image|audio|video)\/[a-z0-9.-]+$/.test(mime) ? "inline" : "attachment";
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return `${kind}; filename="${plain}"${plain === name ? "" : `; filename*=UTF-8''${encoded}`}`;
}

function isKnown({ headers }: Request, etag: string): boolean {
  const known = (headers.get("if-none-match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  return known.includes(etag);
}

/** First and last byte of a single range; null for all of it, also where the range makes no sense. RFC 9110 section 14.2. */
function rangeOf({ headers }: Request, etag: string, size: number): [number, number] | null {
  const valid = headers.get("if-range");
  if (valid !== null && valid !== etag) return null;
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.get("range") ?? "") ?? [];
  if (first === "" && last === "") return null;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return from <= to ? [from, to] : null;
}
