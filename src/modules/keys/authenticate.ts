import type { Clock } from "#src/core/clock.ts";
import type { Principal } from "#src/core/principal.ts";
import { toPrincipal } from "./present.ts";
import { hashKey, isWellFormedKey } from "./secret.ts";
import { isWithin } from "./service.ts";
import type { KeyStore } from "./store.ts";

/** Keys that are kept ready; a business has a handful. */
const KEPT_MAX = 10_000;
/** `last_used_at` is written at most this often. */
const USED_EVERY_MS = 60_000;

interface Needs {
  store: KeyStore;
  clock: Clock;
  /** False where other copies share the database: they could have revoked a key a moment ago. */
  mayCache: boolean;
  /** Writes when a key was used last, beside the request. */
  noteUse(env_id: number, key_id: string, now: number): void;
}

interface Kept {
  principal: Principal;
  expires_at: number | null;
  revoked: boolean;
  source_addresses: string[] | null;
  notedAt: number;
}

/** Tells who a bearer key is. */
export interface Authenticator {
  /** @returns null for a key that is mistyped, unknown, revoked, expired or used from elsewhere than it may be */
  authenticate(key: string, address: string): Promise<Principal | null> | Principal | null;
  /** Whether a key that was let in would still be, for the same. */
  stillOpens(principal: Pick<Principal, "env_id" | "key_id" | "scopes">): Promise<boolean>;
  /** Keys have changed: look them all up anew. */
  forget(): void;
}

export function createAuthenticator({ store, clock, mayCache, noteUse }: Needs): Authenticator {
  const kept = new Map<string, Kept>();
  let changes = 0;

  async function lookUp(key: string): Promise<Kept | null> {
    if (!isWellFormedKey(key)) return null;
    const asOf = changes;
    const row = await store.byHash(hashKey(key));
    if (row === undefined) return null;
    const found: Kept = {
      principal: toPrincipal(row),
      expires_at: row.expires_at,
      revoked: row.revoked_at !== null,
      source_addresses: row.source_addresses === null ? null : (JSON.parse(row.source_addresses) as string[]),
      notedAt: row.last_used_at ?? 0,
    };
    // What was read before a change must not outlive it.
    if (mayCache && asOf === changes) {
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(key, found);
    }
    return found;
  }

  function judge(found: Kept | null, address: string): Principal | null {
    const now = clock.now();
    if (found === null || found.revoked || (found.expires_at !== null && found.expires_at <= now)) return null;
    if (found.source_addresses !== null && !isWithin(address, found.source_addresses)) return null;
    if (now - found.notedAt >= USED_EVERY_MS) {
      found.notedAt = now;
      noteUse(found.principal.env_id, found.principal.key_id, now);
    }
    return found.principal;
  }

  return {
    authenticate(key, address) {
      const ready = kept.get(key);
      if (ready !== undefined) return judge(ready, address);
      return lookUp(key).then((found) => judge(found, address));
    },
    async stillOpens({ env_id, key_id, scopes }) {
      const row = await store.get(env_id, key_id);
      if (row === undefined || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= clock.now())) return false;
      const now = JSON.parse(row.scopes) as string[];
      return now.length === scopes.size && now.every((scope) => scopes.has(scope));
    },
    forget() {
      changes++;
      kept.clear();
    },
  };
}
