import { readFileSync } from "node:fs";

export interface Argument {
  name: string;
  type: string;
  typeModifiers?: { predicate?: string; isVector?: boolean };
}

/** A constructor or method of Telegram's API, as mtcute's copy of the schema writes it. */
interface Entry {
  kind: "class" | "method";
  name: string;
  id: number;
  type: string;
  arguments: Argument[];
}

const path = Bun.fileURLToPath(import.meta.resolve("@mtcute/core/tl/api-schema.json"));
const { e: entries } = JSON.parse(readFileSync(path, "utf8")) as { e: Entry[] };
const classes = entries.filter(({ kind }) => kind === "class");
const methods = entries.filter(({ kind }) => kind === "method");

export const methodById = new Map(methods.map((entry) => [entry.id >>> 0, entry]));
export const methodByName = new Map(methods.map((entry) => [entry.name, entry]));
export const classByName = new Map(classes.map((entry) => [entry.name, entry]));
/** The first constructor of each type stands in where any will do. */
export const classOfType = new Map(classes.toReversed().map((entry) => [entry.type, entry]));

/** `random_id` in the schema is `randomId` in objects. */
export function memberOf({ name }: Argument): string {
  return name.replace(/_([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());
}
