import { type RawBuilder, sql } from "kysely";
import type { Database } from "#db/database.ts";
import { TOTAL_MAX } from "#src/core/page.ts";

export interface TagCount {
  tag: string;
  /** Up to one more than TOTAL_MAX. */
  contacts: number;
}

/** Tags in use, out of the index of who has which. Read beside the main thread. */
export function createTagStore(db: Database) {
  const run = <Row>(query: RawBuilder<Row>): Promise<Row[]> => db.slowly({ compile: () => query.compile(db.read) });

  /** Steps from one tag to the next, however many contacts have each: https://wiki.postgresql.org/wiki/Loose_indexscan */
  function walk(env_id: number, prefix: string | undefined, after: string | null): RawBuilder<unknown> {
    const next = (beyond: RawBuilder<unknown>) => sql`(select min(tag) from contact_tags where env_id = ${env_id} ${beyond})`;
    // On SQLite texts are in the order of their bytes, so those with a prefix stand together.
    const isRange = db.engine === "sqlite" && prefix !== undefined;
    const from = isRange ? sql`and tag >= ${prefix}` : sql``;
    const begin = after === null ? from : sql`${from} and tag > ${after}`;
    const until = isRange ? sql`and substr(w.tag, 1, length(${prefix})) = ${prefix}` : sql``;
    return sql`with recursive w(tag) as (
      select ${next(begin)} union all select ${next(sql`and tag > w.tag`)} from w where w.tag is not null ${until}
    )`;
  }

  const begins = (prefix: string | undefined): RawBuilder<unknown> => {
    if (prefix === undefined) return sql``;
    return db.engine === "sqlite" ? sql`and substr(w.tag, 1, length(${prefix})) = ${prefix}` : sql`and starts_with(w.tag, ${prefix})`;
  };

  return {
    /** In the order of the tags. */
    page: (env_id: number, prefix: string | undefined, after: string | null, offset: number, most: number): Promise<TagCount[]> =>
      run(sql<TagCount>`${walk(env_id, prefix, after)}
        select p.tag as tag, (select count(*) from (
          select 1 from contact_tags as t where t.env_id = ${env_id} and t.tag = p.tag limit ${TOTAL_MAX + 1}
        ) as having_it) as contacts
        from (select w.tag from w where w.tag is not null ${begins(prefix)} limit ${most} offset ${offset}) as p`),
    /** Exact for all of an environment's tags; under a prefix up to TOTAL_MAX. */
    async total(env_id: number, prefix: string | undefined): Promise<{ total: number; capped: boolean }> {
      const most = prefix === undefined ? sql`` : sql`limit ${TOTAL_MAX + 1}`;
      const [row] = await run(sql<{ total: number }>`${walk(env_id, prefix, null)}
        select count(*) as total from (select 1 from w where w.tag is not null ${begins(prefix)} ${most}) as found`);
      const total = row?.total ?? 0;
      return prefix !== undefined && total > TOTAL_MAX ? { total: TOTAL_MAX, capped: true } : { total, capped: false };
    },
  };
}

export type TagStore = ReturnType<typeof createTagStore>;
