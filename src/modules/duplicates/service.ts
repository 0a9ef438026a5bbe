import { invalidField } from "#src/core/errors.ts";
import { decodeCursor, encodeCursor, PAGE_DEFAULT, TOTAL_MAX } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { DuplicateGroup, DuplicatePage } from "./model.ts";
import { reasonsOf } from "./reasons.ts";
import type { ContactRow, DuplicateStore, NameGroup } from "./store.ts";

/** Contacts whose names a page looks at, so that it is there soon where nearly every name is unique. */
const CONTACTS_MAX = 50_000;
/** Contacts of a group that are shown. */
const SHOWN_MAX = 10;
const LIST = "duplicates";

interface Needs {
  store: DuplicateStore;
  present(row: ContactRow): Promise<Contact>;
}

export type DuplicateService = ReturnType<typeof createDuplicateService>;

/** Contacts that may be one person. */
export function createDuplicateService({ store, present }: Needs) {
  return {
    /**
     * Groups of contacts with one name, in the order of the names. A page can have fewer than `limit`, or none, and more behind it.
     * @throws AppError `validation_error` for a cursor that is not of this list
     */
    async list(env_id: number, { limit = PAGE_DEFAULT, cursor }: { limit?: number; cursor?: string }): Promise<DuplicatePage> {
      const after = cursor === undefined ? "" : readPlace(decodeCursor(LIST, env_id, cursor));
      const ahead = await store.nameAhead(env_id, after, CONTACTS_MAX);
      const groups: NameGroup[] = await store.groups(env_id, after, ahead, limit + 1);
      // Of the last name there may be any number further on.
      if (ahead !== undefined && groups.length < limit)
        groups.push({ name: ahead, total: await store.holders(env_id, ahead, TOTAL_MAX + 1) });
      const isFull = groups.length > limit || (groups.length === limit && ahead !== undefined);
      const place = isFull ? groups[limit - 1]!.name : ahead;
      const shown = groups.slice(0, limit).filter(({ total }) => total > 1);
      const next_cursor = place === undefined ? null : encodeCursor(LIST, env_id, encodeURIComponent(place));
      return { items: await withContacts(env_id, shown), limit, has_more: next_cursor !== null, next_cursor };
    },
  };

  async function withContacts(env_id: number, groups: readonly NameGroup[]): Promise<DuplicateGroup[]> {
    const names = groups.map(({ name }) => name);
    const byName = Map.groupBy(await store.oldest(env_id, names, SHOWN_MAX), (row) => row.sort_name);
    return Promise.all(
      groups.map(async ({ name, total }) => {
        const contacts = await Promise.all((byName.get(name) ?? []).map(present));
        return { name, reasons: reasonsOf(contacts), contacts, total: Math.min(total, TOTAL_MAX), total_capped: total > TOTAL_MAX };
      }),
    );
  }
}

function readPlace(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidField("cursor", "bad_format", "The cursor is not one that this list gave: begin without it.");
  }
}
