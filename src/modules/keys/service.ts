import { BlockList, isIP, isIPv6 } from "node:net";
import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Mode, Principal } from "#src/core/principal.ts";
import { readTime } from "#src/core/time-field.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { CreatedKey, Key, KeyPatch, NewKey, RotateKey } from "./model.ts";
import { type Home, presentCreated, presentKey, withoutUse } from "./present.ts";
import { hashKey, makeKey } from "./secret.ts";
import type { KeyRow, KeyStore } from "./store.ts";

const OVERLAP_SECONDS = 86_400;

interface Needs {
  store: KeyStore;
  clock: Clock;
  /** A key was made, changed or ended: forget what is cached of keys. */
  keysChanged(): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Where a key is made or changed, and for the API by whom. */
export interface Maker {
  env_id: number;
  /** The key that asks; nothing for the command line. */
  key_id?: string;
  mode: Mode;
  environment: string;
  plan: string | null;
  /** Scopes that it may give; null from the command line, where all are. */
  scopes: ReadonlySet<string> | null;
  /** Accounts that it is bound to, and with it every key that it makes; nothing for all. */
  account_ids?: ReadonlySet<number> | null;
}

type NewRow = Omit<KeyRow, "hash" | "hint" | "id" | "created_at" | "updated_at">;

export type KeyService = ReturnType<typeof createKeyService>;

export function createKeyService({ store, clock, keysChanged, audit }: Needs) {
  async function find(tx: Tx, env_id: number, id: string): Promise<KeyRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("key");
    return row;
  }

  async function insert(tx: Tx, maker: Maker, row: NewRow, operation: string): Promise<CreatedKey> {
    const now = clock.now();
    const { key, hint } = makeKey(maker.mode);
    const complete = { ...row, id: newId("key", now), hash: hashKey(key), hint, created_at: now, updated_at: now };
    await store.insert(tx, complete);
    note(tx, maker, operation, null, complete);
    return presentCreated(complete, maker, key);
  }

  async function update(tx: Tx, maker: Maker, operation: string, before: KeyRow, values: Partial<KeyRow>): Promise<KeyRow> {
    const after = { ...before, ...values, updated_at: clock.now() };
    await store.update(tx, maker.env_id, before.id, { ...values, updated_at: after.updated_at });
    note(tx, maker, operation, before, after);
    tx.afterCommit(keysChanged);
    return after;
  }

  function note(tx: Tx, maker: Maker, operation: string, before: KeyRow | null, after: KeyRow): void {
    const was = before === null ? null : presentKey(before, maker);
    const entry = { operation, subject: after.id, before: was, after: presentKey(after, maker) };
    audit(tx, maker.env_id, { actor: maker.key_id ?? "command", ...entry });
  }

  return {
    /**
     * Makes a key in the maker's environment. The answer is the only one that shows it.
     * @throws AppError `forbidden` for a scope or an account that the maker lacks, `validation_error` for a past expiry or a bad address
     */
    create(tx: Tx, maker: Maker, ask: NewKey): Promise<CreatedKey> {
      const account_ids = ask.account_ids === undefined ? [...(maker.account_ids ?? [])] : ask.account_ids;
      checkReach(maker, ask.scopes, account_ids);
      const expires_at = parseExpiry(ask.expires_at ?? null, clock.now());
      for (const range of ask.source_addresses ?? []) checkRange(range);
      const row = {
        env_id: maker.env_id,
        name: ask.name,
        scopes: JSON.stringify(ask.scopes),
        account_ids: account_ids === null || account_ids.length === 0 ? null : JSON.stringify(account_ids),
        source_addresses: ask.source_addresses ? JSON.stringify(ask.source_addresses) : null,
        rate_limit: ask.rate_limit ?? null,
        require_idempotency: ask.require_idempotency === true ? 1 : 0,
        expires_at,
        revoked_at: null,
        last_used_at: null,
      };
      return insert(tx, maker, row, "keys.create");
    },

    /** @throws AppError `not_found` */
    async get(home: Home & { env_id: number }, id: string): Promise<Key> {
      const row = await store.get(home.env_id, id);
      if (row === undefined) throw notFound("key");
      return presentKey(row, home);
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(home: Home & { env_id: number }, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Key>> {
      const after = cursor === undefined ? null : decodeCursor("keys", home.env_id, cursor);
      const rows = await store.page(home.env_id, after, offset, limit + 1);
      const total = await store.count(home.env_id);
      const ask = { list: "keys", env_id: home.env_id, limit, offset };
      return toPage(
        rows,
        ask,
        { total, capped: false },
        (row) => presentKey(row, home),
        (row) => row.id,
      );
    },

    /** Renames a key. @throws AppError `not_found`; what `check` throws */
    async patch(tx: Tx, maker: Maker, id: string, { name }: KeyPatch, check: Precondition): Promise<Key> {
      const before = await find(tx, maker.env_id, id);
      check(withoutUse(presentKey(before, maker)));
      return presentKey(await update(tx, maker, "keys.patch", before, name === undefined ? {} : { name }), maker);
    },

    /**
     * Makes a successor with the same settings; the old key works until the overlap ends.
     * @throws AppError `not_found`, `conflict` for a key that works no longer, `forbidden` when the maker lacks one of its scopes or accounts
     */
    async rotate(tx: Tx, maker: Maker, id: string, { overlap_seconds = OVERLAP_SECONDS }: RotateKey): Promise<CreatedKey> {
      const now = clock.now();
      const old = await find(tx, maker.env_id, id);
      if (old.revoked_at !== null || (old.expires_at !== null && old.expires_at <= now))
        throw new AppError("conflict", "This key works no longer: make a new one instead.");
      checkReach(maker, JSON.parse(old.scopes) as string[], JSON.parse(old.account_ids ?? "null") as number[] | null);
      const ends = now + overlap_seconds * 1000;
      const until = overlap_seconds === 0 ? { revoked_at: now } : { expires_at: Math.min(ends, old.expires_at ?? ends) };
      await update(tx, maker, "keys.rotate", old, until);
      const { id: _id, hash: _hash, hint: _hint, created_at: _made, updated_at: _changed, ...settings } = old;
      return insert(tx, maker, { ...settings, last_used_at: null }, "keys.rotate");
    },

    /** Ends a key at once. Ending it twice is no error. @throws AppError `not_found` */
    async revoke(tx: Tx, maker: Maker, id: string): Promise<void> {
      const row = await find(tx, maker.env_id, id);
      if (row.revoked_at === null) await update(tx, maker, "keys.revoke", row, { revoked_at: clock.now() });
    },
  };
}

/** A key can't give what it lacks. @throws AppError `forbidden` */
function checkReach(maker: Maker, scopes: readonly string[], account_ids: readonly number[] | null): void {
  const lacking = scopes.find((scope) => maker.scopes !== null && !maker.scopes.has(scope));
  if (lacking !== undefined)
    throw new AppError("forbidden", `A key can't give the scope ${lacking}, which it lacks itself.`, {
      members: { required_scope: lacking },
    });
  const own = maker.account_ids ?? null;
  if (own !== null && (account_ids === null || !account_ids.every((id) => own.has(id))))
    throw new AppError("forbidden", "A key that is bound to accounts can't make one for others.");
}

/** The maker that a request's own key is. */
export function makerOf(principal: Principal): Maker {
  const { env_id, key_id, mode, environment, workspace, scopes, account_ids } = principal;
  return { env_id, key_id, mode, environment: environment.name, plan: workspace.plan, scopes, account_ids };
}

function parseExpiry(text: string | null, now: number): number | null {
  if (text === null) return null;
  const at = readTime("expires_at", text);
  if (at <= now) throw invalidField("expires_at", "too_small", "expires_at lies in the past.", text);
  return at;
}

/** @throws AppError `validation_error` unless it is an address or a CIDR range */
function checkRange(range: string): void {
  const [address = "", bits, ...rest] = range.split("/");
  const most = isIPv6(address) ? 128 : 32;
  const good = isIP(address) !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
  if (!good) throw invalidField("source_addresses", "bad_format", "Give addresses or ranges such as 203.0.113.0/24.", range);
}

/** Whether an address lies in one of the ranges; both as written by people. */
export function isWithin(address: string, ranges: readonly string[]): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [base = "", bits] = range.split("/");
    const family = isIPv6(base) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(base, family);
    else list.addSubnet(base, Number(bits), family);
  }
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}
