import { Elysia, type InternalRoute } from "elysia";
import { operation } from "#src/core/operation.ts";
import { assets } from "./assets.ts";
import { cached } from "./cached.ts";
import { buildDocument, type DocumentOptions } from "./document.ts";
import { redocPage, swaggerPage } from "./pages.ts";

export interface DocsOptions extends DocumentOptions {
  /** The routes of the whole app, asked for on the first request. */
  routes: () => readonly InternalRoute[];
}

/** Always asked for again, never sent again: a new executable may have another one. */
const REVALIDATE = { "cache-control": "no-cache" };

/** Scripts and styles change with the executable alone. */
const AN_HOUR = { "cache-control": "public, max-age=3600" };

/**
 * The reference: `/openapi.json` (also `/swagger/json`), `/swagger` and `/redoc`, which ask no other host for anything.
 * The document is made once, on its first request; what is wrong with a route's description is raised then.
 */
export function docs(options: DocsOptions) {
  const json = cached({ "content-type": "application/json", ...REVALIDATE }, async () =>
    JSON.stringify(await buildDocument(options, options.routes())),
  );
  const app = new Elysia({ name: "docs" })
    .get("/openapi.json", ({ request }) => json.answer(request), {
      detail: operation({
        id: "reference.openapi",
        summary: "The OpenAPI document",
        description: "This reference for programs; `/swagger` and `/redoc` show it to people.",
        tag: "Service",
        scope: null,
        answers: { 200: { description: "An OpenAPI 3.1 document.", schema: { type: "object" } } },
      }),
    })
    .get("/swagger/json", ({ request }) => json.answer(request), hidden("reference.swagger_json"));
  for (const [path, { html, policy }] of Object.entries({ "/swagger": swaggerPage, "/redoc": redocPage })) {
    const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, "referrer-policy": "no-referrer" };
    const page = cached({ ...headers, ...REVALIDATE }, () => Promise.resolve(html(options.title)));
    app.get(path, ({ request }) => page.answer(request), hidden(`reference${path.replace("/", ".")}`));
  }
  for (const [path, { type, read }] of Object.entries(assets)) {
    const asset = cached({ "content-type": type, ...AN_HOUR }, read);
    app.get(path, ({ request }) => asset.answer(request), hidden("reference.asset"));
  }
  return app;
}

/** Open to all like the document, and no part of it. */
function hidden(id: string) {
  const doc = operation({
    id,
    summary: "Part of the reference",
    tag: "Service",
    scope: null,
    answers: { 200: { description: "The file." } },
  });
  return { detail: { ...doc, hide: true } };
}
