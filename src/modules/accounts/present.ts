import { toTime } from "#src/core/clock.ts";
import { dayOf, nextDayAt } from "./day.ts";
import { type Account, type AccountKind, type AccountStatus, GAP_HOLD, type QuietHours } from "./model.ts";
import type { AccountRow } from "./store.ts";

/** An account that has not proved itself for longer is not called connected. */
const PROOF_MS_MAX = 300_000;

/** How an account stands: what is no setting of it. */
export interface Standing {
  proof_at: number | null;
  error: string | null;
  error_at: number | null;
  held_until: number | null;
  hold_reason: string | null;
  /** Something of its queue is due. */
  waits: boolean;
  /** Of today's, where it has caps. */
  taken: number;
  new_peers: number;
}

/** Of an account that is new. */
export const unproved: Standing = {
  ...{ proof_at: null, error: null, error_at: null, held_until: null, hold_reason: null },
  ...{ waits: false, taken: 0, new_peers: 0 },
};

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
export function present(row: AccountRow, standing: Standing, now: number): Account {
  const { status, status_reason } = statusOf(row, standing, now);
  return {
    id: row.id,
    kind: row.kind as AccountKind,
    name: row.name,
    username: row.username,
    telegram_id: row.telegram_id,
    phone: row.phone,
    status,
    status_reason,
    last_proof_at: toTime(standing.proof_at),
    last_error: standing.error_at === null ? null : { at: toTime(standing.error_at), message: standing.error ?? "" },
    lane: laneState(row, standing, now),
    budget: budgetOf(row, standing, now),
    restricted_until: row.restricted_until !== null && row.restricted_until > now ? toTime(row.restricted_until) : null,
    paused: row.paused === 1,
    timezone: row.timezone,
    daily_cap: row.daily_cap,
    new_peer_daily_cap: row.new_peer_daily_cap,
    gap_seconds: row.gap_seconds === null ? null : (JSON.parse(row.gap_seconds) as [number, number]),
    quiet_hours: row.quiet_hours === null ? null : (JSON.parse(row.quiet_hours) as QuietHours),
    has_proxy: row.proxy !== null,
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

/** What an ETag stands for: what a client can change, and not what changes by itself every minute. */
export function settingsOf({ last_proof_at: _proof, last_error: _error, lane: _lane, budget: _budget, ...settings }: Account): object {
  return settings;
}

function statusOf(row: AccountRow, { proof_at, error }: Standing, now: number): Pick<Account, "status" | "status_reason"> {
  const { status_reason } = row;
  if (row.status !== "connected") return { status: row.status as AccountStatus, status_reason };
  if (row.paused === 1) return { status: "paused", status_reason };
  if (row.kind === "sandbox" || (proof_at !== null && now - proof_at <= PROOF_MS_MAX)) return { status: "connected", status_reason };
  return { status: "connecting", status_reason: error ?? "There was no round trip to Telegram in the last five minutes." };
}

function laneState(row: AccountRow, { held_until, hold_reason, waits }: Standing, now: number): Account["lane"] {
  if (row.paused === 1 || row.status !== "connected") return { state: "paused", held_until: null, reason: row.status_reason };
  // A gap between two sends is the account's pace, and nothing that asks for patience.
  if (held_until !== null && held_until > now && hold_reason !== GAP_HOLD)
    return { state: "held", held_until: toTime(held_until), reason: hold_reason };
  return { state: waits ? "paced" : "free", held_until: null, reason: null };
}

function budgetOf(row: AccountRow, { taken, new_peers }: Standing, now: number): Account["budget"] {
  if (row.daily_cap === null && row.new_peer_daily_cap === null) return null;
  const left = (cap: number | null, used: number) => (cap === null ? null : Math.max(0, cap - used));
  return {
    day: dayOf(now, row.timezone),
    sent: taken,
    remaining: left(row.daily_cap, taken),
    new_peers,
    new_peers_remaining: left(row.new_peer_daily_cap, new_peers),
    resets_at: toTime(nextDayAt(now, row.timezone)),
  };
}
