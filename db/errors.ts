import { AppError } from "#src/core/errors.ts";

/** What a failed statement means, whatever the engine. */
export function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return String(error.code);
}

/** A unique constraint was broken. */
export function isUniqueViolation(error: unknown): boolean {
  const code = codeOf(error);
  return code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY" || code === "23505";
}

const noRoom = new Set(["SQLITE_FULL", "53100"]);
const noStorage = ["SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY"];
/** SQLSTATE classes and postgres.js codes of a server that is away or has no room: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const serverAway = /^(08|53|57P|CONNECTION_|CONNECT_TIMEOUT|ECONNREFUSED|ECONNRESET|EPIPE)/;

/** Turns the failures that a repeat can mend (a full disk, a lost server) into a 503; leaves the rest as it is. */
export function asUnavailable(error: unknown): unknown {
  const code = codeOf(error);
  if (noRoom.has(code)) return unavailable("The disk that holds the data is full. Nothing was stored; make room and repeat.", error);
  if (noStorage.some((prefix) => code.startsWith(prefix)))
    return unavailable("The data could not be written. Nothing was stored; look at the disk and repeat.", error);
  if (serverAway.test(code)) return unavailable("The database does not answer. Nothing was stored; repeat shortly.", error);
  return error;
}

function unavailable(message: string, cause: unknown): AppError {
  return new AppError("unavailable", message, { retryAfter: 5, cause });
}
