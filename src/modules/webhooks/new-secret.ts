import { randomBytes } from "node:crypto";
import { invalidField } from "#src/core/errors.ts";

const PREFIX = "whsec_";
const MADE_BYTES = 32;
const BYTES_MIN = 24;
const BYTES_MAX = 64;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A secret in the form of Standard Webhooks. https://github.com/standard-webhooks/standard-webhooks */
export function makeSecret(): string {
  return PREFIX + randomBytes(MADE_BYTES).toString("base64");
}

/** Looks at a secret of one's own, of which nothing gets into an error. @throws AppError `validation_error` on `secret` */
export function checkSecret(secret: string): void {
  if (!secret.startsWith(PREFIX)) {
    if (Buffer.byteLength(secret) < BYTES_MIN)
      throw invalidField(
        "secret",
        "too_short",
        `secret has ${BYTES_MIN} bytes or more: take a longer one, or leave it out and get one made.`,
      );
    return;
  }
  const encoded = secret.slice(PREFIX.length);
  if (!base64.test(encoded)) throw invalidField("secret", "bad_format", `After ${PREFIX} secret is standard base64, with its =.`);
  const bytes = Buffer.from(encoded, "base64").length;
  if (bytes < BYTES_MIN) throw invalidField("secret", "too_short", `After ${PREFIX} secret is the base64 of ${BYTES_MIN} bytes or more.`);
  if (bytes > BYTES_MAX) throw invalidField("secret", "too_long", `After ${PREFIX} secret is the base64 of ${BYTES_MAX} bytes at most.`);
}
