import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { mayUse, type Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { ChangeStore } from "./changed-sql.ts";
import type { Channel } from "./channel.ts";
import { checkText } from "./compose.ts";
import { checkButtonsAllowed, readButtons } from "./enclosures.ts";
import { type KeptContent, keptContent, type Pending, toKept, withMarkup } from "./kept-content.ts";
import type { EditMessage, Message } from "./model.ts";
import { presentMessage } from "./present.ts";
import type { MessageRow, MessageStore } from "./store.ts";

export const EDIT_JOB = "messages.edit";
export const DELETE_JOB = "messages.delete";
const suffixes = { [EDIT_JOB]: ".edit", [DELETE_JOB]: ".delete" } as const;
export type ChangeKind = keyof typeof suffixes;

/** The message that a job changes. */
export const messageOf = (job_id: string) => job_id.slice(0, job_id.indexOf("."));

interface ChangingAccount {
  kind: string;
  paused: number;
  deleted_at: number | null;
}

interface Needs {
  store: Pick<MessageStore, "lock">;
  changes: ChangeStore;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: { row(tx: Tx | null, env_id: number, id: number): Maybe<ChangingAccount | undefined> };
  laneOf(account_id: number): string;
  enqueue: Enqueue;
  cancel(tx: Tx, sender: Sender, id: string, check: Precondition): Promise<Message>;
}

type Sender = Pick<Principal, "env_id" | "key_id" | "account_ids">;

/** A message as it is, and whether that is what was asked for already: else it will be once Telegram has done it. */
export interface Changed {
  message: Message;
  done: boolean;
}

export type ChangeService = ReturnType<typeof createChangeService>;

/** Changing and deleting messages of ours: at once while they wait, by Telegram once they are sent. */
export function createChangeService(needs: Needs) {
  const { store, changes, clock, channels, accounts } = needs;

  async function find(tx: Tx, sender: Sender, id: string, check: Precondition) {
    const row = await store.lock(tx, sender.env_id, id);
    if (row === undefined || !mayUse(sender, row.account_id)) throw notFound("message");
    check(presentMessage(row));
    if (row.direction !== "out") throw new AppError("conflict", "This message was received: only your own can be changed and deleted.");
    const account = row.account_id === null ? undefined : await accounts.row(tx, row.env_id, row.account_id);
    const channel = account === undefined ? undefined : channels.get(account.kind);
    if (account === undefined || channel === undefined || account.deleted_at !== null)
      throw new AppError("conflict", "The account of this message was removed.");
    return { row, account, channel };
  }

  /** @throws AppError `conflict` */
  function checkSent(row: MessageRow, verb: string): void {
    if (row.status === "sending") throw new AppError("conflict", `The message is just being sent: it can be ${verb} in a moment.`);
    if (!["sent", "delivered", "read"].includes(row.status) || row.deleted_at !== null || row.remote_id === null)
      throw new AppError(
        "conflict",
        `Only a message that is there can be ${verb}; this one is ${row.deleted_at === null ? row.status : "deleted"}.`,
      );
  }

  function later(tx: Tx, kind: ChangeKind, row: MessageRow, channel: Channel): void {
    const { env_id, id, recipient, account_id } = row;
    const lane = needs.laneOf(account_id!);
    const job = {
      env_id,
      id: `${id}${suffixes[kind]}`,
      kind,
      lane,
      chat: recipient,
      run_at: clock.now(env_id),
      payload: channel.kind,
      eta: null,
    };
    needs.enqueue(tx, job);
  }

  return {
    /**
     * Changes a message's text, markup or buttons; what is not given stays.
     * @throws AppError `not_found`, `conflict` where it is neither waiting nor sent, `validation_error`; what `check` throws
     */
    async edit(tx: Tx, sender: Sender, id: string, ask: EditMessage, check: Precondition): Promise<Changed> {
      const { row, account, channel } = await find(tx, sender, id, check);
      const { leaving, ...content } = keptContent(row);
      checkButtonsAllowed(channel, ask.buttons);
      const pending = readEdit(row, content, ask);
      const updated_at = clock.now(row.env_id);
      if (row.status === "queued") {
        // Where nothing goes over a network a message that is due may be on its way without being marked.
        if (!channel.usesNetwork && account.paused === 0 && Math.max(row.created_at, row.schedule_at ?? 0) <= updated_at)
          throw new AppError("conflict", "The message is just being sent: it can be changed in a moment.");
        const { text = row.text, parse_mode, buttons } = pending;
        const after = { ...row, text, content: toKept(withMarkup(content, parse_mode, buttons)), updated_at };
        await changes.keep(tx, after);
        return { message: presentMessage(after), done: true };
      }
      checkSent(row, "changed");
      if (leaving === true) throw new AppError("conflict", "The message is being deleted.");
      if (channel.edit === undefined) throw new AppError("conflict", `Messages of ${channel.name} can't be changed.`);
      const after = { ...row, content: toKept({ ...content, pending: { ...content.pending, ...pending } }), updated_at };
      await changes.keep(tx, after);
      // The one that waits takes the newest change.
      if (content.pending === undefined) later(tx, EDIT_JOB, row, channel);
      return { message: presentMessage(after), done: false };
    },

    /**
     * Deletes a message for both sides; one that waits is canceled.
     * @throws AppError `not_found`, `conflict` where there is nothing to delete; what `check` throws
     */
    async remove(tx: Tx, sender: Sender, id: string, check: Precondition): Promise<Changed> {
      const { row, channel } = await find(tx, sender, id, check);
      if (row.status === "queued") return { message: await needs.cancel(tx, sender, id, check), done: true };
      if (row.deleted_at !== null) return { message: presentMessage(row), done: true };
      checkSent(row, "deleted");
      if (channel.remove === undefined) throw new AppError("conflict", `Messages of ${channel.name} can't be deleted.`);
      const content = keptContent(row);
      if (content.leaving === true) return { message: presentMessage(row), done: false };
      const after = { ...row, content: toKept({ ...content, leaving: true }), updated_at: clock.now(row.env_id) };
      await changes.keep(tx, after);
      later(tx, DELETE_JOB, row, channel);
      return { message: presentMessage(after), done: false };
    },
  };
}

/** @throws AppError `validation_error` for what Telegram would refuse */
function readEdit(row: MessageRow, { attachments = [], parse_mode: before = null, pending }: KeptContent, ask: EditMessage): Pending {
  const parse_mode = ask.parse_mode === undefined ? (pending?.parse_mode ?? before) : ask.parse_mode;
  const { text, buttons } = ask;
  const isCaption = attachments.length > 0;
  if (text === "" && !isCaption) throw invalidField("text", "too_short", "A message without files needs a text.");
  const checked = text ?? (ask.parse_mode === undefined ? "" : (pending?.text ?? row.text));
  if (checked !== "")
    checkText(checked, text === undefined ? "parse_mode" : "text", {
      ...(parse_mode === null ? {} : { parse_mode }),
      ...(isCaption ? { attachments: [] } : {}),
    });
  return {
    ...(text === undefined ? {} : { text }),
    parse_mode,
    ...(buttons === undefined ? {} : { buttons: buttons.length === 0 ? [] : readButtons(buttons, attachments.length) }),
  };
}
