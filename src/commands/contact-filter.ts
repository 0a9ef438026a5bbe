import { Option } from "commander";
import type { ContactFilter } from "#src/modules/contacts/model.ts";

export interface ContactFilterFlags {
  search?: string;
  tag?: string;
  createdAfter?: string;
  createdBefore?: string;
}

/** The flags that narrow contacts, as the parameters of the API do. */
export const contactFilterOptions = (): Option[] => [
  new Option("--search <text>", "words, or beginnings of words, of name, username, email or phone"),
  new Option("--tag <tag>", "who has this tag"),
  new Option("--created-after <time>", "made at this time or later, such as 2030-01-01T00:00:00Z"),
  new Option("--created-before <time>", "made before this time"),
];

export function contactFilterOf({ search, tag, createdAfter, createdBefore }: ContactFilterFlags): ContactFilter {
  return {
    ...(search === undefined ? {} : { search }),
    ...(tag === undefined ? {} : { tag }),
    ...(createdAfter === undefined ? {} : { created_after: createdAfter }),
    ...(createdBefore === undefined ? {} : { created_before: createdBefore }),
  };
}
