import type { Cipher } from "#src/core/cipher.ts";

/** One of an endpoint's secrets. */
export interface Secret {
  /** Grows by one with each rotation: by it the state says which of them the receiver last accepted. */
  number: number;
  /** As it was shown, with its `whsec_` where it has one. */
  text: string;
  /** When it ends (ms); null for the present one. */
  expires_at: number | null;
}

interface Place {
  env_id: number;
  id: string;
}

const placeOf = ({ env_id, id }: Place) => `webhook:${env_id}:${id}`;

/** @param secrets newest first */
export function sealSecrets(cipher: Cipher, place: Place, secrets: readonly Secret[]): string {
  return cipher.seal(JSON.stringify(secrets), placeOf(place));
}

/** @returns newest first; the first one is the present one. Those that have ended are among them still */
export function openSecrets(cipher: Cipher, row: Place & { secrets: string }): Secret[] {
  return JSON.parse(cipher.open(row.secrets, placeOf(row))) as Secret[];
}

/** Headers of one's own can hold a token: they are sealed as secrets are. */
export function sealHeaders(cipher: Cipher, place: Place, headers: Readonly<Record<string, string>>): string | null {
  return Object.keys(headers).length === 0 ? null : cipher.seal(JSON.stringify(headers), `${placeOf(place)}:headers`);
}

export function openHeaders(cipher: Cipher, row: Place & { headers: string | null }): Record<string, string> {
  return row.headers === null ? {} : (JSON.parse(cipher.open(row.headers, `${placeOf(row)}:headers`)) as Record<string, string>);
}
