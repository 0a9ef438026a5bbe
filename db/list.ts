import { type RawBuilder, sql } from "kysely";
import type { Engine } from "./database.ts";

/** A list of texts as one value of a prepared statement: a JSON array. For `where("id", "in", listOf(…))`. */
export function listOf(engine: Engine, json: string): RawBuilder<string> {
  return engine === "sqlite"
    ? sql<string>`(select value from json_each(${json}))`
    : sql<string>`(select value from json_array_elements_text(${json}::text::json))`;
}
