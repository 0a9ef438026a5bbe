import { type Selectable, type SelectQueryBuilder, sql } from "kysely";
import { TOTAL_MAX } from "#src/core/page.ts";
import type { Database } from "./database.ts";
import type { Schema } from "./schema.ts";

/** Tables whose ids are in the order of their making. */
type Listed = "audit" | "sequences" | "merges" | "messages" | "segments" | "suppressions" | "tasks" | "templates" | "files";

/** A page of what a query narrows down to, newest first. @param before the last id of the page before */
export function newestFirst<Table extends Listed>(
  query: SelectQueryBuilder<Schema, Table, object>,
  { before, offset, most }: { before: string | null; offset: number; most: number },
): Promise<Selectable<Schema[Table]>[]> {
  const rows = (query as unknown as SelectQueryBuilder<Schema, Listed, object>)
    .selectAll()
    .$if(before !== null, (q) => q.where(sql.ref("id"), "<", before))
    .orderBy(sql.ref("id"), "desc")
    .offset(offset)
    .limit(most);
  return rows.execute() as never;
}

/**
 * How many rows a query narrows down to, counted beside the main thread.
 * @param filtered then they are counted up to TOTAL_MAX
 */
export async function countRows<Tables, Table extends keyof Tables>(
  db: Database,
  query: SelectQueryBuilder<Tables, Table, object>,
  filtered: boolean,
): Promise<{ total: number; capped: boolean }> {
  const some = query.select(sql<number>`1`.as("one")).$if(filtered, (q) => q.limit(TOTAL_MAX + 1));
  const [row] = await db.slowly(db.read.selectFrom(some.as("some")).select(({ fn }) => fn.countAll<number>().as("total")));
  const total = row?.total ?? 0;
  return filtered && total > TOTAL_MAX ? { total: TOTAL_MAX, capped: true } : { total, capped: false };
}
