import { tidyText } from "#src/core/search-text.ts";

/** The ways in which a person's name is kept; each tells the others where they are not given. */
export interface Names {
  name: string | null;
  first_name: string | null;
  last_name: string | null;
}

/** Given names go before what was there, and the whole follows its parts or the parts the whole. */
export function mergeNames(before: Names, given: { [Part in keyof Names]?: string | null }): Names {
  const clean = (text: string | null) => (text === null ? null : tidyText(text) || null);
  const partsGiven = given.first_name !== undefined || given.last_name !== undefined;
  if (given.name === undefined && !partsGiven) return { name: before.name, first_name: before.first_name, last_name: before.last_name };
  if (!partsGiven) return split(clean(given.name ?? null));
  const first_name = given.first_name === undefined ? before.first_name : clean(given.first_name);
  const last_name = given.last_name === undefined ? before.last_name : clean(given.last_name);
  const name = given.name === undefined ? clean(`${first_name ?? ""} ${last_name ?? ""}`) : clean(given.name);
  return { name, first_name, last_name };
}

function split(name: string | null): Names {
  if (name === null) return { name, first_name: null, last_name: null };
  const space = name.indexOf(" ");
  return space === -1
    ? { name, first_name: name, last_name: null }
    : { name, first_name: name.slice(0, space), last_name: name.slice(space + 1) };
}
