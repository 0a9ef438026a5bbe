import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { Contact, ContactCondition } from "#src/modules/contacts/model.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import type { FieldValues } from "./field-condition.ts";
import type { NewSegment, PreviewSegment, Segment, SegmentFilter, SegmentObject, SegmentPatch, SegmentPreview } from "./model.ts";
import type { SegmentRow, SegmentStore } from "./store.ts";
import { fieldConditions, type Filter, readFilter, showFilter } from "./tree.ts";

/** In an environment. */
const SEGMENTS_MAX = 500;
/** Contacts that a preview shows. */
const SAMPLE_MAX = 10;

interface Needs {
  store: SegmentStore;
  clock: Clock;
  /** The custom fields of contacts. @param tx null reads the last committed snapshot */
  fields(tx: Tx | null, env_id: number): Maybe<FieldDefinition[]>;
  fieldValues: FieldValues;
  /** Contacts that a condition holds for, the newest `most` of them, and how many there are. */
  matching(env_id: number, condition: ContactCondition, most: number): Promise<{ items: Contact[]; total: number; capped: boolean }>;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Who writes. */
interface Author {
  env_id: number;
  key_id: string;
}

export type SegmentService = ReturnType<typeof createSegmentService>;

/** Filters of contacts, kept under a name. They hold nobody: each use evaluates them anew. */
export function createSegmentService({ store, clock, fields, fieldValues, matching, audit }: Needs) {
  const presentWith = async (tx: Tx | null, env_id: number) => {
    const keys = new Map((await fields(tx, env_id)).map(({ id, key }) => [id, key]));
    return (row: SegmentRow): Segment => present(row, (id) => keys.get(id) ?? id);
  };

  /** @param by what the filter calls its fields by @throws AppError `validation_error` on `filter` */
  async function read(tx: Tx | null, env_id: number, filter: Filter, by: "key" | "id") {
    const known = new Map((await fields(tx, env_id)).map((field) => [field[by], field]));
    return readFilter("filter", filter, { now: clock.now(env_id), fieldValues, fieldOf: (name) => known.get(name) });
  }

  async function find(tx: Tx, env_id: number, id: string): Promise<SegmentRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("segment");
    return row;
  }

  async function naming(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (store.isDuplicate(error)) throw new AppError("conflict", `There is a segment ${name} already.`);
      throw error;
    }
  }

  return {
    /**
     * Makes a segment.
     * @throws AppError `validation_error` on the part of the `filter` that is wrong; `conflict` when the name is taken or there are too many
     */
    async create(tx: Tx, { env_id, key_id }: Author, ask: NewSegment): Promise<Segment> {
      const { object = "contact", name, description = null } = ask;
      if ((await store.allAlone(tx, env_id)).length >= SEGMENTS_MAX)
        throw new AppError("conflict", `There are at most ${SEGMENTS_MAX} segments: delete one first.`);
      const { kept } = await read(tx, env_id, ask.filter, "key");
      const now = clock.now(env_id);
      const filter = JSON.stringify(kept);
      const row = { env_id, id: newId("seg", now, env_id), object, name, description, filter, created_at: now, updated_at: now };
      await naming(name, () => store.insert(tx, row));
      const after = (await presentWith(tx, env_id))(row);
      audit(tx, env_id, { actor: key_id, operation: "segments.create", subject: row.id, before: null, after });
      return after;
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Segment> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw notFound("segment");
      return (await presentWith(null, env_id))(row);
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, filter: SegmentFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Segment>> {
      const before = cursor === undefined ? null : decodeCursor("segments", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, filter, before, offset, limit + 1), store.count(env_id, filter)]);
      return toPage(rows, { list: "segments", env_id, limit, offset }, count, await presentWith(null, env_id), (row) => row.id);
    },

    /**
     * Changes what is given.
     * @throws AppError `not_found`; `validation_error` and `conflict` as `create`; what `check` throws
     */
    async patch(
      tx: Tx,
      { env_id, key_id }: Author,
      id: string,
      patch: SegmentPatch,
      check: Precondition = unconditional,
    ): Promise<Segment> {
      if (patch.filter !== undefined) await store.allAlone(tx, env_id);
      const row = await find(tx, env_id, id);
      const show = await presentWith(tx, env_id);
      const before = show(row);
      check(before);
      const { name = row.name, description = row.description } = patch;
      const filter = patch.filter === undefined ? row.filter : JSON.stringify((await read(tx, env_id, patch.filter, "key")).kept);
      const changed = { ...row, name, description, filter, updated_at: clock.now(env_id) };
      await naming(name, () => store.update(tx, changed));
      const after = show(changed);
      audit(tx, env_id, { actor: key_id, operation: "segments.patch", subject: id, before, after });
      return after;
    },

    /** Deletes a segment; the contacts stay as they are. @throws AppError `not_found`; what `check` throws */
    async remove(tx: Tx, { env_id, key_id }: Author, id: string, check: Precondition = unconditional): Promise<void> {
      const row = await find(tx, env_id, id);
      const before = (await presentWith(tx, env_id))(row);
      check(before);
      await store.remove(tx, env_id, id);
      audit(tx, env_id, { actor: key_id, operation: "segments.delete", subject: id, before, after: null });
    },

    /** Who a filter holds at this moment. @throws AppError `validation_error` on the part of the `filter` that is wrong */
    async preview(env_id: number, { filter }: PreviewSegment): Promise<SegmentPreview> {
      const { condition } = await read(null, env_id, filter, "key");
      const { items, total, capped } = await matching(env_id, condition, SAMPLE_MAX);
      return { total, ...(capped ? { total_capped: true } : {}), sample: items };
    },

    /** The condition that a segment stands for at this moment. @throws AppError `validation_error` on `segment` */
    async condition(env_id: number, id: string): Promise<ContactCondition> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw invalidField("segment", "not_found", "There is no such segment here.", id);
      return (await read(null, env_id, JSON.parse(row.filter) as Filter, "id")).condition;
    },

    /** Whether there is such a segment; it stays until the transaction ends. */
    has: async (tx: Tx, env_id: number, id: string): Promise<boolean> => (await store.lock(tx, env_id, id)) !== undefined,

    /** Holds a filter that something else keeps against the fields as they are. @throws AppError `validation_error` on the part of `filter` that is wrong */
    async checkFilter(tx: Tx, env_id: number, filter: Filter): Promise<void> {
      await read(tx, env_id, filter, "key");
    },

    /** The condition that a filter stands for at this moment. @throws AppError `validation_error` on the part of the `filter` that is wrong */
    conditionOf: async (env_id: number, filter: Filter): Promise<ContactCondition> => (await read(null, env_id, filter, "key")).condition,

    /** The id of the segment of contacts with this id or name. */
    async idOf(env_id: number, ref: string): Promise<string | undefined> {
      return ((await store.get(env_id, ref)) ?? (await store.byName(env_id, "contact", ref)))?.id;
    },

    /**
     * Refuses to take a field away, or some of its options, that a segment names. Nobody writes a segment until the transaction ends.
     * @param options those that go; all of the field without them
     * @throws AppError `conflict`, which names the segments
     */
    async checkUnused(
      tx: Tx,
      env_id: number,
      { id, key }: Pick<FieldDefinition, "id" | "key">,
      options?: readonly string[],
    ): Promise<void> {
      const isUse = ({ field, value }: Filter) =>
        field === id && (options === undefined || [value].flat().some((one) => options.includes(one as string)));
      const users = (await store.allAlone(tx, env_id)).filter(({ filter }) => fieldConditions(JSON.parse(filter) as Filter).some(isUse));
      if (users.length === 0) return;
      const what = options === undefined ? `The field ${key}` : `An option of the field ${key} that would go`;
      throw new AppError("conflict", `${what} is used by ${tellNames(users)}: change or delete what uses it first.`, {
        members: { segment_ids: users.map((user) => user.id) },
      });
    },
  };
}

const NAMES_TOLD_MAX = 5;

function tellNames(users: readonly SegmentRow[]): string {
  const told = users.slice(0, NAMES_TOLD_MAX).map(({ name }) => `“${name}”`);
  const more = users.length - told.length;
  return `${users.length === 1 ? "the segment" : "the segments"} ${told.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function present(row: SegmentRow, keyOf: (field_id: string) => string): Segment {
  return {
    id: row.id,
    object: row.object as SegmentObject,
    name: row.name,
    description: row.description,
    filter: showFilter(JSON.parse(row.filter) as Filter, keyOf),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}
