import type { Cipher } from "#src/core/cipher.ts";
import type { FeedEvent } from "./backlog.ts";
import { compileFilter, type Filter } from "./filter.ts";
import { signatureOf } from "./headers.ts";
import { type RetryPolicy, retryOf } from "./retry-policy.ts";
import { openHeaders, openSecrets, type Secret } from "./secrets.ts";
import type { SignatureForm } from "./signing.ts";
import { subscribes } from "./subscription.ts";
import type { EndpointRow } from "./delivering-sql.ts";

/** An endpoint as delivering uses it: its row, read once. */
export interface Endpoint {
  readonly env_id: number;
  readonly id: string;
  readonly url: string;
  /** Neither paused nor disabled nor deleted. */
  readonly isOpen: boolean;
  readonly headers: readonly (readonly [string, string])[];
  readonly signature: SignatureForm;
  readonly retry: RetryPolicy;
  /** Newest first; those that have ended among them. */
  readonly secrets: readonly Secret[];
  /** Whether it is to get this event. */
  takes(event: FeedEvent): boolean;
}

export function readEndpoint(cipher: Cipher, row: EndpointRow): Endpoint {
  const events = JSON.parse(row.events) as string[];
  const fits = row.filter === null ? null : compileFilter(JSON.parse(row.filter) as Filter);
  const byType = new Map<string, boolean>();
  return {
    env_id: row.env_id,
    id: row.id,
    url: row.url,
    isOpen: row.paused === 0 && row.disabled_at === null && row.deleted_at === null,
    headers: Object.entries(openHeaders(cipher, row)),
    signature: signatureOf(row),
    retry: retryOf(row),
    secrets: openSecrets(cipher, row),
    takes(event) {
      const { type } = event;
      let takes = byType.get(type);
      if (takes === undefined) byType.set(type, (takes = subscribes(events, type)));
      return takes && (fits === null || fits(event.event));
    },
  };
}

/** The secrets that count at a time (ms), the one that the receiver last accepted first. */
export function liveSecrets({ secrets }: Pick<Endpoint, "secrets">, accepted: number | null, now: number): readonly Secret[] {
  if (secrets.length === 1) return secrets;
  const live = secrets.filter(({ expires_at }) => expires_at === null || expires_at > now);
  const first = live.findIndex(({ number }) => number === accepted);
  return first <= 0 ? live : [live[first]!, ...live.toSpliced(first, 1)];
}
