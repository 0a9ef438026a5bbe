import { generateKeyPairSync } from "node:crypto";
import { bigint } from "@fuman/utils";
import type { Long } from "@mtcute/core";
import { write } from "#test/support/data-center/tl/write.ts";
import { longOf, sha1 } from "./hash.ts";

/** The key by which a data centre proves who it is. */
export interface ServerKey {
  publicKeyPem: string;
  fingerprint: Long;
  decrypt(encrypted: Uint8Array): Uint8Array;
}

export function generateServerKey(): ServerKey {
  for (;;) {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { n, e, d } = privateKey.export({ format: "jwk" });
    const [modulus, exponent, secret] = [numberOf(n), numberOf(e), numberOf(d)];
    const written = write(512, (writer) => {
      writer.bytes(bigint.toBytes(modulus));
      writer.bytes(bigint.toBytes(exponent));
    });
    const fingerprint = sha1(written).slice(-8);
    // mtcute compares fingerprints as hex of which one side is not padded: 1 key in 16 would never match.
    if ((fingerprint[7] ?? 0) < 16) continue;
    return {
      publicKeyPem: publicKey.export({ type: "pkcs1", format: "pem" }),
      fingerprint: longOf(fingerprint),
      decrypt: (encrypted) => bigint.toBytes(bigint.modPowBinary(bigint.fromBytes(encrypted), secret, modulus), 256),
    };
  }
}

function numberOf(base64url = ""): bigint {
  return BigInt(`0x${Buffer.from(base64url, "base64url").toString("hex")}`);
}
