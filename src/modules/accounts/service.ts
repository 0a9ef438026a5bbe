import type { Clock } from "#src/core/clock.ts";
import type { Cipher } from "#src/core/cipher.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { decodeNumberCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import { isTimezone } from "#src/core/timezone.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import { dayOf, nextDayAt } from "./day.ts";
import {
  type Account,
  type AccountPatch,
  type AccountStatus,
  type BotCheck,
  type BotGate,
  DAILY_CAP_HOLD,
  FIRST_ACCOUNT_ID,
  type NewAccount,
  SANDBOX_ACCOUNT_ID,
} from "./model.ts";
import { blank, present } from "./present.ts";
import type { AccountRow, AccountStore } from "./store.ts";

interface Needs {
  store: AccountStore;
  clock: Clock;
  cipher: Cipher;
  gate: BotGate;
  nextNumber(tx: Tx, name: string, first: number): Promise<number>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  /** Ends a lane's wait where this is its reason. */
  releaseLane(tx: Tx, env_id: number, lane: string, reason: string): Promise<void>;
  pauseLane(tx: Tx, env_id: number, lane: string, paused: boolean): Promise<void>;
}

/** A bot that Telegram knows. */
export type KnownBot = Extract<BotCheck, { kind: "ok" }>;

/** What a daily cap leaves: for the X-SendLimit headers. */
export interface SendLimit {
  limit: number;
  remaining: number;
  /** When the next day begins, ms. */
  resets_at: number;
  day: string;
}

export type AccountService = ReturnType<typeof createAccountService>;

const TOKENS_TRIED_MAX = 20;

/** The lane in which an account's jobs run. */
export const laneOf = (account_id: number) => `account:${account_id}`;

export function createAccountService(needs: Needs) {
  const { store, clock, cipher, gate } = needs;
  const place = (env_id: number, id: number) => `account:${env_id}:${id}`;

  function opens(sealed: string, at: string): boolean {
    try {
      cipher.open(sealed, at);
      return true;
    } catch {
      return false;
    }
  }

  async function find(tx: Tx, env_id: number, id: number): Promise<AccountRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("account");
    return row;
  }

  function sendLimit(row: AccountRow, taken: number, now: number): SendLimit {
    const limit = row.daily_cap ?? 0;
    return { limit, remaining: Math.max(0, limit - taken), resets_at: nextDayAt(now, row.timezone), day: dayOf(now, row.timezone) };
  }

  async function setStatus(tx: Tx, row: AccountRow, status: AccountStatus, reason: string | null, actor: string): Promise<void> {
    const after = { ...row, status, status_reason: reason, updated_at: clock.now() };
    await store.update(tx, row.env_id, row.id, { status, status_reason: reason, updated_at: after.updated_at });
    const type = status === "connected" ? "account.connected" : "account.disconnected";
    needs.appendEvent(tx, row.env_id, { type, subject: String(row.id), actor, data: present(after) });
  }

  /** A lane moves when the account is neither paused nor cut off. */
  const syncLane = (tx: Tx, row: AccountRow) =>
    needs.pauseLane(tx, row.env_id, laneOf(row.id), row.paused === 1 || row.status !== "connected");

  return {
    /** Gives a test environment its sandbox account. */
    async furnishSandbox(tx: Tx, env_id: number): Promise<void> {
      const now = clock.now();
      const row = { ...blank(env_id, SANDBOX_ACCOUNT_ID, now), kind: "sandbox", name: "Sandbox", username: "posthouse_sandbox" };
      await store.insert(tx, row);
      await needs.addLane(tx, env_id, laneOf(row.id));
    },

    /**
     * Asks Telegram about a token.
     * @throws AppError `conflict` in a test environment, which never touches the network; `validation_error` on `token` when Telegram refuses it, `unavailable` when Telegram can't be reached
     */
    async ask({ mode }: Pick<Principal, "mode">, token: string): Promise<KnownBot> {
      if (mode === "test")
        throw new AppError(
          "conflict",
          "A test environment never touches the network: connect bots with a live key, and use account 7421 here.",
        );
      const check = await gate.check(token);
      if (check.kind === "ok") return check;
      if (check.kind === "refused")
        throw invalidField("token", "refused", "Telegram does not accept this token. Copy it again from @BotFather.");
      throw new AppError("unavailable", "Telegram could not be reached to check the token. Nothing was stored; repeat.", {
        retryAfter: 10,
      });
    },

    /**
     * Connects a bot that Telegram has vouched for.
     * @throws AppError `conflict` when the bot is here already
     */
    async create(tx: Tx, env_id: number, { token, name }: NewAccount, bot: KnownBot, actor: string): Promise<Account> {
      // Who takes a number waits for those before: a twin of this request is seen then.
      const id = await needs.nextNumber(tx, "accounts", FIRST_ACCOUNT_ID);
      const namesake = await store.byTelegramId(tx, env_id, bot.telegram_id);
      if (namesake !== undefined) throw new AppError("conflict", `This bot is here already, as account ${namesake.id}.`);
      const now = clock.now();
      const row: AccountRow = {
        ...blank(env_id, id, now),
        kind: "telegram_bot",
        name: name ?? bot.name,
        username: bot.username,
        telegram_id: bot.telegram_id,
        token: cipher.seal(token, place(env_id, id)),
      };
      await store.insert(tx, row);
      await needs.addLane(tx, env_id, laneOf(id));
      const account = present(row);
      needs.appendEvent(tx, env_id, { type: "account.connected", subject: String(id), actor, data: account });
      needs.audit(tx, env_id, { actor, operation: "accounts.create", subject: String(id), before: null, after: account });
      return account;
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: number): Promise<Account> {
      const row = await store.find(null, env_id, id);
      if (row === undefined || row.deleted_at !== null) throw notFound("account");
      return present(row);
    },

    /** In order of their numbers. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Account>> {
      const after = cursor === undefined ? null : decodeNumberCursor("accounts", env_id, cursor);
      const rows = await store.page(env_id, after, offset, limit + 1);
      const ask = { list: "accounts", env_id, limit, offset };
      return toPage(rows, ask, { total: await store.count(env_id), capped: false }, present, (row) => String(row.id));
    },

    /**
     * Changes what is given. Pausing keeps the queue; a new token must be the same bot's.
     * @param bot what Telegram said of the new token, when there is one
     * @throws AppError `not_found`, `validation_error`; what `check` throws
     */
    async patch(
      tx: Tx,
      env_id: number,
      id: number,
      patch: AccountPatch,
      bot: KnownBot | null,
      actor: string,
      check: Precondition = unconditional,
    ): Promise<Account> {
      const before = await find(tx, env_id, id);
      check(present(before));
      const row = { ...before, updated_at: clock.now() };
      if (patch.timezone !== undefined && !isTimezone(patch.timezone))
        throw invalidField("timezone", "bad_format", "timezone is not an IANA name such as Europe/Berlin.", patch.timezone);
      if (patch.daily_cap !== undefined && row.kind !== "sandbox")
        throw invalidField("daily_cap", "not_allowed", "Bots have no daily cap: Telegram limits them by the second.");
      if (patch.token !== undefined) {
        if (bot === null || bot.telegram_id !== row.telegram_id)
          throw invalidField("token", "not_allowed", "This token belongs to another bot: connect it as an account of its own.");
        row.token = cipher.seal(patch.token, place(env_id, id));
        row.username = bot.username;
      }
      row.name = patch.name ?? row.name;
      row.timezone = patch.timezone ?? row.timezone;
      if (patch.daily_cap !== undefined) row.daily_cap = patch.daily_cap;
      if (patch.paused !== undefined) row.paused = patch.paused ? 1 : 0;
      await store.update(tx, env_id, id, row);
      if (patch.token !== undefined && row.status !== "connected") {
        await setStatus(tx, row, "connected", null, actor);
        row.status = "connected";
        row.status_reason = null;
      }
      await syncLane(tx, row);
      if (patch.daily_cap !== undefined || patch.timezone !== undefined) await needs.releaseLane(tx, env_id, laneOf(id), DAILY_CAP_HOLD);
      const after = { ...present(row), ...(patch.token === undefined ? {} : { token_changed: true }) };
      needs.audit(tx, env_id, { actor, operation: "accounts.patch", subject: String(id), before: present(before), after });
      return present(row);
    },

    /** Removes an account. What is queued on it ends as `account_unauthorized`. @throws AppError `not_found`, `conflict`; what `check` throws */
    async remove(tx: Tx, env_id: number, id: number, actor: string, check: Precondition = unconditional): Promise<void> {
      const row = await find(tx, env_id, id);
      check(present(row));
      if (row.kind === "sandbox") throw new AppError("conflict", "The sandbox account belongs to its environment and can't be removed.");
      const now = clock.now();
      await setStatus(tx, row, "disconnected", "removed", actor);
      await store.update(tx, env_id, id, { deleted_at: now, token: null });
      await needs.pauseLane(tx, env_id, laneOf(id), false);
      needs.audit(tx, env_id, { actor, operation: "accounts.delete", subject: String(id), before: present(row), after: null });
    },

    /** The channel no longer accepts the account: says so, and keeps its queue. */
    async disconnect(tx: Tx, env_id: number, id: number, reason: string): Promise<void> {
      const row = await store.lock(tx, env_id, id);
      if (row !== undefined && row.status === "connected") await setStatus(tx, row, "disconnected", reason, "job");
    },

    /** @throws Error in words for the person who starts the program, when the tokens were sealed with another secret */
    async tryTokens(): Promise<void> {
      const rows = await store.someSealed(TOKENS_TRIED_MAX);
      // One that alone can't be opened is that account's misfortune, and no reason to stand still.
      if (rows.length === 0 || rows.some((row) => opens(row.token!, place(row.env_id, row.id)))) return;
      const advice = "set POSTHOUSE_SECRET, or put secret.key back into the data folder, as it was when the bots were connected";
      throw new Error(`the bots' tokens in the database can't be opened with this secret: ${advice}`);
    },

    /** For the messages: the row, also of a removed account. */
    row: (tx: Tx | null, env_id: number, id: number) => store.find(tx, env_id, id),

    /** The bot's token in the clear, for its channel alone. */
    openToken: (row: AccountRow) => (row.token === null ? null : cipher.open(row.token, place(row.env_id, row.id))),

    /**
     * Counts one send against today's cap.
     * @returns what is left, and whether this one still fits; null without a cap
     */
    async takeSend(tx: Tx, row: AccountRow): Promise<{ fits: boolean; limit: SendLimit } | null> {
      if (row.daily_cap === null) return null;
      const now = clock.now();
      const day = dayOf(now, row.timezone);
      // The row is taken before it is judged, so that two at once can't both be the last.
      const taken = await store.takeDay(tx, row.env_id, row.id, day);
      if (taken > row.daily_cap) await store.giveBackDay(tx, row.env_id, row.id, day);
      return { fits: taken <= row.daily_cap, limit: sendLimit(row, taken, now) };
    },

    /** A counted send did not happen. */
    giveBackSend: (tx: Tx, env_id: number, id: number, day: string) => store.giveBackDay(tx, env_id, id, day),
  };
}
