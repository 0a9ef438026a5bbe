import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import { mayUse, type Principal } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Message, SendMessage } from "#src/modules/messages/model.ts";
import type { NewNote, Reply, Thread, ThreadFilter, ThreadNote, ThreadPatch } from "./model.ts";
import { presentNote, presentThread } from "./present.ts";
import type { Narrowed, Place, ThreadRow, ThreadStore } from "./store.ts";

type Reader = Pick<Principal, "env_id" | "account_ids">;
type Writer = Pick<Principal, "env_id" | "account_ids" | "key_id">;

interface Needs<Sent> {
  store: ThreadStore;
  clock: Clock;
  messages: {
    /** Queues a message in a thread. @throws AppError as `POST /v1/messages/send` */
    send(tx: Tx, sender: Writer, ask: SendMessage, thread_id: string): Promise<Sent>;
    /** Newest first. */
    ofThread(env_id: number, thread_id: string, page: PageQuery): Promise<Page<Message>>;
  };
}

export type ThreadService<Sent> = ReturnType<typeof createThreadService<Sent>>;

/** Conversations: what was written in a chat of an account, from both sides. */
export function createThreadService<Sent>({ store, clock, messages }: Needs<Sent>) {
  async function present(tx: Tx | null, rows: readonly ThreadRow[]): Promise<(row: ThreadRow) => Thread> {
    const ids = rows.map((row) => row.last_message_id);
    const found = rows.length === 0 ? [] : await store.lastMessages(tx, rows[0]!.env_id, ids);
    const last = new Map(found.map((row) => [row.id, row]));
    return (row) => presentThread(row, last.get(row.last_message_id));
  }

  /** @throws AppError `not_found` also for one of an account that the key may not use */
  async function find({ env_id, account_ids }: Reader, id: string): Promise<ThreadRow> {
    const row = await store.get(env_id, id);
    if (row === undefined || !mayUse({ account_ids }, row.account_id)) throw notFound("thread");
    return row;
  }

  async function lock(tx: Tx, { env_id, account_ids }: Reader, id: string): Promise<ThreadRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined || !mayUse({ account_ids }, row.account_id)) throw notFound("thread");
    return row;
  }

  async function change(tx: Tx, row: ThreadRow, changes: Partial<ThreadRow>): Promise<Thread> {
    const after = { ...row, ...changes, updated_at: clock.now(row.env_id) };
    await store.update(tx, after);
    return (await present(tx, [after]))(after);
  }

  return {
    /** Those of the accounts that the key may use, newest activity first. @throws AppError `validation_error` for a bad cursor */
    async list(
      { env_id, account_ids }: Reader,
      { archived = false, ...filter }: ThreadFilter,
      { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery,
    ): Promise<Page<Thread>> {
      const by: Narrowed = { ...filter, archived, ...(account_ids === null ? {} : { account_ids: [...account_ids] }) };
      const after = cursor === undefined ? null : readPlace(decodeCursor("threads", env_id, cursor));
      const [rows, count] = await Promise.all([store.page(env_id, by, after, offset, limit + 1), store.count(env_id, by)]);
      const presented = await present(null, rows.slice(0, limit));
      return toPage(rows, { list: "threads", env_id, limit, offset }, count, presented, (row) => `${row.last_message_at} ${row.id}`);
    },

    /** @throws AppError `not_found` */
    async get(reader: Reader, id: string): Promise<Thread> {
      const row = await find(reader, id);
      return (await present(null, [row]))(row);
    },

    /** @throws AppError `not_found`; what `check` throws */
    async patch(tx: Tx, writer: Writer, id: string, { archived }: ThreadPatch, check: Precondition): Promise<Thread> {
      const row = await lock(tx, writer, id);
      const before = (await present(tx, [row]))(row);
      check(before);
      if (archived === undefined || archived === before.archived) return before;
      return change(tx, row, { archived_at: archived ? clock.now(row.env_id) : null });
    },

    /** Nothing in it is unread any more. @throws AppError `not_found`; what `check` throws */
    async read(tx: Tx, writer: Writer, id: string, check: Precondition): Promise<Thread> {
      const row = await lock(tx, writer, id);
      const before = (await present(tx, [row]))(row);
      check(before);
      return row.unread === 0 ? before : change(tx, row, { unread: 0 });
    },

    /** @throws AppError `not_found`, `validation_error` for a bad cursor */
    async messages(reader: Reader, id: string, page: PageQuery): Promise<Page<Message>> {
      const { env_id } = await find(reader, id);
      return messages.ofThread(env_id, id, page);
    },

    /** Writes in a thread, which is read with that. @throws AppError `not_found`, `conflict` where the person was erased, and as a send */
    async reply(tx: Tx, writer: Writer, id: string, reply: Reply): Promise<Sent> {
      const row = await lock(tx, writer, id);
      if (row.chat_id === id)
        throw new AppError("conflict", "The person of this thread was erased: there is no chat to write in any more.");
      const sent = await messages.send(tx, writer, { ...reply, account_id: row.account_id, to: row.chat_id }, id);
      if (row.unread > 0) await store.update(tx, { ...row, unread: 0, updated_at: clock.now(row.env_id) });
      return sent;
    },

    /** Newest first. @throws AppError `not_found`, `validation_error` for a bad cursor */
    async notes(reader: Reader, id: string, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<ThreadNote>> {
      const { env_id } = await find(reader, id);
      const list = `notes of ${id}`;
      const before = cursor === undefined ? null : decodeCursor(list, env_id, cursor);
      const [rows, count] = await Promise.all([store.notes(env_id, id, before, offset, limit + 1), store.countNotes(env_id, id)]);
      return toPage(rows, { list, env_id, limit, offset }, count, presentNote, (row) => row.id);
    },

    /** Tells colleagues something of a thread. @throws AppError `not_found` */
    async addNote(tx: Tx, writer: Writer, id: string, { text }: NewNote): Promise<ThreadNote> {
      const { env_id } = await lock(tx, writer, id);
      const now = clock.now(env_id);
      const row = { env_id, thread_id: id, id: newId("note", now, env_id), text, actor: writer.key_id, created_at: now };
      await store.addNote(tx, row);
      return presentNote(row);
    },

    /** @throws AppError `not_found` */
    async removeNote(tx: Tx, writer: Writer, id: string, note_id: string): Promise<void> {
      const { env_id } = await lock(tx, writer, id);
      if (!(await store.removeNote(tx, env_id, id, note_id))) throw notFound("note");
    },
  };
}

/** @throws AppError `validation_error` */
function readPlace(last: string): Place {
  const [, at, id] = /^(\d+) (th_\w+)$/.exec(last) ?? [];
  if (id === undefined) throw invalidField("cursor", "bad_format", "The cursor is not one that this list gave: begin without it.");
  return { last_message_at: Number(at), id };
}
