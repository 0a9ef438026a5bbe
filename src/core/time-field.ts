import { parseTime } from "./clock.ts";
import { invalidField } from "./errors.ts";

/** The moment (ms) that a client gave in a field or a filter. @throws AppError `validation_error` when it is none */
export function readTime(field: string, text: string): number {
  const at = parseTime(text);
  if (at === null) throw invalidField(field, "bad_format", `${field} is not a time such as 2030-01-01T09:00:00Z.`, text);
  return at;
}
