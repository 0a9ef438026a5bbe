import { type AppError, type FieldErrorCode, invalidField } from "#src/core/errors.ts";

/** What is wrong with a part of a filter. @param path where it stands, such as `filter.and.0.value` */
export function fault(path: string, error: FieldErrorCode, is: string): AppError {
  return invalidField(path, error, `${path} ${is}.`);
}
