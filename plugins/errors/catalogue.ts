import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { AppError } from "#src/core/errors.ts";
import { operation } from "#src/core/operation.ts";
import { prefersJson } from "./accept.ts";
import { entries, meaningsOf } from "./catalogue-entries.ts";
import { cataloguePage, codePage, pagePolicy } from "./catalogue-page.ts";

const CatalogueEntry = Type.Object(
  {
    kind: Type.Union([Type.Literal("problem"), Type.Literal("field_error"), Type.Literal("outcome")]),
    code: Type.String(),
    status: Type.Union([Type.Integer(), Type.Null()], { description: "HTTP status of a problem." }),
    title: Type.String(),
    fix: Type.Union([Type.String(), Type.Null()], { description: "What to do about a problem." }),
  },
  { $id: "CatalogueEntry" },
);
const Entries = Type.Array(CatalogueEntry);

/** `/errors` and `/errors/{code}`: every stable code, as JSON for those who prefer it, else as a page. */
export function catalogue() {
  return new Elysia({ name: "errors-catalogue" })
    .get("/errors", ({ request }) => answer(request, entries, cataloguePage), {
      detail: operation({
        id: "errors.list",
        summary: "List the error codes",
        description: "A page to read, or JSON where `Accept` prefers it.",
        tag: "Service",
        scope: null,
        answers: {
          200: {
            description: "The codes of problems, of refused fields and of messages that were not delivered.",
            schema: Type.Object({ problems: Entries, field_errors: Entries, outcomes: Entries }),
            example: { problems: meaningsOf("conflict"), field_errors: meaningsOf("taken"), outcomes: meaningsOf("recipient_blocked") },
          },
        },
      }),
    })
    .get(
      "/errors/:code",
      ({ request, params }) => {
        const { code } = params;
        const meanings = meaningsOf(code);
        if (meanings.length === 0) throw new AppError("not_found", "There is no such error code; /errors lists them all.");
        return answer(request, { code, meanings }, () => codePage(code, meanings));
      },
      {
        detail: operation({
          id: "errors.get",
          summary: "Explain an error code",
          description: "What the `type` of a problem points at. A page to read, or JSON where `Accept` prefers it.",
          tag: "Service",
          scope: null,
          answers: {
            200: {
              description: "Everything that the code can mean.",
              schema: Type.Object({ code: Type.String(), meanings: Entries }),
              example: { code: "not_found", meanings: meaningsOf("not_found") },
            },
          },
        }),
      },
    );
}

function answer(request: Request, json: object, html: () => string): Response {
  const headers = { vary: "accept", "x-content-type-options": "nosniff" };
  if (prefersJson(request.headers.get("accept"))) return Response.json(json, { headers });
  return new Response(html(), {
    headers: {
      ...headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": pagePolicy,
      "referrer-policy": "no-referrer",
    },
  });
}
