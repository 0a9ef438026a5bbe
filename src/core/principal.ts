/** What a key may be allowed to do. */
export const scopes = [
  "read:messages",
  "write:messages",
  "read:contacts",
  "write:contacts",
  "read:analytics",
  "manage:sequences",
  "manage:webhooks",
  "manage:accounts",
  "manage:keys",
] as const;

export type Scope = (typeof scopes)[number];
export type Mode = "live" | "test";

/** Who asks: a key, and with it the one environment that it lives in. */
export interface Principal {
  key_id: string;
  name: string;
  env_id: number;
  mode: Mode;
  environment: { id: string; name: string };
  workspace: { id: string; name: string; plan: string | null };
  workspace_id: number;
  scopes: ReadonlySet<string>;
  /** Accounts that the key is bound to; null for all. */
  account_ids: ReadonlySet<number> | null;
  /** Requests a minute. */
  rate_limit: number;
  require_idempotency: boolean;
}

/** Whether a key may act through an account. */
export function mayUse({ account_ids }: Pick<Principal, "account_ids">, account_id: number | null): boolean {
  return account_ids === null || (account_id !== null && account_ids.has(account_id));
}
