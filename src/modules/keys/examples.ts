const shared = {
  id: "key_01HKQ9R2X30000000000000000",
  name: "production-sender",
  mode: "live",
  environment: "live",
  scopes: ["write:messages"],
  account_ids: null,
  source_addresses: null,
  rate_limit: 600,
  require_idempotency: false,
  expires_at: null,
  created_at: "2026-05-06T14:32:18.000Z",
};

export const keyExample = { ...shared, hint: "a4f9", revoked_at: null, last_used_at: null, updated_at: "2026-05-06T14:32:18.000Z" };

export const createdExample = { ...shared, key: "cs_live_a4f9_EXAMPLEexampleEXAMPLEexample00000000" };

export const meExample = {
  key_id: shared.id,
  name: shared.name,
  mode: "live",
  environment: "live",
  scopes: shared.scopes,
  workspace: { id: "ws_01HKQ9R2X30000000000000000", name: "Acme", plan: null },
  rate_limit: 600,
};
