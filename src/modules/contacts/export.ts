import { setImmediate as turn } from "node:timers/promises";
import { csvHeader, csvLine } from "./csv.ts";
import { createContactFields, type FieldSource } from "./fields.ts";
import { readFilter, type SegmentSource } from "./filter.ts";
import type { Contact, ContactFilter } from "./model.ts";
import { presentContact } from "./present.ts";
import type { ContactRow, ContactStore, Place } from "./store.ts";

export const exportFormats = ["csv", "ndjson"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** A part of an export: some lines. */
export interface ExportPart {
  text: string;
  /** How many contacts are in it. */
  contacts: number;
}

export type ContactExport = ReturnType<typeof createContactExport>;

/** Rows that come from the database at once: so few that taking them over holds nobody up. */
const PAGE_ROWS = 250;
/** Rows that are written out before others get their turn: about a millisecond. */
const PART_ROWS = 50;

const written: Record<ExportFormat, { header: string; line(contact: Contact): string }> = {
  csv: { header: csvHeader, line: csvLine },
  ndjson: { header: "", line: (contact) => `${JSON.stringify(contact)}\n` },
};

interface Needs {
  store: Pick<ContactStore, "page">;
  fields: FieldSource;
  segments: SegmentSource;
}

/** @param store the pages come from its `page`, beside the main thread */
export function createContactExport({ store, fields, segments }: Needs) {
  const { knownFor, sought } = createContactFields(fields);

  async function* parts(env_id: number, filter: ContactFilter, format: ExportFormat): AsyncGenerator<ExportPart, void, void> {
    const by = await readFilter(env_id, filter, { sought, segments });
    const { header, line } = written[format];
    let begun = header;
    let after: Place | null = null;
    for (let more = true; more;) {
      const rows: ContactRow[] = await store.page(env_id, by, "created_at", after, 0, PAGE_ROWS);
      const known = await knownFor(null, env_id, rows);
      for (let at = 0; at < rows.length; at += PART_ROWS) {
        const some = rows.slice(at, at + PART_ROWS);
        yield { text: begun + some.map((row) => line(presentContact(row, known))).join(""), contacts: some.length };
        begun = "";
        await turn();
      }
      const last = rows.at(-1);
      if (last !== undefined) after = { id: last.id, at: last.number };
      more = rows.length === PAGE_ROWS;
    }
    if (begun !== "") yield { text: begun, contacts: 0 };
  }

  /**
   * All contacts of an environment, or those that a filter leaves, the oldest first, in parts that are made when they are
   * asked for. There is no snapshot: what changes while it goes on is told as it is found.
   * @throws AppError, from the parts: `validation_error` as the list of contacts; `unavailable`
   */
  return (env_id: number, filter: ContactFilter, format: ExportFormat): AsyncGenerator<ExportPart, void, void> =>
    parts(env_id, filter, format);
}
