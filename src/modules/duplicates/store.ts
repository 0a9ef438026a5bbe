import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { ContactRow } from "#db/schema-people.ts";

/** Who shares a name, in its folded form. */
export interface NameGroup {
  name: string;
  total: number;
}

/** Reads the index of names in its order, beside the main thread. */
export function createDuplicateStore(db: Database) {
  const named = (env_id: number) => db.read.selectFrom("contacts").where("env_id", "=", env_id).where("deleted_at", "is", null);

  return {
    /** The name of the contact that comes so many contacts after a name; undefined where there are fewer. */
    async nameAhead(env_id: number, after: string, contacts: number): Promise<string | undefined> {
      const query = named(env_id)
        .select("sort_name")
        .where("sort_name", ">", after)
        .orderBy("sort_name")
        .offset(contacts - 1)
        .limit(1);
      return (await db.slowly(query))[0]?.sort_name;
    },
    /** Names that several have, from after one until before another. */
    groups(env_id: number, after: string, before: string | undefined, most: number): Promise<NameGroup[]> {
      const query = named(env_id)
        .select(({ fn }) => ["sort_name as name", fn.countAll<number>().as("total")])
        .where("sort_name", ">", after)
        .$if(before !== undefined, (q) => q.where("sort_name", "<", before!))
        .groupBy("sort_name")
        .having(({ fn }) => fn.countAll(), ">", 1)
        .orderBy("sort_name")
        .limit(most);
      return db.slowly(query);
    },
    /** How many have a name, counted up to `most`. */
    async holders(env_id: number, name: string, most: number): Promise<number> {
      const some = named(env_id)
        .select(sql<number>`1`.as("one"))
        .where("sort_name", "=", name)
        .limit(most);
      const [row] = await db.slowly(db.read.selectFrom(some.as("some")).select(({ fn }) => fn.countAll<number>().as("total")));
      return row?.total ?? 0;
    },
    /** The oldest of each name. */
    async oldest(env_id: number, names: readonly string[], most: number): Promise<ContactRow[]> {
      const [first, ...others] = names.map((name) =>
        db.read.selectFrom(named(env_id).selectAll().where("sort_name", "=", name).orderBy("id").limit(most).as("some")).selectAll(),
      );
      if (first === undefined) return [];
      return db.slowly(others.reduce((all, one) => all.unionAll(one), first));
    },
  };
}

export type { ContactRow };
export type DuplicateStore = ReturnType<typeof createDuplicateStore>;
