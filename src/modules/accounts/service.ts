import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { decodeNumberCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import { type Budget, QUIET_HOLD } from "./budget.ts";
import { type AccountChanges, laneOf } from "./changes.ts";
import {
  type Account,
  type AccountPatch,
  type BotCheck,
  type BotGate,
  DAILY_CAP_HOLD,
  FIRST_ACCOUNT_ID,
  type NewAccount,
  SANDBOX_ACCOUNT_ID,
  type UserGate,
} from "./model.ts";
import { checkPatch } from "./patch.ts";
import { blank, present, settingsOf, unproved } from "./present.ts";
import type { AccountRow, AccountStore } from "./store.ts";
import type { Vault } from "./vault.ts";

interface Needs {
  store: AccountStore;
  clock: Clock;
  vault: Vault;
  budget: Budget;
  changes: AccountChanges;
  gate: BotGate;
  /** Logs user accounts in; null where the program has no api_id. */
  userGate: Pick<UserGate, "cancel"> | null;
  nextNumber(tx: Tx, name: string, first: number): Promise<number>;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  /** Ends a lane's wait where this is its reason. */
  releaseLane(tx: Tx, env_id: number, lane: string, reason: string): Promise<void>;
}

/** A bot that Telegram knows. */
export type KnownBot = Extract<BotCheck, { kind: "ok" }>;

export type AccountService = ReturnType<typeof createAccountService>;

/** Accounts that are asked about together. */
const SHOWN_MAX = 200;

/** What a new user account may do: https://core.telegram.org/api/errors has no figures; these are careful ones. */
const CAREFUL = { daily_cap: 50, new_peer_daily_cap: 10, gap_seconds: "[2,6]" };

export function createAccountService(needs: Needs) {
  const { store, clock, vault, budget, changes, gate } = needs;
  const { show } = changes;

  async function find(tx: Tx, env_id: number, id: number): Promise<AccountRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("account");
    return row;
  }

  async function check(tx: Tx, row: AccountRow, wanted: Precondition): Promise<void> {
    if (wanted !== unconditional) wanted(settingsOf(await show(tx, row)));
  }

  function botRow(row: AccountRow, { token = "", name }: NewAccount, bot: KnownBot): AccountRow {
    const { username, telegram_id } = bot;
    return { ...row, kind: "telegram_bot", name: name ?? bot.name, username, telegram_id, token: vault.sealToken(row, token) };
  }

  function userRow(row: AccountRow, { phone, name, proxy }: NewAccount): AccountRow {
    const sealed = proxy === undefined ? null : vault.sealProxy(row, proxy);
    const named = { name: name ?? phone ?? `Account ${row.id}`, phone: phone ?? null, proxy: sealed };
    return { ...row, ...CAREFUL, ...named, kind: "telegram_user", status: "login_required" };
  }

  return {
    /** Gives a test environment its sandbox account. */
    async furnishSandbox(tx: Tx, env_id: number): Promise<void> {
      const now = clock.now(env_id);
      const row = { ...blank(env_id, SANDBOX_ACCOUNT_ID, now), kind: "sandbox", name: "Sandbox", username: "posthouse_sandbox" };
      await store.insert(tx, row);
      await needs.addLane(tx, env_id, laneOf(row.id));
    },

    /**
     * Asks Telegram about what a new account says of itself.
     * @returns the bot; null of a user account, which is logged in later
     * @throws AppError `conflict` in a test environment, which never touches the network, and for a user account where the program has no api_id; `validation_error`; `unavailable` when Telegram can't be reached
     */
    async ask(principal: Pick<Principal, "mode">, account: NewAccount): Promise<KnownBot | null> {
      const allowed = account.kind === "telegram_bot" ? ["token"] : ["phone", "proxy"];
      for (const field of ["token", "phone", "proxy"] as const)
        if (account[field] !== undefined && !allowed.includes(field))
          throw invalidField(field, "not_allowed", `${field} is nothing that a ${account.kind} has.`);
      if (account.kind === "telegram_bot") {
        if (account.token === undefined) throw invalidField("token", "required", "A bot needs its token, as @BotFather gave it.");
        return this.askBot(principal, account.token);
      }
      refuseInTest(principal);
      if (needs.userGate === null)
        throw new AppError(
          "conflict",
          "User accounts need TELEGRAM_API_ID and TELEGRAM_API_HASH, from https://my.telegram.org: set them and start again.",
        );
      checkPatch(account);
      return null;
    },

    /**
     * Asks Telegram about an account's new token, once nothing else speaks against the change.
     * @throws AppError `not_found`; as `ask`; what `wanted` throws
     */
    async askAgain(
      principal: Pick<Principal, "mode" | "env_id">,
      id: number,
      patch: AccountPatch,
      wanted: Precondition,
    ): Promise<KnownBot> {
      const account = await this.get(principal.env_id, id);
      wanted(settingsOf(account));
      checkPatch(patch, account.kind);
      return this.askBot(principal, patch.token!);
    },

    /** Asks Telegram whose token this is. @throws AppError as `ask` */
    async askBot(principal: Pick<Principal, "mode">, token: string): Promise<KnownBot> {
      refuseInTest(principal);
      const check = await gate.check(token);
      if (check.kind === "ok") return check;
      if (check.kind === "refused")
        throw invalidField("token", "refused", "Telegram does not accept this token. Copy it again from @BotFather.");
      throw new AppError("unavailable", "Telegram could not be reached to check the token. Nothing was stored; repeat.", {
        retryAfter: 10,
      });
    },

    /**
     * Connects a bot that Telegram has vouched for, or takes a user account in, which then waits for its login.
     * @throws AppError `conflict` when the bot is here already
     */
    async create(tx: Tx, env_id: number, ask: NewAccount, bot: KnownBot | null, actor: string): Promise<Account> {
      // Who takes a number waits for those before: a twin of this request is seen then.
      const id = await needs.nextNumber(tx, "accounts", FIRST_ACCOUNT_ID);
      const namesake = bot === null ? undefined : await store.byTelegramId(tx, env_id, "telegram_bot", bot.telegram_id);
      if (namesake !== undefined) throw new AppError("conflict", `This bot is here already, as account ${namesake.id}.`);
      const now = clock.now(env_id);
      const base = blank(env_id, id, now);
      const row = bot === null ? userRow(base, ask) : botRow(base, ask, bot);
      await store.insert(tx, row);
      if (bot !== null) await store.begin(tx, env_id, id, null, now);
      await needs.addLane(tx, env_id, laneOf(id));
      await changes.syncLane(tx, row);
      if (bot !== null) await changes.tell(tx, row, "account.connected", actor);
      const account = await show(tx, row);
      needs.audit(tx, env_id, { actor, operation: "accounts.create", subject: String(id), before: null, after: told(row) });
      return account;
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: number): Promise<Account> {
      const row = await store.find(null, env_id, id);
      if (row === undefined || row.deleted_at !== null) throw notFound("account");
      return show(null, row);
    },

    /** In order of their numbers. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Account>> {
      const after = cursor === undefined ? null : decodeNumberCursor("accounts", env_id, cursor);
      const rows = await store.page(env_id, after, offset, limit + 1);
      const now = clock.now(env_id);
      const standings = await store.standings(null, rows, now);
      const ask = { list: "accounts", env_id, limit, offset };
      const shown = (row: AccountRow) => present(row, standings.get(row.id) ?? unproved, now);
      return toPage(rows, ask, { total: await store.count(env_id), capped: false }, shown, (row) => String(row.id));
    },

    /** Those of these that are here, or the first of all, each as a client sees it. */
    async standing(tx: Tx, env_id: number, ids: readonly number[] | null): Promise<{ row: AccountRow; shown: Account }[]> {
      const rows = await store.some(tx, env_id, ids, SHOWN_MAX);
      const now = clock.now(env_id);
      const standings = await store.standings(tx, rows, now);
      return rows.map((row) => ({ row, shown: present(row, standings.get(row.id) ?? unproved, now) }));
    },

    /**
     * Changes what is given. Pausing keeps the queue; a new token must be the same bot's.
     * @param bot what Telegram said of the new token, when there is one
     * @throws AppError `not_found`, `validation_error`; what `wanted` throws
     */
    async patch(
      tx: Tx,
      env_id: number,
      id: number,
      patch: AccountPatch,
      bot: KnownBot | null,
      actor: string,
      wanted: Precondition = unconditional,
    ): Promise<Account> {
      const before = await find(tx, env_id, id);
      await check(tx, before, wanted);
      checkPatch(patch, before.kind);
      const row = { ...before, updated_at: clock.now(env_id) };
      if (patch.token !== undefined) {
        if (bot === null || bot.telegram_id !== row.telegram_id)
          throw invalidField("token", "not_allowed", "This token belongs to another bot: connect it as an account of its own.");
        row.token = vault.sealToken(row, patch.token);
        row.username = bot.username;
        await store.prove(tx, env_id, id, row.updated_at);
      }
      row.name = patch.name ?? row.name;
      row.timezone = patch.timezone ?? row.timezone;
      if (patch.daily_cap !== undefined) row.daily_cap = patch.daily_cap;
      if (patch.new_peer_daily_cap !== undefined) row.new_peer_daily_cap = patch.new_peer_daily_cap;
      if (patch.gap_seconds !== undefined) row.gap_seconds = JSON.stringify(patch.gap_seconds);
      if (patch.quiet_hours !== undefined) row.quiet_hours = patch.quiet_hours === null ? null : JSON.stringify(patch.quiet_hours);
      if (patch.proxy !== undefined) row.proxy = patch.proxy === null ? null : vault.sealProxy(row, patch.proxy);
      if (patch.paused !== undefined) row.paused = patch.paused ? 1 : 0;
      // Why Telegram had it paused is settled by whoever lets it go on.
      if (patch.paused === false && row.status === "connected") row.status_reason = null;
      await store.update(tx, env_id, id, row);
      if (patch.token !== undefined && row.status !== "connected")
        Object.assign(row, await changes.setStatus(tx, row, "connected", null, actor));
      else await changes.syncLane(tx, row);
      const moves = patch.daily_cap !== undefined || patch.timezone !== undefined || patch.quiet_hours !== undefined;
      if (moves) for (const reason of [DAILY_CAP_HOLD, QUIET_HOLD]) await needs.releaseLane(tx, env_id, laneOf(id), reason);
      const secrets = {
        ...(patch.token === undefined ? {} : { token_changed: true }),
        ...(patch.proxy === undefined ? {} : { proxy_changed: true }),
      };
      needs.audit(tx, env_id, {
        actor,
        operation: "accounts.patch",
        subject: String(id),
        before: told(before),
        after: { ...told(row), ...secrets },
      });
      return show(tx, row);
    },

    /** Removes an account. What is queued on it ends as `account_unauthorized`. @throws AppError `not_found`, `conflict`; what `wanted` throws */
    async remove(tx: Tx, env_id: number, id: number, actor: string, wanted: Precondition = unconditional): Promise<void> {
      const row = await find(tx, env_id, id);
      await check(tx, row, wanted);
      if (row.kind === "sandbox") throw new AppError("conflict", "The sandbox account belongs to its environment and can't be removed.");
      const now = clock.now(env_id);
      await changes.setStatus(tx, row, "disconnected", "removed", actor);
      await store.update(tx, env_id, id, { deleted_at: now, token: null, proxy: null });
      await store.end(tx, env_id, id);
      await changes.unblockLane(tx, row);
      tx.afterCommit(() => void needs.userGate?.cancel({ env_id, id, phone: row.phone, proxy: null }));
      needs.audit(tx, env_id, { actor, operation: "accounts.delete", subject: String(id), before: told(row), after: null });
    },

    trySecret: vault.trySecret,

    /** For the messages: the row, also of a removed account. */
    row: (tx: Tx | null, env_id: number, id: number) => store.find(tx, env_id, id),
    openToken: vault.openToken,
    disconnect: changes.disconnect,
    pause: changes.pause,
    restrict: changes.restrict,
    budget,
  };
}

/** As the audit has it: what was set, whether or not Telegram can be reached just now. */
function told(row: AccountRow): object {
  return settingsOf(present(row, { ...unproved, proof_at: row.updated_at }, row.updated_at));
}

/** @throws AppError `conflict` */
function refuseInTest({ mode }: Pick<Principal, "mode">): void {
  if (mode === "test")
    throw new AppError(
      "conflict",
      "A test environment never touches the network: connect accounts with a live key, and use account 7421 here.",
    );
}
