import { toTime } from "#src/core/clock.ts";
import type { Mode, Principal, Scope } from "#src/core/principal.ts";
import { DEFAULT_RATE_LIMIT, type Plan, planLimits } from "#src/modules/workspaces/model.ts";
import type { CreatedKey, Key, Me } from "./model.ts";
import type { FoundKey, KeyRow } from "./store.ts";

/** What a key's environment adds to its row. */
export interface Home {
  mode: Mode;
  environment: string;
  plan: string | null;
}

export function presentKey(row: KeyRow, home: Home): Key {
  return {
    ...shared(row, home),
    hint: row.hint,
    revoked_at: toTime(row.revoked_at),
    last_used_at: toTime(row.last_used_at),
    updated_at: toTime(row.updated_at),
  };
}

/** What an ETag speaks for: that a key was used is no change of it. */
export function withoutUse({ last_used_at: _at, ...rest }: Key): Omit<Key, "last_used_at"> {
  return rest;
}

export function presentCreated(row: KeyRow, home: Home, key: string): CreatedKey {
  return { ...shared(row, home), key };
}

function shared(row: KeyRow, home: Home) {
  return {
    id: row.id,
    name: row.name,
    mode: home.mode,
    environment: home.environment,
    scopes: JSON.parse(row.scopes) as Scope[],
    account_ids: row.account_ids === null ? null : (JSON.parse(row.account_ids) as number[]),
    source_addresses: row.source_addresses === null ? null : (JSON.parse(row.source_addresses) as string[]),
    rate_limit: row.rate_limit ?? planLimit(home.plan),
    require_idempotency: row.require_idempotency === 1,
    expires_at: toTime(row.expires_at),
    created_at: toTime(row.created_at),
  };
}

export function toPrincipal(row: FoundKey): Principal {
  return {
    key_id: row.id,
    name: row.name,
    env_id: row.env_id,
    mode: row.mode as Mode,
    environment: { id: row.environment_id, name: row.environment_name },
    workspace: { id: row.workspace_id, name: row.workspace_name, plan: row.plan },
    workspace_id: row.workspace_number,
    scopes: new Set(JSON.parse(row.scopes) as string[]),
    account_ids: row.account_ids === null ? null : new Set(JSON.parse(row.account_ids) as number[]),
    rate_limit: row.rate_limit ?? planLimit(row.plan),
    require_idempotency: row.require_idempotency === 1,
  };
}

export function presentMe(principal: Principal): Me {
  return {
    key_id: principal.key_id,
    name: principal.name,
    mode: principal.mode,
    environment: principal.environment.name,
    scopes: [...principal.scopes] as Scope[],
    workspace: principal.workspace,
    rate_limit: principal.rate_limit,
  };
}

function planLimit(plan: string | null): number {
  return plan === null ? DEFAULT_RATE_LIMIT : planLimits[plan as Plan];
}
