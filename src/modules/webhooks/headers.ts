import { invalidField } from "#src/core/errors.ts";

export const HEADERS_MAX = 20;
const VALUE_LENGTH_MAX = 1_024;
const NAME_LENGTH_MAX = 100;
/** In the place of a value that is never shown. */
export const HIDDEN = "[hidden]";

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Without a space at either end, which would not arrive. RFC 9110 section 5.5. */
const printable = /^[!-~](?:[ -~]*[!-~])?$/;
/** What the connection, the body and the signature are about is ours. */
const reserved = /^(host|content-.*|connection|transfer-encoding|keep-alive|upgrade|te|trailer|expect|proxy-.*|user-agent|webhook-.*)$/i;

/** The header with the signature of the body, and how it is written. */
interface SignatureSetting {
  header: string;
  format: "sha256=hex" | "hex";
}

export const defaultSignature: Readonly<SignatureSetting> = { header: "X-Signature", format: "sha256=hex" };

/** What a row says of it. @param row with `signature` as JSON; null for the default */
export function signatureOf({ signature }: { signature: string | null }): SignatureSetting {
  return signature === null ? { ...defaultSignature } : (JSON.parse(signature) as SignatureSetting);
}

/** @throws AppError `validation_error` on `signature.header` */
export function checkSignature({ header }: SignatureSetting): void {
  const field = "signature.header";
  if (!token.test(header)) throw invalidField(field, "bad_format", `${field} is the name of a header, such as X-Signature.`);
  if (reserved.test(header))
    throw invalidField(field, "not_allowed", `${field}: ${header} is a header of ours. Take another name.`, header);
}

/**
 * Looks at the headers of one's own. Nothing of a value gets into an error.
 * @throws AppError `validation_error` on the header that is wrong
 */
export function checkHeaders(headers: Readonly<Record<string, string>>, signature: SignatureSetting): void {
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const field = `headers.${name.slice(0, NAME_LENGTH_MAX)}`;
    const lower = name.toLowerCase();
    if (name.length > NAME_LENGTH_MAX || !token.test(name))
      throw invalidField(field, "bad_format", "The name of a header has letters, digits and -, 100 at most.");
    if (reserved.test(name)) throw invalidField(field, "not_allowed", `${name} is a header of ours: leave it out.`);
    if (lower === signature.header.toLowerCase())
      throw invalidField(
        field,
        "not_allowed",
        `${name} is the header of the signature: leave it out, or name another in signature.header.`,
      );
    if (seen.has(lower)) throw invalidField(field, "taken", `${name} stands there twice: case makes no difference.`);
    seen.add(lower);
    if (value === HIDDEN)
      throw invalidField(field, "not_allowed", `${HIDDEN} stands for a value that is not shown: give the value itself, of each header.`);
    if (value.length > VALUE_LENGTH_MAX)
      throw invalidField(field, "too_long", `The value of a header has ${VALUE_LENGTH_MAX} characters at most.`);
    if (!printable.test(value))
      throw invalidField(field, "bad_characters", "The value of a header is printable ASCII, without a space at its ends.");
  }
}

/** The same names with no value. */
export function hidden(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, HIDDEN]));
}
