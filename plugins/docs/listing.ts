import { swagger } from "@elysiajs/swagger";
import type { InternalRoute } from "elysia";
import type { ListedPaths } from "./openapi.ts";

const SPEC_PATH = "/json";

/**
 * What @elysiajs/swagger makes of these routes. It asks for them as Elysia lets any plugin ask, and is not part of the app,
 * so that neither its pages, which load scripts from elsewhere, nor its document, which is not valid, can be reached.
 * @throws Error for a route whose query or path parameters are no plain object: they would silently be missing
 */
export async function listOperations(routes: readonly InternalRoute[]): Promise<ListedPaths> {
  const shown = routes.filter((route) => route.hooks.detail?.hide !== true);
  for (const { method, path, hooks } of shown) {
    for (const part of ["query", "params"] as const) {
      const schema: unknown = hooks[part];
      if (schema === undefined || (typeof schema === "object" && schema !== null && "properties" in schema)) continue;
      throw new Error(`${method} ${path} has a ${part} schema without properties, which the reference can't show`);
    }
  }
  const lister = swagger({ path: "/page", specPath: SPEC_PATH, excludeStaticFile: false });
  Object.assign(lister, { getGlobalRoutes: () => shown });
  const answer = await lister.handle(new Request(`http://localhost${SPEC_PATH}`));
  const { paths } = (await answer.json()) as { paths: ListedPaths };
  return paths;
}
