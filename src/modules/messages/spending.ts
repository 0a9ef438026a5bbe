import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { ChannelAccount, SendResult } from "./channel.ts";
import type { MessageStatus } from "./model.ts";
import { requeue, type Verdict } from "./outcome.ts";
import type { Accounts, SendingAccount } from "./service.ts";
import type { MessageRow, MessageStore } from "./store.ts";

/** Whether an account's budget lets a message leave. */
type Leave =
  | { kind: "go"; place: string | null }
  | { kind: "hold"; until: number; reason: string }
  | { kind: "postpone"; until: number; reason: string };

/** What sending needs beyond accepting. */
export interface SendingAccounts<Account extends SendingAccount> extends Accounts<Account> {
  openToken(account: Account): string | null;
  disconnect(tx: Tx, env_id: number, id: number, reason: string, final?: boolean): Promise<void>;
  pause(tx: Tx, env_id: number, id: number, reason: string): Promise<void>;
  restrict(tx: Tx, env_id: number, id: number): Promise<void>;
  budget: Accounts<Account>["budget"] & {
    isUnbounded(account: Account): boolean;
    leave(tx: Tx, account: Account, sending: { isNew: boolean; place: string | null }): Promise<Leave>;
    gapMs(account: Account): number;
  };
}

interface Needs<Account extends SendingAccount> {
  store: MessageStore;
  clock: Clock;
  accounts: SendingAccounts<Account>;
}

/** What a send costs its account, and what it teaches of it. */
export function createSpending<Account extends SendingAccount>({ store, clock, accounts }: Needs<Account>) {
  /** @returns the row, counted where it has to be, or what becomes of a message that can't leave now */
  async function spend(tx: Tx, row: MessageRow, account: Account): Promise<MessageRow | Verdict> {
    const { budget } = accounts;
    const isNew = budget.mindsNewPeers(account) && !(await store.hasMet(tx, row.env_id, account.id, row.recipient, row.id));
    const leave = await budget.leave(tx, account, { isNew, place: row.cap_day });
    if (leave.kind === "hold")
      return requeue(row, leave.reason, { kind: "snooze", ms: leave.until - clock.now(row.env_id), reason: leave.reason });
    if (leave.kind === "postpone") return requeue(row, leave.reason, { kind: "postpone", until: leave.until });
    if (leave.place === row.cap_day) return row;
    const counted = { ...row, cap_day: leave.place };
    await store.record(tx, counted, row.status as MessageStatus);
    return counted;
  }

  /** What a send has taught of its account. */
  async function tellAccount(tx: Tx, { env_id, id }: ChannelAccount, result: SendResult): Promise<void> {
    if (result.kind === "unauthorized") await accounts.disconnect(tx, env_id, id, result.reason, result.final);
    else if (result.kind === "pause") await accounts.pause(tx, env_id, id, result.reason);
    else if (result.kind === "restricted") await accounts.restrict(tx, env_id, id);
  }

  return { spend, tellAccount };
}
