import type { TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { fromValidation } from "./problem.ts";

interface Route {
  method: string;
  path: string;
  hooks: { body?: unknown };
}

/**
 * Holds bodies against the schemas of their routes, ahead of Elysia, whose own error makes texts of the values that it
 * refuses: that takes long for large ones, and fails for `{"toString":1}`.
 * @param routes asked once, with the first body
 */
export function createBodyCheck(routes: () => readonly Route[]): (method: string, path: string, body: unknown) => void {
  let checks: Map<string, TypeCheck<TSchema>> | undefined;
  return (method, path, body) => {
    checks ??= compileAll(routes());
    const check = checks.get(`${method} ${path}`);
    if (check === undefined || check.Check(body)) return;
    const faults: Iterable<object> = check.Errors(body);
    throw fromValidation(faults, "body");
  };
}

function compileAll(routes: readonly Route[]): Map<string, TypeCheck<TSchema>> {
  const withBody = routes.filter(({ hooks }) => typeof hooks.body === "object" && hooks.body !== null);
  return new Map(withBody.map(({ method, path, hooks }) => [`${method} ${path}`, TypeCompiler.Compile(hooks.body as TSchema)]));
}
