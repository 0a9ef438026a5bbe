import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/** Keeps tokens and sessions unreadable at rest: AES-256-GCM, bound to the place where they are kept. */
export interface Cipher {
  /** @param place what the ciphertext belongs to, such as `account:3:10001`; opening it elsewhere fails */
  seal(plain: string, place: string): string;
  /** @throws Error when the ciphertext was changed, or sealed with another secret or for another place */
  open(sealed: string, place: string): string;
}

const KEY_VERSION = "v1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param secret any text of 16 characters or more; the key is its SHA-256 */
export function createCipher(secret: string): Cipher {
  const key = createHash("sha256").update(secret).digest();
  return {
    seal(plain, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return `${KEY_VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url")}`;
    },
    open(sealed, place) {
      const [version, encoded] = sealed.split(".", 2);
      if (version !== KEY_VERSION || encoded === undefined) throw new Error(`a secret is sealed with an unknown key version for ${place}`);
      const bytes = Buffer.from(encoded, "base64url");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString("utf8");
    },
  };
}
