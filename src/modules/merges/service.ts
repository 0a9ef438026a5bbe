import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, toPage } from "#src/core/page.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { EventType, NewEvent } from "#src/modules/events/model.ts";
import { type Contacts, type Pair, present, type Snapshots, undoUntil } from "./contacts.ts";
import { looking, moving, STEP_ROWS } from "./job.ts";
import type { Merge, MergeAnswer, MergeQuery, NewMerge, UndoAnswer } from "./model.ts";
import type { ContactRow, MergeRow, MergeStore } from "./store.ts";

interface Needs {
  store: MergeStore;
  clock: Clock;
  contacts: Contacts;
  enqueue: Enqueue;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Who merges: where, and under which name it is noted. */
interface Writer {
  env_id: number;
  actor: string;
}

export type MergeService = ReturnType<typeof createMergeService>;

/** Makes one person of two contacts, and two again. */
export function createMergeService({ store, clock, contacts, enqueue, appendEvent, audit }: Needs) {
  /** The living contact that an id or a number stands for. */
  async function staying(tx: Tx, env_id: number, ref: string): Promise<string> {
    const row = await contacts.row(tx, env_id, ref);
    if (row !== undefined && row.deleted_at === null) return row.id;
    const survivor = await store.survivorOf(tx, env_id, ref);
    if (survivor === null) throw notFound("contact");
    return survivor;
  }

  async function going(tx: Tx, env_id: number, ref: string): Promise<string> {
    const row = await contacts.row(tx, env_id, ref);
    if (row !== undefined && row.deleted_at === null) return row.id;
    const merge = await store.active(tx, env_id, ref);
    if (merge === undefined) throw notFound("contact");
    throw conflict(`This contact was merged into ${merge.survivor_id} already.`, { contact_ids: [merge.survivor_id] });
  }

  /** Both, which nobody else changes meanwhile. */
  async function lockLiving(tx: Tx, env_id: number, ids: readonly [string, string]): Promise<[ContactRow, ContactRow]> {
    const [survivor, other] = await contacts.lockBoth(tx, env_id, ids);
    if (survivor === undefined || other === undefined || survivor.deleted_at !== null || other.deleted_at !== null)
      throw conflict("One of these contacts was merged or deleted just now: read them again.", { contact_ids: [...ids] });
    return [survivor, other];
  }

  function note(
    tx: Tx,
    { env_id, actor }: Writer,
    operation: string,
    { contact, other, before, otherBefore }: Pair,
    isMerge: boolean,
  ): void {
    audit(tx, env_id, { actor, operation, subject: contact.id, before, after: contact });
    const [was, is] = isMerge ? [otherBefore, null] : [null, other];
    audit(tx, env_id, { actor, operation, subject: other.id, before: was, after: is });
  }

  /** @throws AppError `conflict` with what stands in the way */
  async function checkUndo(tx: Tx, row: MergeRow, [survivor, other]: readonly (ContactRow | undefined)[]): Promise<Snapshots> {
    const { env_id, survivor_id } = row;
    if (row.undone_at !== null) throw conflict("This merge was undone already.");
    if (row.snapshots === null || other === undefined || clock.now(env_id) >= undoUntil(row))
      throw conflict("A merge can be undone for 30 days, and these are over.");
    const onward = await store.active(tx, env_id, survivor_id);
    const last = onward ?? (await store.lastInto(tx, env_id, survivor_id));
    if (last !== undefined && last.id !== row.id) throw conflict(`${last.id} was made on top of this merge: undo that one first.`);
    if (survivor === undefined || survivor.deleted_at !== null) throw conflict(`The contact that stayed, ${survivor_id}, was deleted.`);
    const late = (await store.moving(tx, env_id, survivor_id)).find(({ merged_id }) => merged_id === survivor_id);
    if (late !== undefined) throw conflict(`Messages of ${survivor_id} are still moving by ${late.id}: try again shortly.`);
    return JSON.parse(row.snapshots) as Snapshots;
  }

  return {
    /**
     * Makes two contacts one: the other's values fill what the survivor lacks, and its messages move.
     * @param ref whom the other becomes part of, by id or number
     * @throws AppError `not_found`; `validation_error` for a contact and itself; `conflict` when the other was merged already or has
     * messages still moving, or when there would be too many tags or too much metadata; what `check` throws
     */
    async merge(tx: Tx, writer: Writer, ref: string, { contact_id, prefer = [] }: NewMerge, check: Precondition): Promise<MergeAnswer> {
      const { env_id, actor } = writer;
      const stays = await staying(tx, env_id, ref);
      const goes = await going(tx, env_id, String(contact_id));
      if (stays === goes) throw invalidField("contact_id", "not_allowed", "A contact can't be merged with itself.", contact_id);
      const both = await lockLiving(tx, env_id, [stays, goes]);
      const [late] = await store.moving(tx, env_id, goes);
      if (late !== undefined) throw conflict(`Messages of ${goes} are still moving by ${late.id}: try again shortly.`);
      const { snapshots, ...pair } = await contacts.combine(tx, both, new Set(prefer), check);
      const now = clock.now(env_id);
      const merged = { id: goes, number: both[1].number };
      const row: MergeRow = {
        ...{ env_id, id: newId("mrg", now, env_id), survivor_id: stays, merged_id: goes, merged_number: merged.number, actor },
        ...{ snapshots: JSON.stringify(snapshots), moving: 0, created_at: now, undone_at: null },
      };
      await store.insert(tx, row);
      if ((await store.moveOn(tx, row, STEP_ROWS)) === STEP_ROWS) {
        await store.update(tx, { ...row, moving: 1 });
        enqueue(tx, moving(row, now));
      }
      enqueue(tx, looking(row, now));
      const data = { ...pair.contact, merge_id: row.id, merged_id: goes, merged_number: merged.number };
      appendEvent(tx, env_id, { type: "contact.merged", subject: stays, actor, data });
      note(tx, writer, "contacts.merge", pair, true);
      return { id: row.id, contact: pair.contact, merged, undo_until: toTime(undoUntil(row)) };
    },

    /**
     * Makes two contacts of one again, as they were but for what was changed since.
     * @throws AppError `not_found`; `conflict` after 30 days, when it was undone already, another merge was made on top, the survivor
     * was deleted, or a third contact has an identity by now; what `check` throws
     */
    async undo(tx: Tx, writer: Writer, id: string, check: Precondition): Promise<UndoAnswer> {
      const { env_id, actor } = writer;
      const seen = await store.read(tx, env_id, id);
      if (seen === undefined) throw notFound("merge");
      const rows = await contacts.lockBoth(tx, env_id, [seen.survivor_id, seen.merged_id]);
      const row = await store.lock(tx, env_id, id);
      if (row === undefined) throw notFound("merge");
      check(present(row));
      const snapshots = await checkUndo(tx, row, rows);
      const pair = await contacts.separate(tx, rows as [ContactRow, ContactRow], snapshots);
      const now = clock.now(env_id);
      const isLong = (await store.moveBack(tx, row, STEP_ROWS)) === STEP_ROWS;
      await store.update(tx, { ...row, snapshots: null, undone_at: now, moving: isLong ? 1 : 0 });
      if (isLong) enqueue(tx, moving({ ...row, undone_at: now }, now));
      const type: EventType = "contact.unmerged";
      for (const contact of [pair.contact, pair.other])
        appendEvent(tx, env_id, { type, subject: contact.id, actor, data: { ...contact, merge_id: id } });
      note(tx, writer, "contacts.unmerge", pair, false);
      return { id, contact: pair.contact, merged: pair.other, undone_at: toTime(now) };
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Merge> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw notFound("merge");
      return present(row);
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, { contact_id, limit = PAGE_DEFAULT, offset = 0, cursor }: MergeQuery): Promise<Page<Merge>> {
      const before = cursor === undefined ? null : decodeCursor("merges", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, contact_id, before, offset, limit + 1), store.count(env_id, contact_id)]);
      return toPage(rows, { list: "merges", env_id, limit, offset }, count, present, (row) => row.id);
    },
  };
}

function conflict(message: string, members: Record<string, unknown> = {}): AppError {
  return new AppError("conflict", message, { members });
}
