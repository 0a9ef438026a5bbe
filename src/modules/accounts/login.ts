import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { AccountChanges } from "./changes.ts";
import type { Account, Applicant, CodeSent, LoginAnswer, QrLogin, UserGate } from "./model.ts";
import type { AccountRow, AccountStore } from "./store.ts";
import type { Vault } from "./vault.ts";

interface Needs {
  store: AccountStore;
  clock: Clock;
  vault: Vault;
  changes: AccountChanges;
  gate: UserGate | null;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
  /** The database's `write`. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** What a step of a login came to, to be written down. */
export interface LoginStep {
  row: AccountRow;
  answer: LoginAnswer;
}

type Ask = (gate: UserGate, who: Applicant) => Promise<LoginAnswer>;

export type LoginService = ReturnType<typeof createLoginService>;

/**
 * Logs user accounts in: by code or QR, then by the two-step password where there is one. Each step asks Telegram first
 * (`sendCode`, `confirm`, `password`, `qr`), and is then written down (`sent`, `advance`, `scanned`).
 */
export function createLoginService({ store, clock, vault, changes, gate, audit, write }: Needs) {
  /** @throws AppError `not_found`, `conflict` */
  async function ask(env_id: number, id: number, how: Ask): Promise<LoginStep> {
    const row = await store.find(null, env_id, id);
    if (row === undefined || row.deleted_at !== null) throw notFound("account");
    if (row.kind !== "telegram_user") throw new AppError("conflict", "Only user accounts log in: a bot has its token.");
    if (row.status === "disabled") throw new AppError("conflict", `Telegram has closed this account for good: ${row.status_reason}`);
    if (row.status === "connected") throw new AppError("conflict", "This account is logged in already.");
    if (gate === null)
      throw new AppError("conflict", "User accounts need TELEGRAM_API_ID and TELEGRAM_API_HASH: set them and start again.");
    if (row.login_blocked_until !== null && row.login_blocked_until > clock.now()) throw blocked(row.login_blocked_until);
    const answer = await how(gate, { env_id, id, phone: row.phone, proxy: vault.openProxy(row) });
    if (answer.kind === "flood") throw await heedFlood(row, answer.seconds);
    if (answer.kind === "gone") throw await heedEnd(row, answer.reason);
    return { row, answer };
  }

  /** No further attempt is made for as long as Telegram asks, whatever the request that has met this comes to. */
  async function heedFlood({ env_id, id }: AccountRow, seconds: number): Promise<AppError> {
    const until = clock.now() + seconds * 1_000;
    await write((tx) => store.update(tx, env_id, id, { login_blocked_until: until }));
    return blocked(until);
  }

  async function heedEnd({ env_id, id }: AccountRow, reason: string): Promise<AppError> {
    await write((tx) => changes.disconnect(tx, env_id, id, reason, true));
    return new AppError("conflict", `Telegram has closed this account for good: ${reason}`);
  }

  const blocked = (until: number) =>
    new AppError(
      "conflict",
      `Telegram refuses logins of this number for now, and trying makes it worse. Try again after ${toTime(until)}.`,
    );

  /** @throws AppError in words for what the person can do about it */
  async function settle(tx: Tx, { row, answer }: LoginStep, actor: string): Promise<AccountRow> {
    switch (answer.kind) {
      case "refused":
        throw invalidField(answer.field, "refused", answer.reason);
      case "expired":
        throw new AppError("conflict", answer.reason);
      case "unreachable":
        throw new AppError("unavailable", answer.reason, { retryAfter: 10 });
      case "misconfigured":
        throw new AppError("conflict", answer.reason);
      case "flood":
      case "gone":
        throw new Error("what ends logins is told when it is met");
      case "code_sent":
      case "qr":
        return row;
      case "password_required":
        return awaitPassword(tx, row);
      case "done":
        return finish(tx, row, answer, actor);
      default:
        return answer satisfies never;
    }
  }

  /** Another step may have got further while Telegram answered this one. */
  async function awaitPassword(tx: Tx, { env_id, id }: AccountRow): Promise<AccountRow> {
    const row = await locked(tx, env_id, id);
    if (row.status !== "login_required" && row.status !== "disconnected") return row;
    const after = { status: "password_required", status_reason: null, updated_at: clock.now() };
    await store.update(tx, env_id, id, after);
    return { ...row, ...after };
  }

  /** @throws AppError `not_found` */
  async function locked(tx: Tx, env_id: number, id: number): Promise<AccountRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("account");
    return row;
  }

  async function finish(tx: Tx, row: AccountRow, answer: Extract<LoginAnswer, { kind: "done" }>, actor: string): Promise<AccountRow> {
    const { env_id, id } = row;
    const now = clock.now();
    const { telegram_id, username } = answer;
    const present = await locked(tx, env_id, id);
    if (present.telegram_id !== null && present.telegram_id !== telegram_id)
      throw new AppError("conflict", "This is another user's login: take them in as an account of their own, or log in as the one before.");
    const namesake = await store.byTelegramId(tx, env_id, "telegram_user", telegram_id);
    if (namesake !== undefined && namesake.id !== id)
      throw new AppError("conflict", `This user is here already, as account ${namesake.id}.`);
    // A name that nobody has given is the one that Telegram tells.
    const isUnnamed = present.name === present.phone || present.name === `Account ${id}`;
    const phone = answer.phone ?? present.phone;
    const known = { telegram_id, username, phone, name: isUnnamed ? answer.name : present.name, login_blocked_until: null };
    await store.update(tx, env_id, id, known);
    await store.begin(tx, env_id, id, vault.sealSession(present, answer.session), now);
    const after = await changes.setStatus(tx, { ...present, ...known }, "connected", null, actor);
    audit(tx, env_id, { actor, operation: "accounts.login", subject: String(id), before: null, after: { telegram_id, username } });
    return after;
  }

  return {
    /** Asks for a code. Begins anew if an attempt is under way. */
    sendCode(env_id: number, id: number): Promise<LoginStep> {
      return ask(env_id, id, (gate, who) => {
        if (who.phone !== null) return gate.sendCode(who);
        throw new AppError("conflict", "This account has no phone: log in by QR, or take it in again with its phone.");
      });
    },
    confirm: (env_id: number, id: number, code: string) => ask(env_id, id, (gate, who) => gate.confirm(who, code)),
    password: (env_id: number, id: number, password: string) => ask(env_id, id, (gate, who) => gate.password(who, password)),
    qr: (env_id: number, id: number) => ask(env_id, id, (gate, who) => gate.qr(who)),

    /** @throws AppError `validation_error` on `phone`, `conflict`, `unavailable` */
    async sent(tx: Tx, step: LoginStep, actor: string): Promise<CodeSent> {
      await settle(tx, step, actor);
      const { answer } = step;
      return answer.kind === "code_sent" ? { type: answer.type, timeout: answer.timeout_s } : { type: "none", timeout: null };
    },

    /** @returns the account: `connected`, or `password_required` @throws AppError `validation_error` on `code` or `password`, `conflict`, `unavailable` */
    async advance(tx: Tx, step: LoginStep, actor: string): Promise<Account> {
      return changes.show(tx, await settle(tx, step, actor));
    },

    /** @returns what is to be shown; without an address once it was scanned @throws AppError `conflict`, `unavailable` */
    async scanned(tx: Tx, step: LoginStep, actor: string): Promise<QrLogin> {
      const row = await settle(tx, step, actor);
      const { answer } = step;
      const status = row.status === "connected" || row.status === "password_required" ? row.status : "login_required";
      return answer.kind === "qr"
        ? { status, url: answer.url, expires_at: toTime(answer.expires_at) }
        : { status, url: null, expires_at: null };
    },
  };
}
