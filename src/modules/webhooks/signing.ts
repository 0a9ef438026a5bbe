const PREFIX = "whsec_";

/** How the plain signature is written. */
export interface SignatureForm {
  header: string;
  format: "sha256=hex" | "hex";
}

/**
 * HMAC-SHA256 of the body alone, keyed with the secret's UTF-8 bytes as it was shown.
 * @returns what the header says
 */
export function plainSignature(secret: string, body: string | Uint8Array, format: SignatureForm["format"]): string {
  const hex = new Bun.CryptoHasher("sha256", secret).update(body).digest("hex");
  return format === "hex" ? hex : `sha256=${hex}`;
}

/**
 * The signature of Standard Webhooks, one for each secret.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @param timestamp whole seconds since 1970
 */
export function standardSignature(secrets: readonly string[], id: string, timestamp: number, body: string | Uint8Array): string {
  const sign = (secret: string) =>
    `v1,${new Bun.CryptoHasher("sha256", keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest("base64")}`;
  return secrets.length === 1 ? sign(secrets[0]!) : secrets.map(sign).join(" ");
}

function keyOf(secret: string): string | Uint8Array {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), "base64") : secret;
}
