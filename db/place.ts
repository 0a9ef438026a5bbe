import { type RawBuilder, sql } from "kysely";
import type { Engine } from "./database.ts";
import type { EventRow } from "./schema.ts";

type Place = Pick<EventRow, "tx_id" | "seq">;

/**
 * What stands after a place. On SQLite all is told by `seq`, and said of it alone: of a comparison of pairs its planner makes a
 * range of their first members, which would be the whole log.
 */
export function isAfterPlace(engine: Engine, { tx_id, seq }: Place): RawBuilder<boolean> {
  return engine === "sqlite" ? sql`tx_id = 0 and seq > ${seq}` : sql`(tx_id, seq) > (${tx_id}, ${seq})`;
}

/** What stands at a place or before it. */
export function isUpToPlace(engine: Engine, { tx_id, seq }: Place): RawBuilder<boolean> {
  return engine === "sqlite" ? sql`tx_id = 0 and seq <= ${seq}` : sql`(tx_id, seq) <= (${tx_id}, ${seq})`;
}
