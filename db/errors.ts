import { AppError } from "#src/core/errors.ts";

/** What a failed statement means, whatever the engine: an SQLITE_… name, an SQLSTATE, or the driver's own code. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  // Bun's PostgreSQL client keeps the SQLSTATE beside a code of its own.
  if (error.code === "ERR_POSTGRES_SERVER_ERROR" && "errno" in error) return String(error.errno);
  return String(error.code);
}

/** A unique constraint was broken. */
export function isUniqueViolation(error: unknown): boolean {
  const code = codeOf(error);
  return code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY" || code === "23505";
}

const noRoom = new Set(["SQLITE_FULL", "53100"]);
const noStorage = /^SQLITE_(IOERR|CANTOPEN|READONLY)/;
/** SQLSTATE classes of a server that is away or has no room, and what Bun's client says without one: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const serverAway = /^(08|53|57P|ERR_POSTGRES_CONNECTION_|ECONN|ENOTFOUND|EPIPE|ETIMEDOUT)/;

/** Turns the failures that a repeat can mend (a full disk, a lost server) into a 503; leaves the rest as it is. */
export function asUnavailable(error: unknown): unknown {
  const code = codeOf(error);
  if (noRoom.has(code)) return unavailable("The disk that holds the data is full. Nothing was stored; make room and repeat.", error);
  if (noStorage.test(code)) return unavailable("The data could not be written. Nothing was stored; look at the disk and repeat.", error);
  // A connection that breaks during COMMIT leaves open whether it was stored.
  if (serverAway.test(code)) return unavailable("The database does not answer. Repeat shortly, with the same Idempotency-Key.", error);
  return error;
}

function unavailable(message: string, cause: unknown): AppError {
  return new AppError("unavailable", message, { retryAfter: 5, cause });
}
