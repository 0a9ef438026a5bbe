import { PAGE_DEFAULT, PAGE_MAX } from "./page.ts";

/** JSON Schema of the paging parameters, for `t.Integer` and `t.String` of a route's query. */
export const limitOptions = { minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT, description: "Items a page." };
export const offsetOptions = { minimum: 0, maximum: 1_000_000_000, default: 0, description: "Items to pass over; a cursor is faster." };
/** The longest cursor holds a name of a hundred letters, each of which may take nine characters, in base64. */
export const cursorOptions = { minLength: 1, maxLength: 1_500, description: "`next_cursor` of the page before." };

/** What a request gives of a query. */
export function givenOf<Query extends object>(query: Query): { [Name in keyof Query]?: Exclude<Query[Name], undefined> } {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as ReturnType<typeof givenOf<Query>>;
}

/** The schema of a page of these items, for the reference. */
export function pageSchema(item: object): object {
  return {
    type: "object",
    required: ["items", "total", "limit", "offset", "has_more", "next_cursor"],
    properties: {
      items: { type: "array", items: item },
      total: { type: "integer" },
      total_capped: {
        type: "boolean",
        description: "True when there are more than `total`, which is counted up to 10,000 under a filter.",
      },
      limit: { type: "integer" },
      offset: { type: "integer" },
      has_more: { type: "boolean" },
      next_cursor: { anyOf: [{ type: "string" }, { type: "null" }] },
    },
  };
}

/** An example of a page with one item. */
export function pageExample(item: object): object {
  return { items: [item], total: 1, limit: PAGE_DEFAULT, offset: 0, has_more: false, next_cursor: null };
}
