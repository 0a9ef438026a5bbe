import { createCipheriv, createDecipheriv, createHash, createHmac, pbkdf2, randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { deflateSync, gunzipSync } from "node:zlib";
import { BaseCryptoProvider, type ICryptoProvider } from "@mtcute/core/utils.js";
import { ige256Decrypt, ige256Encrypt, initSync, SIMD_AVAILABLE } from "@mtcute/wasm";
import simdPath from "@mtcute/wasm/mtcute-simd.wasm" with { type: "file" };
import plainPath from "@mtcute/wasm/mtcute.wasm" with { type: "file" };

const derive = promisify(pbkdf2);

/**
 * What MTProto needs of cryptography: the runtime's own, and mtcute's wasm for AES in IGE mode, which the runtime lacks.
 * After `BunCryptoProvider` of @mtcute/bun, which does not run compiled: © alina sireneva, MIT, https://github.com/mtcute/mtcute
 */
class Crypto extends BaseCryptoProvider implements ICryptoProvider {
  initialize(): void {
    initSync(readFileSync(SIMD_AVAILABLE ? simdPath : plainPath));
  }

  sha1(data: Uint8Array): Uint8Array {
    return createHash("sha1").update(data).digest();
  }

  sha256(data: Uint8Array): Uint8Array {
    return createHash("sha256").update(data).digest();
  }

  hmacSha256(data: Uint8Array, key: Uint8Array): Uint8Array {
    return createHmac("sha256", key).update(data).digest();
  }

  pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number, keylen = 64, algorithm = "sha512"): Promise<Uint8Array> {
    return derive(password, salt, iterations, keylen, algorithm);
  }

  createAesCtr(key: Uint8Array, iv: Uint8Array, encrypt: boolean): { process(data: Uint8Array): Uint8Array } {
    const cipher = encrypt ? createCipheriv("aes-256-ctr", key, iv) : createDecipheriv("aes-256-ctr", key, iv);
    return { process: (data) => cipher.update(data) };
  }

  createAesIge(key: Uint8Array, iv: Uint8Array): { encrypt(data: Uint8Array): Uint8Array; decrypt(data: Uint8Array): Uint8Array } {
    return { encrypt: (data) => ige256Encrypt(data, key, iv), decrypt: (data) => ige256Decrypt(data, key, iv) };
  }

  /** @returns null where it would not become smaller than that */
  gzip(data: Uint8Array, maxSize: number): Uint8Array | null {
    const packed = deflateSync(data);
    return packed.length > maxSize ? null : packed;
  }

  gunzip(data: Uint8Array): Uint8Array {
    return gunzipSync(data);
  }

  override randomFill(buffer: Uint8Array): void {
    randomFillSync(buffer);
  }
}

export const crypto: ICryptoProvider = new Crypto();
