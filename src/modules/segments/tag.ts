import { tidyText } from "#src/core/search-text.ts";
import { TAG_LENGTH_MAX } from "#src/modules/contacts/model.ts";
import { fault } from "./fault.ts";
import type { Filter, ReadFilter } from "./tree.ts";
import { readText } from "./values.ts";

/** @throws AppError `validation_error` */
export function readTag(at: string, given: Filter): ReadFilter {
  const path = `${at}.tag`;
  const tag = tidyText(readText(path, given["tag"]));
  if (tag.length > TAG_LENGTH_MAX) throw fault(path, "too_long", `has at most ${TAG_LENGTH_MAX} characters`);
  return { kept: { tag }, condition: { tag } };
}
