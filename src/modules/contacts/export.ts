import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import { type CsvPart, csvHeader } from "#src/core/csv.ts";
import { contactColumns } from "./csv.ts";
import { createContactFields, type FieldSource } from "./fields.ts";
import { readFilter, type SegmentSource } from "./filter.ts";
import type { ContactFilter } from "./model.ts";
import { presentContact } from "./present.ts";
import type { ContactRow, ContactStore, Narrowed, Place } from "./store.ts";

export const exportFormats = ["csv", "ndjson"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** A part of an export: some lines, in UTF-8. */
export interface ExportPart {
  bytes: Uint8Array<ArrayBuffer>;
  /** How many contacts are in it. */
  contacts: number;
}

type Parts = AsyncGenerator<ExportPart, void, void>;

export type ContactExport = ReturnType<typeof createContactExport>;

/** Rows that are read and written beside the main thread at once: the first time, and then as many as come to about so many bytes. */
const CSV_ROWS_FIRST = 100;
const CSV_ROWS_MAX = 1_000;
const CSV_BYTES = 60_000;
/** Rows that come from the database at once: so few that taking them over holds nobody up. */
const PAGE_ROWS = 250;
/** Rows that are written out before others get their turn: about a millisecond. */
const PART_ROWS = 50;

/** Between two pages, while requests write. */
const PAUSE_MS = 2;

const encoder = new TextEncoder();

interface Needs {
  /** The pages come from it, beside the main thread. */
  store: Pick<ContactStore, "page" | "csvPage">;
  fields: FieldSource;
  segments: SegmentSource;
  /** Whether no request has written for a while. */
  isQuiet(): boolean;
}

export function createContactExport({ store, fields, segments, isQuiet }: Needs) {
  const { knownFor, reader, sought } = createContactFields(fields);

  /** The next page, which has begun to be made. */
  function ahead(env_id: number, by: Narrowed, after: Place | null, most: number): { most: number; page: Promise<CsvPart> } {
    const make = async () => store.csvPage(env_id, by, after, most, contactColumns(await reader(null, env_id)()));
    const page = make();
    // Whoever waits for it is told that it failed. Nobody may, any more.
    page.catch(() => undefined);
    return { most, page };
  }

  /** The next page is written while the one before goes out. */
  async function* csv(env_id: number, by: Narrowed): Parts {
    let header: CsvPart["bytes"] | undefined = csvHeader(contactColumns(new Map()));
    let next: ReturnType<typeof ahead> | undefined = ahead(env_id, by, null, CSV_ROWS_FIRST);
    while (next !== undefined) {
      const { bytes, rows, last }: CsvPart = await next.page;
      // They share the machine's processors with whoever waits for an answer.
      if (!isQuiet()) await pause(PAUSE_MS);
      next = rows < next.most ? undefined : ahead(env_id, by, placeOfLine(last!), rowsOf(bytes.length / rows));
      // After the first page: what fails before anything is out can still be told as a problem.
      if (header !== undefined) yield { bytes: header, contacts: 0 };
      header = undefined;
      if (rows > 0) yield { bytes, contacts: rows };
    }
  }

  async function* ndjson(env_id: number, by: Narrowed): Parts {
    let after: Place | null = null;
    for (let more = true; more;) {
      const rows: ContactRow[] = await store.page(env_id, by, "created_at", after, 0, PAGE_ROWS);
      const known = await knownFor(null, env_id, rows);
      for (let at = 0; at < rows.length; at += PART_ROWS) {
        const some = rows.slice(at, at + PART_ROWS);
        const lines = some.map((row) => `${JSON.stringify(presentContact(row, known))}\n`);
        yield { bytes: encoder.encode(lines.join("")), contacts: some.length };
        await turn();
      }
      const last = rows.at(-1);
      if (last !== undefined) after = { id: last.id, at: last.number };
      more = rows.length === PAGE_ROWS;
    }
  }

  /**
   * All contacts of an environment, or those that a filter leaves, the oldest first, in parts that are made when they are
   * asked for. There is no snapshot: what changes while it goes on is told as it is found.
   * @throws AppError, from the parts: `validation_error` as the list of contacts; `unavailable`
   */
  return async function* (env_id: number, filter: ContactFilter, format: ExportFormat): Parts {
    const by = await readFilter(env_id, filter, { sought, segments });
    yield* format === "csv" ? csv(env_id, by) : ndjson(env_id, by);
  };
}

/** How many rows come to a page, of which one takes so much. */
function rowsOf(length: number): number {
  return Math.min(CSV_ROWS_MAX, Math.max(1, Math.floor(CSV_BYTES / length)));
}

/** A line begins with the contact's id and its number. */
function placeOfLine([id, number]: readonly unknown[]): Place {
  return { id: id as string, at: number as number };
}
