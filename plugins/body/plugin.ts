import { Elysia } from "elysia";
import { AppError } from "#src/core/errors.ts";
import { findBadText, isNestedDeeper } from "#src/core/json.ts";
import { contextOf, mediaTypeOf } from "#src/core/request.ts";

/** Largest body that a request may have. */
const BODY_BYTES_MAX = 1024 * 1024;

/** No schema nests as deep, and what walks a body by recursion runs out of stack far beyond. RFC 8259 section 9 allows a limit. */
const NESTING_MAX = 100;

const refused = Symbol("refused");
/** A body that can't be used, kept until it is known that the client may ask at all: 401 and 403 come before 400 and 422. */
interface Refused {
  [refused]: AppError;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** How an operation takes a file. */
export interface Upload {
  types: readonly string[];
  /** Null is without a limit. */
  bytes_max: number | null;
}

/** What a form may add to a file's own bytes. */
const FORM_BYTES_MAX = 65_536;

interface Needs {
  /** How the operation at an address takes a file; undefined for all that take JSON. */
  uploadAt(method: string, path: string): Upload | undefined;
}

/**
 * Reads JSON bodies. Too large or of another type is said at once, malformed only after authentication.
 * Files are left to the operations that take them.
 */
export function body({ uploadAt }: Needs) {
  return new Elysia({ name: "body" })
    .onRequest(({ request }) => {
      if (request.body === null) return;
      const length = request.headers.get("content-length");
      const upload = uploadAt(request.method, pathOf(request.url));
      if (upload !== undefined) {
        contextOf(request).uploadTypes = upload.types;
        if (upload.bytes_max !== null && Number(length) > upload.bytes_max + FORM_BYTES_MAX)
          throw new AppError("payload_too_large", `The file is larger than ${upload.bytes_max / 1_000_000} MB.`);
        return;
      }
      if (length !== null && Number(length) > BODY_BYTES_MAX) throw tooLarge();
      if (length === "0") return;
      const type = request.headers.get("content-type");
      if (type === null || !/^application\/(json|[a-z.+-]+\+json)\s*(;|$)/i.test(type))
        throw new AppError("unsupported_media_type", "Send the body as Content-Type: application/json.");
    })
    .onParse({ as: "global" }, ({ request }) => {
      const { uploadTypes: types } = contextOf(request);
      return types === undefined ? readJson(request) : checkType(request, types);
    });
}

function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("?", start);
  return (end === -1 ? url.slice(start) : url.slice(start, end)).replace(/\/$/, "");
}

/** The file itself is left to whoever takes it. */
function checkType(request: Request, types: readonly string[]): object {
  if (types.includes("*/*") || types.includes(mediaTypeOf(request))) return {};
  return refuse(new AppError("unsupported_media_type", `Send the file as Content-Type: ${types.join(" or ")}.`));
}

/** @throws AppError that reading the body led to; `validation_error` for a NUL in the query */
export function checkInput(request: Request, read: unknown): void {
  if (typeof read === "object" && read !== null && refused in read) throw (read as Refused)[refused];
  if (!request.url.includes("%00")) return;
  const field = findBadText(Object.fromEntries(new URL(request.url).searchParams));
  if (field !== undefined) throw badCharacters(field || "query");
}

function badCharacters(field: string): AppError {
  const details = [{ field, error: "bad_characters" as const }];
  return new AppError("validation_error", "A text holds a NUL or half of a surrogate pair.", { details });
}

async function readJson(request: Request): Promise<unknown> {
  const bytes = await readBytes(request);
  // No body is an empty one: the schema then says what is missing.
  if (bytes.byteLength === 0) return {};
  let parsed: unknown;
  let text: string;
  try {
    text = utf8.decode(bytes);
    parsed = JSON.parse(text);
  } catch {
    return refuse(new AppError("bad_request", "The body is not well-formed JSON in UTF-8."));
  }
  if (text.length > 2 * NESTING_MAX && isNestedDeeper(text, NESTING_MAX))
    return refuse(new AppError("bad_request", `The body nests more than ${NESTING_MAX} levels deep.`));
  // Only an escape can bring in a NUL or half a pair: the bytes are valid UTF-8, and raw control characters are not JSON.
  const bad = text.includes("\\u") ? findBadText(parsed) : undefined;
  return bad === undefined ? parsed : refuse(badCharacters(bad || "body"));
}

/** A body without a length is counted while it is read. */
async function readBytes(request: Request): Promise<ArrayBuffer | Uint8Array> {
  if (request.headers.has("content-length") || request.body === null) return request.arrayBuffer();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refuse(error: AppError): Refused {
  return { [refused]: error };
}

function tooLarge(): AppError {
  return new AppError("payload_too_large", "The body is larger than 1 MiB: send less at once.");
}
