import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { fieldErrors } from "#src/core/errors.ts";
import { fromValidation } from "#plugins/errors/problem.ts";
import { ExitError } from "./command.ts";

/**
 * Holds what was given on a command line against the schema that the API has for it.
 * @throws ExitError with code 2 and a line for each flag
 */
export function checkFlags<Schema extends TSchema>(schema: Schema, given: Record<string, unknown>): Static<Schema> {
  const value = Object.fromEntries(Object.entries(given).filter(([, one]) => one !== undefined));
  if (Value.Check(schema, value)) return value;
  const faults = fromValidation([...Value.Errors(schema, value)] as object[], "flags").details ?? [];
  const lines = faults.map(({ field, error, received }) => {
    const flag = `--${field.replace(/\.\d+$/, "").replaceAll("_", "-")}`;
    return `error: ${flag}${received === undefined ? "" : ` ${JSON.stringify(received)}`}: ${fieldErrors[error]}`;
  });
  throw new ExitError(lines.join("\n"), 2);
}

/** A flag that takes a whole number. @throws ExitError with code 2 */
export function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ExitError(`error: ${flag} ${JSON.stringify(text)}: a whole number is accepted`, 2);
}

/** A flag that takes a list. */
export function commaList(text: string | undefined): string[] | undefined {
  return text?.split(",").map((item) => item.trim());
}
