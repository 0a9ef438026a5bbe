import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import { foldText } from "#src/core/search-text.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import { contactNames } from "#src/modules/contacts/model.ts";
import { forgetting } from "./job.ts";
import type { Field, FieldDefinition, FieldFilter, FieldObject, FieldPatch, FieldType, NewField } from "./model.ts";
import type { FieldRow, FieldStore } from "./store.ts";

/** In an environment, of one kind of things. */
const FIELDS_MAX = 100;

/** Names that those who can have fields have already. */
const reserved: Record<FieldObject, ReadonlySet<string>> = { contact: contactNames };

interface Needs {
  store: FieldStore;
  clock: Clock;
  enqueue: Enqueue;
  /**
   * Refuses to take a field away, or some of its options, that something else needs.
   * @param options those that go; all of the field without them
   * @throws AppError `conflict`
   */
  checkUnused(tx: Tx, env_id: number, field: Pick<FieldDefinition, "id" | "key">, options?: readonly string[]): Promise<void>;
  /** Refuses to take a field's key away where something names it by that. @throws AppError `conflict` */
  checkUnnamed(tx: Tx, env_id: number, key: string): Promise<void>;
}

export type FieldService = ReturnType<typeof createFieldService>;

/** Definitions of custom fields. The values are kept by those who have them, by the field's id: so a key can change. */
export function createFieldService({ store, clock, enqueue, checkUnused, checkUnnamed }: Needs) {
  async function find(tx: Tx, env_id: number, id: string): Promise<FieldRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("field");
    return row;
  }

  async function naming(key: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (store.isDuplicate(error)) throw new AppError("conflict", `There is a field ${key} already.`);
      throw error;
    }
  }

  return {
    /**
     * Makes a field.
     * @throws AppError `validation_error` on a `key` that the object has itself, or on `options`; `conflict` when the key is taken
     * or there are too many fields
     */
    async create(tx: Tx, env_id: number, ask: NewField): Promise<Field> {
      const { object = "contact", key, label = key, type } = ask;
      checkKey(object, key);
      const options = readOptions(type, ask.options);
      if ((await store.countAlone(tx, env_id, object)) >= FIELDS_MAX)
        throw new AppError("conflict", `There are at most ${FIELDS_MAX} fields: delete one first.`);
      const now = clock.now(env_id);
      const row = { env_id, id: newId("fld", now, env_id), object, key, label, type, options, created_at: now, updated_at: now };
      await naming(key, () => store.insert(tx, row));
      return present(row);
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Field> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw notFound("field");
      return present(row);
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, filter: FieldFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Field>> {
      const before = cursor === undefined ? null : decodeCursor("fields", env_id, cursor);
      const [rows, total] = await Promise.all([store.page(env_id, filter, before, offset, limit + 1), store.count(env_id, filter)]);
      return toPage(rows, { list: "fields", env_id, limit, offset }, { total, capped: false }, present, (row) => row.id);
    },

    /**
     * Changes what is given. Values stay, under the new key; also those whose option is no longer there.
     * @throws AppError `not_found`; `validation_error` and `conflict` as `create`; `conflict` when a segment or a sequence
     * uses an option that would go, or a sequence the key; what `check` throws
     */
    async patch(tx: Tx, env_id: number, id: string, patch: FieldPatch, check: Precondition = unconditional): Promise<Field> {
      const before = await find(tx, env_id, id);
      check(present(before));
      const { key = before.key, label = before.label } = patch;
      checkKey(before.object as FieldObject, key);
      const options = patch.options === undefined ? before.options : readOptions(before.type as FieldType, patch.options);
      if (key !== before.key) await checkUnnamed(tx, env_id, before.key);
      const gone = optionsOf(before.options).difference(optionsOf(options));
      if (gone.size > 0) await checkUnused(tx, env_id, before, [...gone]);
      const row = { ...before, key, label, options, updated_at: clock.now(env_id) };
      await naming(key, () => store.update(tx, row));
      return present(row);
    },

    /** Deletes a field. Its values are no longer shown, and are removed soon after. @throws AppError `not_found`; `conflict` when a segment or a sequence uses it; what `check` throws */
    async remove(tx: Tx, env_id: number, id: string, check: Precondition = unconditional): Promise<void> {
      const row = await find(tx, env_id, id);
      check(present(row));
      await checkUnused(tx, env_id, row);
      await store.remove(tx, env_id, id);
      enqueue(tx, forgetting({ env_id, field_id: id, kind: isNumeric(row.type as FieldType) ? "num" : "txt" }, clock.now(env_id)));
    },

    /** What there is to know of the fields of contacts. @param tx null reads the last committed snapshot */
    definitions(tx: Tx | null, env_id: number): Maybe<FieldDefinition[]> {
      const rows = store.definitions(tx, env_id, "contact");
      return rows instanceof Promise ? rows.then((read) => read.map(present)) : rows.map(present);
    },
  };
}

/** Whether the index has the values of such a field as numbers. */
function isNumeric(type: FieldType): boolean {
  return type === "number" || type === "boolean" || type === "date";
}

function checkKey(object: FieldObject, key: string): void {
  if (reserved[object].has(key)) throw invalidField("key", "taken", `A ${object} has a ${key} of its own: take another key.`, key);
}

/** @returns JSON, as a row keeps them @throws AppError `validation_error` on `options` */
function readOptions(type: FieldType, options: readonly string[] | undefined): string | null {
  const isChoice = type === "choice" || type === "multi_choice";
  if (!isChoice && options !== undefined) throw invalidField("options", "not_allowed", `A field of the type ${type} has no options.`);
  if (!isChoice) return null;
  if (options === undefined) throw invalidField("options", "required", "options are needed: what can be chosen.");
  const folded = options.map(foldText);
  const twice = folded.findIndex((option, at) => folded.indexOf(option) !== at);
  if (twice !== -1) throw invalidField(`options.${twice}`, "taken", "Two options differ in no more than case and accents.");
  return JSON.stringify(options);
}

/** @param kept JSON, as a row keeps them */
function optionsOf(kept: string | null): Set<string> {
  return new Set(kept === null ? [] : (JSON.parse(kept) as string[]));
}

function present(row: FieldRow): Field {
  return {
    id: row.id,
    object: row.object as FieldObject,
    key: row.key,
    label: row.label,
    type: row.type as FieldType,
    options: row.options === null ? null : (JSON.parse(row.options) as string[]),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}
