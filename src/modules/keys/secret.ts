import { randomBytes } from "node:crypto";
import type { Mode } from "#src/core/principal.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 28 characters of base62 carry 166 bits. */
const SECRET_LENGTH = 28;
const CHECKSUM_LENGTH = 6;
const HINT_LENGTH = 4;

const form = new RegExp(`^cs_(live|test)_([a-z0-9]{${HINT_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`);

/** A new key: `cs_<mode>_<hint>_<secret><checksum>`. The hint tells keys apart in lists and is no part of the secret. */
export function makeKey(mode: Mode): { key: string; hint: string } {
  const hint = randomText(HINT_LENGTH, ALPHABET.toLowerCase().slice(0, 36));
  const body = `cs_${mode}_${hint}_${randomText(SECRET_LENGTH, ALPHABET)}`;
  return { key: body + checksum(body), hint };
}

/** True when the key is well formed and its checksum fits, so that a mistyped key needs no look-up. */
export function isWellFormedKey(key: string): boolean {
  if (!form.test(key)) return false;
  return checksum(key.slice(0, -CHECKSUM_LENGTH)) === key.slice(-CHECKSUM_LENGTH);
}

/** What is stored of a key: SHA-256 in hex. A key has enough random bits to need no salt and no slow hash. */
export function hashKey(key: string): string {
  return new Bun.CryptoHasher("sha256").update(key).digest("hex");
}

function checksum(text: string): string {
  let rest = Bun.hash.crc32(text);
  let encoded = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    encoded = ALPHABET[rest % 62] + encoded;
    rest = Math.floor(rest / 62);
  }
  return encoded;
}

/** Bytes past the last multiple of the alphabet's length are thrown away, so that every character is equally likely. */
function randomText(length: number, alphabet: string): string {
  const limit = 256 - (256 % alphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < limit && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
