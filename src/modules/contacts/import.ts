import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Tx } from "#src/core/tx.ts";
import { type BulkOptions, type BulkResult, createBulkWriter } from "./bulk.ts";
import type { BulkStore } from "./bulk-sql.ts";
import { createBulkUndo } from "./bulk-undo.ts";
import { byKey, createContactFields, type FieldSource, type KnownFields } from "./fields.ts";
import type { Scoring } from "./happenings.ts";
import { checkMapping, type Mapping, readColumns } from "./import-columns.ts";
import { type ImportEntry, readCells, readEntry, readObject, type Refusal } from "./import-row.ts";
import type { ContactStore } from "./store.ts";

/** A row of a file, as it stands there. */
type Row = { cells: readonly string[] } | { object: Record<string, unknown> };

/** Rows that were read for a step. */
interface Read {
  entries: (ImportEntry | AppError)[];
  known: KnownFields;
}

interface Needs {
  store: ContactStore;
  bulk: BulkStore;
  clock: Clock;
  fields: FieldSource;
  scoring: Pick<Scoring, "changed">;
  refusal: Refusal;
}

/** What an import does with contacts. */
export function createContactImport({ store, bulk, clock, fields, scoring, refusal }: Needs) {
  const custom = createContactFields(fields);
  const writeAll = createBulkWriter({ store, bulk, clock, custom, scoring });
  const undo = createBulkUndo({ store, bulk, clock, custom });
  const knownOf = (env_id: number) => custom.reader(null, env_id)();

  return {
    /** What the columns of a table are. @throws AppError `validation_error` for one that is nothing */
    async columns(env_id: number, header: readonly string[], mapping: Mapping): Promise<(string | null)[]> {
      return readColumns(header, mapping, new Set(byKey(await knownOf(env_id)).keys()));
    },

    /** @throws AppError `validation_error` for a mapping to what is nothing */
    async checkMapping(env_id: number, mapping: Mapping): Promise<void> {
      checkMapping(mapping, new Set(byKey(await knownOf(env_id)).keys()));
    },

    /** Makes a reader of rows: each is what it says of a person, or why it can't be taken. */
    async reader(env_id: number, columns: readonly (string | null)[], mapping: Mapping) {
      const known = await knownOf(env_id);
      const keyed = byKey(known);
      const read = (row: Row): ImportEntry | AppError => {
        try {
          const given = "cells" in row ? readCells(columns, row.cells, keyed) : readObject(row.object, mapping);
          return readEntry(given, keyed, refusal);
        } catch (error) {
          if (error instanceof AppError) return error;
          throw error;
        }
      };
      return { known, read };
    },

    /** Writes what was read; outcomes stand in the order of the entries. @throws AppError `unavailable` */
    async write(tx: Tx, env_id: number, { entries, known }: Read, options: BulkOptions): Promise<BulkResult> {
      const good = entries.filter((entry): entry is ImportEntry => !(entry instanceof AppError));
      const result = await writeAll(tx, env_id, good, known, options);
      const places = entries.flatMap((entry, at) => (entry instanceof AppError ? [] : [at]));
      let next = 0;
      const outcomes = entries.map((entry) =>
        entry instanceof AppError ? { kind: "failed" as const, error: entry } : result.outcomes[next++]!,
      );
      return { ...result, outcomes, samples: result.samples.map((sample) => ({ ...sample, index: places[sample.index]! })) };
    },

    ...undo,
  };
}
