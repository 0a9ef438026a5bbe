/** A file in a form. */
export interface FormFile {
  /** By which the other fields name it, as `attach://name`. */
  field: string;
  name: string;
  mime: string | null;
  bytes: Blob;
}

/** A body that is read piece by piece, of a length that is known before. */
export interface FormBody {
  contentType: string;
  length: number;
  pieces: AsyncGenerator<Uint8Array>;
}

const encoder = new TextEncoder();
/** Of a received file it is what its sender says: https://www.rfc-editor.org/rfc/rfc6838#section-4.2 */
const MIME = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;
const UNKNOWN = "application/octet-stream";

/**
 * A `multipart/form-data` whose files are read only as they leave: https://www.rfc-editor.org/rfc/rfc7578
 * @param json the fields; those that are no texts are sent as JSON, as the Bot API asks for
 */
export function toForm(json: string, files: readonly FormFile[]): FormBody {
  const boundary = `posthouse-${crypto.randomUUID()}`;
  const heads: { head: Uint8Array; bytes: Blob | null }[] = [];
  const open = (disposition: string, rest: string, bytes: Blob | null) =>
    heads.push({ head: encoder.encode(`--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n${rest}`), bytes });
  for (const [name, value] of Object.entries(JSON.parse(json) as Record<string, unknown>))
    open(`name="${name}"`, `\r\n${typeof value === "string" ? value : JSON.stringify(value)}\r\n`, null);
  for (const { field, name, mime, bytes } of files)
    open(
      `name="${field}"; filename="${quoted(name)}"`,
      `Content-Type: ${mime !== null && MIME.test(mime) ? mime : UNKNOWN}\r\n\r\n`,
      bytes,
    );
  const end = encoder.encode(`--${boundary}--\r\n`);
  const length = heads.reduce((sum, { head, bytes }) => sum + head.byteLength + (bytes === null ? 0 : bytes.size + 2), end.byteLength);

  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const { head, bytes } of heads) {
      yield head;
      if (bytes === null) continue;
      yield* bytes.stream();
      yield encoder.encode("\r\n");
    }
    yield end;
  }
  return { contentType: `multipart/form-data; boundary=${boundary}`, length, pieces: pieces() };
}

/** https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function quoted(name: string): string {
  return name.toWellFormed().replace(/["\r\n]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`);
}
