import type { Tx } from "#src/core/tx.ts";
import type { createContactFields, KnownFields } from "./fields.ts";
import { NO_VALUES } from "./fields.ts";
import { isFoundOtherwise } from "./happenings.ts";
import { wordsOfContact } from "./present.ts";
import type { ContactRow, ContactStore } from "./store.ts";
import { compareTags } from "./tags.ts";

type Custom = Pick<ReturnType<typeof createContactFields>, "index">;

/** Changes a contact's row together with all that it is looked up by. Tells nobody: that is for the caller. */
export function createRowWriter(store: ContactStore, custom: Custom) {
  return {
    /** Brings the row, its words, tags and values from what they were to what they are. */
    replace(tx: Tx, before: ContactRow, after: ContactRow, known: KnownFields): void {
      store.update(tx, after);
      if (isFoundOtherwise(before, after)) store.keepWords(tx, after, wordsOfContact(after));
      const { added, removed } = compareTags(before.tags, after.tags);
      for (const tag of added) store.addTag(tx, before, tag);
      for (const tag of removed) store.removeTag(tx, before, tag);
      if (after.fields !== before.fields) custom.index(tx, before, before.fields, after.fields, known);
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
