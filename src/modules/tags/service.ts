import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage, TOTAL_MAX } from "#src/core/page.ts";
import type { Tag, TagFilter } from "./model.ts";
import type { TagCount, TagStore } from "./store.ts";

export type TagService = ReturnType<typeof createTagService>;

/** Tags exist as long as a contact has them: there is nothing to make or delete. */
export function createTagService({ store }: { store: TagStore }) {
  return {
    /** In the order of the tags. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, { search }: TagFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Tag>> {
      const prefix = search?.trimStart().replaceAll(/\s+/g, " ") || undefined;
      const after = cursor === undefined ? null : readPlace(decodeCursor("tags", env_id, cursor));
      const [rows, count] = await Promise.all([store.page(env_id, prefix, after, offset, limit + 1), store.total(env_id, prefix)]);
      return toPage(rows, { list: "tags", env_id, limit, offset }, count, present, ({ tag }) => writePlace(tag));
    },
  };
}

/** In ASCII, as cursors have it. */
const writePlace = (tag: string) => Buffer.from(tag).toString("base64url");
/** Without the NUL that no tag holds, and no database takes. */
const readPlace = (place: string) => Buffer.from(place, "base64url").toString("utf8").replaceAll("\0", "");

function present({ tag, contacts }: TagCount): Tag {
  return contacts > TOTAL_MAX ? { tag, contacts: TOTAL_MAX, contacts_capped: true } : { tag, contacts };
}
