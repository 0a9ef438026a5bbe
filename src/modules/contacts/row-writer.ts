import type { Tx } from "#src/core/tx.ts";
import type { createContactFields, KnownFields } from "./fields.ts";
import { NO_VALUES } from "./fields.ts";
import { isFoundOtherwise, wordsOfContact } from "./present.ts";
import type { ContactRow, ContactStore } from "./store.ts";

type Custom = Pick<ReturnType<typeof createContactFields>, "index">;

/** Changes a contact's row together with all that it is looked up by. Tells nobody: that is for the caller. */
export function createRowWriter(store: ContactStore, custom: Custom) {
  return {
    /** @returns the tags that came and went */
    replace(tx: Tx, before: ContactRow, after: ContactRow, known: KnownFields): { added: string[]; removed: string[] } {
      store.update(tx, after);
      if (isFoundOtherwise(before, after)) store.keepWords(tx, after, wordsOfContact(after));
      const [had, has] = [before, after].map((row) => new Set(JSON.parse(row.tags) as string[])) as [Set<string>, Set<string>];
      const [added, removed] = [[...has.difference(had)], [...had.difference(has)]];
      for (const tag of added) store.addTag(tx, before, tag);
      for (const tag of removed) store.removeTag(tx, before, tag);
      if (after.fields !== before.fields) custom.index(tx, before, before.fields, after.fields, known);
      return { added, removed };
    },

    /** Takes a contact out of every list; the tally is the caller's. @param deleted_at ms */
    remove(tx: Tx, row: ContactRow, known: KnownFields, deleted_at: number): void {
      store.update(tx, { ...row, deleted_at, updated_at: deleted_at });
      store.keepWords(tx, row, []);
      for (const tag of JSON.parse(row.tags) as string[]) store.removeTag(tx, row, tag);
      custom.index(tx, row, row.fields, NO_VALUES, known);
    },
  };
}
