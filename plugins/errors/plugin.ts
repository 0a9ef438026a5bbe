import { Elysia } from "elysia";
import { AppError } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import { contextOf } from "#src/core/request.ts";
import { fromValidation, toProblem } from "./problem.ts";

interface Needs {
  log: Log;
  public_url: string;
  /** The methods that an address has, for a 405; empty for an address that there is not. */
  methodsOf(path: string): string[];
}

/** The one place that turns errors into answers. */
export function errors({ log, public_url, methodsOf }: Needs) {
  return new Elysia({ name: "errors" }).onError({ as: "global" }, ({ error, code, request, set }) => {
    const context = contextOf(request);
    const url = new URL(request.url);
    const instance = url.pathname;
    const expected =
      code === "NOT_FOUND" ? missing(request.method, instance, methodsOf(instance)) : translate(error, code, url.searchParams);
    if (expected.code === "internal_error")
      log.error("a request failed", { request_id: context.id, operation: context.operation, error: withoutValues(error) });
    const problem = toProblem(expected, { public_url, instance, request_id: context.id });
    context.problem = problem.code;
    set.status = problem.status;
    Object.assign(set.headers, problem.headers);
    return problem.body;
  });
}

function missing(method: string, path: string, methods: string[]): AppError {
  if (methods.length === 0) return new AppError("not_found", `There is no ${path} here: /swagger lists every address.`);
  const allow = methods.flatMap((one) => (one === "GET" ? ["GET", "HEAD"] : [one])).join(", ");
  return new AppError("method_not_allowed", `${path} has no ${method}; it has ${allow}.`, { headers: { Allow: allow } });
}

function translate(error: unknown, code: unknown, query: URLSearchParams): AppError {
  if (error instanceof AppError) return error;
  if (code === "VALIDATION") return fromFault(error as ValidatorFault, query);
  if (code === "PARSE") {
    // Elysia wraps whatever reading the body throws.
    const { cause } = error as Error;
    return cause instanceof AppError ? cause : new AppError("bad_request", "The body is not well-formed JSON.");
  }
  return internalError();
}

/** What Elysia's validator threw. */
interface ValidatorFault {
  /** Which part of the request; `property` for a number in the address that is out of range. */
  type?: string;
  all?: Iterable<object>;
  value?: unknown;
}

function fromFault({ type = "body", all = [], value }: ValidatorFault, query: URLSearchParams): AppError {
  // A response that doesn't fit its schema is our own fault.
  if (type === "response") return internalError();
  if (type !== "params" && type !== "property") return fromValidation(all, type);
  const [name] = [...query].find(([, text]) => type === "property" && Number(text) === value) ?? [];
  // What can't be an id names nothing.
  return name === undefined ? new AppError("not_found", "There is no such thing in this environment.") : fromValidation(all, name);
}

function internalError(): AppError {
  return new AppError("internal_error", "Something failed on our side. Nothing was done; report the request_id.");
}

/** An unexpected error may carry what a client sent: its message and stack are kept, its other members are not. */
function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return { name: typeof error };
  return { name: error.name, message: error.message.slice(0, 300), stack: error.stack };
}
