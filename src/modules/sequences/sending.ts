import { AppError } from "#src/core/errors.ts";
import { addDuration, durationMs, parseDuration } from "#src/core/duration.ts";
import { opensAt } from "#src/core/send-window.ts";
import type { Tx } from "#src/core/tx.ts";
import type { SendMessage } from "#src/modules/messages/model.ts";
import type { EnrollmentRow, EnrollmentStore } from "./enrolled-sql.ts";
import type { FrequencyCap, SendStep } from "./model.ts";
import type { Program } from "./program.ts";

/** Of an account as much as it takes to choose one. */
export interface PoolAccount {
  id: number;
  kind: string;
  /** It can't send until somebody has mended it, if ever. */
  isOut: boolean;
  /** It keeps what it gets until somebody lets it go on. */
  isPaused: boolean;
}

/** The verbs that sequences use to write to people. */
export interface Sender {
  /** Those of these accounts that are here, in any order. */
  accounts(tx: Tx, env_id: number, ids: readonly number[]): Promise<readonly PoolAccount[]>;
  /** Whether an account can write to a contact, as far as is known without asking Telegram. */
  reaches(tx: Tx, env_id: number, account_id: number, contact_id: string): Promise<boolean>;
  /** Queues a message. @returns its id @throws AppError as a send does */
  send(tx: Tx, env_id: number, actor: string, ask: SendMessage, origin: Origin): Promise<string>;
}

interface Origin {
  type: "sequence";
  id: string;
  step: string;
  enrollment_id: string;
}

/** By how much days of a calendar can be longer than as many times 24 hours. */
const DAY_LONGER_MS = 86_400_000;

/** A send may not leave now. `until` is null where it never may. */
export interface PutOff {
  why: "window" | "holiday" | "frequency_cap";
  until: number | null;
}

export type SendOutcome = { kind: "sent"; message_id: string; account_id: number } | { kind: "refused"; reason: string };

/** The account that a send leaves by is looked for anew each time; who has written once goes on while they can. */
export function createSending({ store, sender }: { store: EnrollmentStore; sender: Sender }) {
  /** @returns null where none of those that may write is here any more */
  async function choose(tx: Tx, row: EnrollmentRow, step: SendStep, kept: number | undefined): Promise<number | null> {
    const { account_id, account_ids = [], channels } = step;
    if (account_id !== undefined || account_ids.length === 1) return account_id ?? account_ids[0]!;
    const known = new Map((await sender.accounts(tx, row.env_id, account_ids)).map((account) => [account.id, account]));
    const place = ({ kind }: PoolAccount) => (channels === undefined ? 0 : (channels as readonly string[]).indexOf(kind));
    const ordered = account_ids
      .flatMap((id) => known.get(id) ?? [])
      .filter((account) => place(account) >= 0)
      .toSorted(
        (a, b) =>
          Number(a.isOut) - Number(b.isOut) ||
          Number(a.isPaused) - Number(b.isPaused) ||
          Number(b.id === kept) - Number(a.id === kept) ||
          place(a) - place(b),
      );
    for (const { id, isOut } of ordered) if (!isOut && (await sender.reaches(tx, row.env_id, id, row.contact_id))) return id;
    // Nobody can: what the first comes to says why.
    return ordered[0]?.id ?? null;
  }

  /** Which of the two that a send names is no longer here: of accounts messages tell ahead of templates. */
  const goneOf = async (tx: Tx, env_id: number, account_id: number) =>
    (await sender.accounts(tx, env_id, [account_id])).length === 0 ? "account_gone" : "template_gone";

  return {
    /** Whether the sequence lets a message leave at a time, in the environment's time (ms). @returns null where it does */
    async putOff(tx: Tx, row: EnrollmentRow, program: Program, zone: string, at: number): Promise<PutOff | null> {
      const { window, holidays, frequency_cap } = program;
      const opens = opensAt(at, zone, window ?? {}, holidays);
      if (opens !== at) {
        const isHoliday = opensAt(at, zone, window ?? {}) === at;
        return { why: isHoliday ? "holiday" : "window", until: opens };
      }
      return frequency_cap === null ? null : afterCap(tx, row, frequency_cap, zone, at);
    },

    /** Makes the message of a step. @param kept the account that has written before */
    async send(tx: Tx, row: EnrollmentRow, step: SendStep, kept: number | undefined): Promise<SendOutcome> {
      const { id: step_id, type: _type, next: _next, account_id: _one, account_ids: _pool, channels: _channels, ...content } = step;
      const account_id = await choose(tx, row, step, kept);
      if (account_id === null) return { kind: "refused", reason: "account_gone" };
      const origin = { type: "sequence" as const, id: row.sequence_id, step: step_id, enrollment_id: row.id };
      try {
        const message_id = await sender.send(tx, row.env_id, row.actor, { ...content, account_id, to: row.contact_id }, origin);
        return { kind: "sent", message_id, account_id };
      } catch (error) {
        // What is refused has written nothing.
        if (!(error instanceof AppError) || error.code === "unavailable") throw error;
        const isGone = error.code === "not_found";
        return { kind: "refused", reason: isGone ? await goneOf(tx, row.env_id, account_id) : reasonOf(error) };
      }
    },
  };

  async function afterCap(tx: Tx, row: EnrollmentRow, { count, per }: FrequencyCap, zone: string, at: number): Promise<PutOff | null> {
    const since = at - durationMs(parseDuration(per)!) - DAY_LONGER_MS;
    const sent = await store.sendsSince(tx, row.env_id, row.contact_id, since, count);
    const oldest = sent[count - 1];
    const until = oldest === undefined ? at : addDuration(oldest.created_at, per, zone);
    return until <= at ? null : { why: "frequency_cap", until };
  }
}

/** A stable code for a send that was refused. */
function reasonOf({ code, details }: AppError): string {
  const [fault] = details ?? [];
  if (fault?.field === "to") return "unreachable";
  return fault === undefined ? code : `${fault.field}_${fault.error}`;
}

/** Whether a refusal says that a contact can't be written to, rather than that the sequence is wrong. */
export const isUnreachable = (reason: string): boolean => reason === "unreachable";
