import { AppError, type FieldErrorCode, type FieldFault } from "#src/core/errors.ts";

/** What is wrong with a definition, at one place. */
export type Fault = FieldFault & { message: string };

/** A refusal tells so many, and how many more there are. */
const FAULTS_MAX = 100;

/** @param message what to do about it; never repeats a text that is sent */
export function faultAt(field: string, error: FieldErrorCode, message: string, received?: unknown): Fault {
  return { field, error, message, ...(received === undefined ? {} : { received }) };
}

/** @returns what `work` refuses, as faults of a part of the definition @param at where the part stands, such as `steps.3` */
export async function caught(at: string, work: () => unknown): Promise<Fault[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return faultsOf(at, error);
  }
}

/** The same of work that doesn't wait. */
export function caughtAtOnce(at: string, work: () => unknown): Fault[] {
  try {
    work();
    return [];
  } catch (error) {
    return faultsOf(at, error);
  }
}

function faultsOf(at: string, error: unknown): Fault[] {
  if (!(error instanceof AppError) || error.code !== "validation_error") throw error;
  return (error.details ?? []).map((detail) => ({ ...detail, field: `${at}.${detail.field}`, message: error.message }));
}

/** @throws AppError `validation_error` with all of them, when there are any */
export function refuse(faults: readonly Fault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const more = faults.length - 1;
  const message = `${first.field}: ${first.message}${more === 0 ? "" : ` There ${more === 1 ? "is 1 more fault" : `are ${more} more faults`}: see details.`}`;
  throw new AppError("validation_error", message, { details: faults.slice(0, FAULTS_MAX) });
}
