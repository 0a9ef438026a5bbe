export interface AccountRow {
  env_id: number;
  id: number;
  kind: string;
  name: string;
  username: string | null;
  telegram_id: number | null;
  status: string;
  status_reason: string | null;
  /** Sealed by core/cipher for `account:<env>:<id>`. */
  token: string | null;
  paused: number;
  timezone: string;
  daily_cap: number | null;
  /** Of a user account: `+` and digits. */
  phone: string | null;
  /** Sealed by core/cipher for `proxy:<env>:<id>`. */
  proxy: string | null;
  new_peer_daily_cap: number | null;
  /** JSON: [shortest, longest]. */
  gap_seconds: string | null;
  /** JSON: `{from, to}` in the account's timezone. */
  quiet_hours: string | null;
  /** Until when Telegram lets it write to nobody new. */
  restricted_until: number | null;
  /** How often in a row that has happened. */
  restrictions: number;
  login_blocked_until: number | null;
  deleted_at: number | null;
  created_at: number;
  updated_at: number;
}

/** Sends that an account with a daily cap has taken, by day of its own timezone (`2026-05-06`). */
export interface AccountDayRow {
  env_id: number;
  account_id: number;
  day: string;
  taken: number;
  /** Those of them to people whom the account had not written with before. */
  new_peers: number;
}

/** Chats that an account has had: what `@username` means to it. */
export interface ChatRow {
  env_id: number;
  account_id: number;
  chat_id: string;
  type: string;
  username: string | null;
  first_name: string | null;
  last_name: string | null;
  /** Of a group. */
  title: string | null;
  /** Since when the account can't write there, as it was told. */
  blocked_at: number | null;
  updated_at: number;
}
