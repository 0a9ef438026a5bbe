import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { batchAskExample, batchExample, newExample, suppressionExample as example } from "./examples.ts";
import { NewSuppression, shownReasons, Suppression, SuppressionBatch, SuppressionBatchAnswer } from "./model.ts";
import type { SuppressionService } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("sup"), description: "`sup_…`" }) });
const tag = "Suppressions";

export function suppressionRoutes(suppressions: SuppressionService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/suppressions",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => {
          const { suppression, created } = await suppressions.create(tx, principal, body);
          return { status: created ? 201 : 200, body: suppression };
        }),
      {
        body: NewSuppression,
        detail: operation({
          id: "suppressions.create",
          summary: "Suppress a recipient",
          description:
            "From then on nothing is sent to this person, also not what is queued already: it ends as `recipient_suppressed`. The same person and channel again changes nothing and is a 200 with the suppression that is there.",
          tag,
          scope: "write:contacts",
          example: newExample,
          answers: {
            201: { description: "The suppression.", schema: Suppression, example },
            200: { description: "The suppression that was there before.", schema: Suppression, example },
          },
        }),
      },
    )
    .post(
      "/v1/suppressions/batch",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await suppressions.createBatch(tx, principal, body),
        })),
      {
        body: SuppressionBatch,
        detail: operation({
          id: "suppressions.batch",
          summary: "Suppress up to 500 recipients",
          description: "Each is taken or refused by itself: look at the results. A body that breaks the schema is refused as a whole.",
          tag,
          scope: "write:contacts",
          example: batchAskExample,
          answers: { 200: { description: "A result for each, in order.", schema: SuppressionBatchAnswer, example: batchExample } },
        }),
      },
    )
    .get("/v1/suppressions", ({ request, query }) => suppressions.list(principalOf(request).env_id, query, query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
          to: t.Optional(t.String({ minLength: 1, maxLength: 100, description: "Recipient; the `+` of a phone as `%2B`." })),
          channel: t.Optional(t.String({ minLength: 1, maxLength: 40, description: "`telegram`, or `*`." })),
          reason: t.Optional(t.Union(shownReasons.map((reason) => t.Literal(reason)))),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "suppressions.list",
        summary: "List suppressions",
        description: "Newest first. With `to`, whether somebody is suppressed.",
        tag,
        scope: "read:contacts",
        answers: { 200: { description: "A page of suppressions.", schema: pageSchema(Suppression), example: pageExample(example) } },
      }),
    })
    .get(
      "/v1/suppressions/:id",
      async ({ request, params, set }) => {
        const suppression = await suppressions.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(suppression);
        return suppression;
      },
      {
        params,
        detail: operation({
          id: "suppressions.get",
          summary: "Get a suppression",
          tag,
          scope: "read:contacts",
          answers: { 200: { description: "The suppression.", schema: Suppression, example } },
        }),
      },
    )
    .delete(
      "/v1/suppressions/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => {
          await suppressions.remove(tx, principal, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "suppressions.delete",
          summary: "Lift a suppression",
          description: "The person may be written to again. What has failed meanwhile stays failed.",
          tag,
          scope: "write:contacts",
          answers: { 204: { description: "Lifted." } },
          errors: ["precondition_failed"],
        }),
      },
    );
}
