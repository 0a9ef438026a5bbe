import { Option } from "commander";
import type { ContactFilter } from "#src/modules/contacts/model.ts";
import type { SegmentService } from "#src/modules/segments/service.ts";
import { ExitError } from "./command.ts";

export interface ContactFilterFlags {
  search?: string;
  tag?: string;
  field?: string;
  segment?: string;
  createdAfter?: string;
  createdBefore?: string;
}

/** The flags that narrow contacts, as the parameters of the API do. */
export const contactFilterOptions = (): Option[] => [
  new Option("--search <text>", "words, or beginnings of words, of name, username, email or phone"),
  new Option("--tag <tag>", "who has this tag"),
  new Option("--field <key:value>", "who has this value in a custom field, such as plan:starter"),
  new Option("--segment <segment>", "who is in this segment, by its id or name"),
  new Option("--created-after <time>", "made at this time or later, such as 2030-01-01T00:00:00Z"),
  new Option("--created-before <time>", "made before this time"),
];

/** @throws ExitError when there is no such segment */
export async function contactFilterOf(segments: SegmentService, env_id: number, flags: ContactFilterFlags): Promise<ContactFilter> {
  const { search, tag, field, createdAfter, createdBefore } = flags;
  const segment = flags.segment === undefined ? undefined : await segments.idOf(env_id, flags.segment);
  if (flags.segment !== undefined && segment === undefined) throw new ExitError(`there is no segment ${flags.segment} in this environment`);
  return {
    ...(search === undefined ? {} : { search }),
    ...(tag === undefined ? {} : { tag }),
    ...(field === undefined ? {} : { field }),
    ...(segment === undefined ? {} : { segment }),
    ...(createdAfter === undefined ? {} : { created_after: createdAfter }),
    ...(createdBefore === undefined ? {} : { created_before: createdBefore }),
  };
}
