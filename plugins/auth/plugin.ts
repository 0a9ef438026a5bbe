import { Elysia } from "elysia";
import { AppError } from "#src/core/errors.ts";
import type { OperationDoc } from "#src/core/operation.ts";
import type { Principal } from "#src/core/principal.ts";
import { contextOf, type RequestContext } from "#src/core/request.ts";

interface Needs {
  /** @returns null for a key that does not open anything */
  authenticate(key: string, address: string): Promise<Principal | null> | Principal | null;
  /** Counts the request; sets its headers. @throws AppError `rate_limit_exceeded` */
  limit(principal: Principal, headers: Record<string, string | number>): void;
  /** Limits those who have no valid key, by address. */
  limitStranger(address: string, headers: Record<string, string | number>): void;
  /** Throws what is wrong with the input, after the key is known to be allowed. */
  checkInput(request: Request, route: string, body: unknown): void;
  /** Called once, when all routes are there. */
  routes(): readonly { method: string; path: string; hooks: { detail?: { "x-operation"?: OperationDoc } } }[];
}

/**
 * Tells who asks and whether they may, before anything is looked at that they sent.
 * Every route declares its scope (`detail: operation({ scope })`); one that doesn't is refused.
 */
export function auth({ authenticate, limit, limitStranger, checkInput, routes }: Needs) {
  let operations: Map<string, OperationDoc> | undefined;

  function operationAt(method: string, route: string): OperationDoc {
    operations ??= indexOperations(routes());
    const found = operations.get(`${method} ${route}`);
    if (found === undefined) throw new Error(`${method} ${route} declares no operation`);
    return found;
  }

  function admit(principal: Principal | null, context: RequestContext, doc: OperationDoc, headers: Record<string, string | number>): void {
    if (principal === null) {
      limitStranger(context.address, headers);
      throw unauthorized(headers);
    }
    context.principal = principal;
    limit(principal, headers);
    checkScope(doc, principal);
  }

  return new Elysia({ name: "auth" }).onTransform({ as: "global" }, ({ request, route, set, body }) => {
    const context = contextOf(request);
    const doc = operationAt(request.method, route);
    context.operation = doc.id;
    const headers = set.headers as Record<string, string>;
    if (doc.scope === null) return checkInput(request, route, body);
    const principal = authenticate(bearerOf(request), context.address);
    if (!(principal instanceof Promise)) {
      admit(principal, context, doc, headers);
      return checkInput(request, route, body);
    }
    return principal.then((found) => {
      admit(found, context, doc, headers);
      checkInput(request, route, body);
    });
  });
}

/** @throws Error for a route that declares no operation, so that none goes out unguarded */
export function indexOperations(routes: ReturnType<Needs["routes"]>): Map<string, OperationDoc> {
  const found = new Map<string, OperationDoc>();
  for (const { method, path, hooks } of routes) {
    const doc = hooks.detail?.["x-operation"];
    if (doc === undefined) throw new Error(`${method} ${path} declares no operation: give it detail: operation({…})`);
    found.set(`${method} ${path}`, doc);
  }
  return found;
}

/** The key of `Authorization: Bearer …`, or an empty text that opens nothing. */
function bearerOf(request: Request): string {
  const header = request.headers.get("authorization");
  if (header === null || header.length < 8 || header.slice(0, 7).toLowerCase() !== "bearer ") return "";
  return header.slice(7).trim();
}

function unauthorized(headers: Record<string, string | number>): AppError {
  headers["www-authenticate"] = "Bearer";
  return new AppError(
    "unauthorized",
    "No valid API key was given: send Authorization: Bearer <key> with one that is neither revoked nor expired.",
  );
}

function checkScope({ scope }: OperationDoc, principal: Principal): void {
  if (scope === "any" || scope === null) return;
  const sufficient = typeof scope === "string" ? [scope] : scope;
  if (sufficient.some((one) => principal.scopes.has(one))) return;
  const [required_scope] = sufficient;
  throw new AppError("forbidden", `This key lacks the scope ${sufficient.join(" or ")}.`, { members: { required_scope } });
}
