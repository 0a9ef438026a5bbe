import { toTime } from "#src/core/clock.ts";
import type { Account, AccountStatus } from "./model.ts";
import type { AccountRow } from "./store.ts";

/** An account with nothing set. */
export function blank(env_id: number, id: number, now: number): AccountRow {
  return {
    env_id,
    id,
    kind: "",
    name: "",
    username: null,
    telegram_id: null,
    status: "connected",
    status_reason: null,
    token: null,
    paused: 0,
    timezone: "UTC",
    daily_cap: null,
    phone: null,
    proxy: null,
    new_peer_daily_cap: null,
    gap_seconds: null,
    quiet_hours: null,
    restricted_until: null,
    restrictions: 0,
    login_blocked_until: null,
    deleted_at: null,
    created_at: now,
    updated_at: now,
  };
}

/** The only way from a row to what clients see. */
export function present(row: AccountRow): Account {
  return {
    id: row.id,
    kind: row.kind as Account["kind"],
    name: row.name,
    username: row.username,
    telegram_id: row.telegram_id,
    status: row.paused === 1 && row.status === "connected" ? "paused" : (row.status as AccountStatus),
    status_reason: row.status_reason,
    paused: row.paused === 1,
    timezone: row.timezone,
    daily_cap: row.daily_cap,
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}
