import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync, randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { BaseCryptoProvider, type IAesCtr, type ICryptoProvider, type IEncryptionScheme } from "@mtcute/core/utils.js";
import { deflateMaxSize, gunzip, ige256Decrypt, ige256Encrypt, initSync } from "@mtcute/wasm";
import { sha1, sha256 } from "./hash.ts";

initSync(readFileSync(Bun.fileURLToPath(import.meta.resolve("@mtcute/wasm/mtcute-simd.wasm"))));

class Crypto extends BaseCryptoProvider implements ICryptoProvider {
  sha1 = (data: Uint8Array): Uint8Array => sha1(data);
  sha256 = (data: Uint8Array): Uint8Array => sha256(data);
  gunzip = gunzip;
  gzip = deflateMaxSize;

  override randomFill(buffer: Uint8Array): void {
    randomFillSync(buffer);
  }

  pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number, length = 64, algorithm = "sha512"): Uint8Array {
    return new Uint8Array(pbkdf2Sync(password, salt, iterations, length, algorithm));
  }

  hmacSha256(data: Uint8Array, key: Uint8Array): Uint8Array {
    return new Uint8Array(createHmac("sha256", key).update(data).digest());
  }

  createAesCtr(key: Uint8Array, iv: Uint8Array, encrypt: boolean): IAesCtr {
    return aesCtr(key, iv, encrypt);
  }

  createAesIge(key: Uint8Array, iv: Uint8Array): IEncryptionScheme {
    return { encrypt: (data) => ige256Encrypt(data, key, iv), decrypt: (data) => ige256Decrypt(data, key, iv) };
  }
}

export function aesCtr(key: Uint8Array, iv: Uint8Array, encrypt: boolean): IAesCtr {
  const cipher = (encrypt ? createCipheriv : createDecipheriv)("aes-256-ctr", key, iv);
  return { process: (data) => new Uint8Array(cipher.update(data)) };
}

/** For the data centre and for the clients of tests; of what mtcute needs, only AES-IGE is not in Node. */
export const crypto: ICryptoProvider = new Crypto();
