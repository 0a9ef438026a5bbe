import { createContactFields, type FieldSource } from "./fields.ts";
import type { Contact, ContactCondition } from "./model.ts";
import { presentContact } from "./present.ts";
import type { ContactStore } from "./store.ts";

interface Needs {
  store: Pick<ContactStore, "page" | "total">;
  fields: FieldSource;
}

/** What a condition comes to. */
interface Matches {
  /** The newest. */
  items: Contact[];
  /** Counted up to TOTAL_MAX. */
  total: number;
  capped: boolean;
}

/** Finds the contacts that a condition holds for: up to `most` of them, and how many there are. */
export function createMatching({ store, fields }: Needs) {
  const { knownFor } = createContactFields(fields);
  return async (env_id: number, where: ContactCondition, most: number): Promise<Matches> => {
    const [rows, count] = await Promise.all([store.page(env_id, { where }, "-created_at", null, 0, most), store.total(env_id, { where })]);
    const known = await knownFor(null, env_id, rows);
    return { items: rows.map((row) => presentContact(row, known)), ...count };
  };
}
