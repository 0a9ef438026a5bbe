import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { fieldExample as example, newFieldExample } from "./examples.ts";
import { Field, fieldObjects, FieldPatch, NewField } from "./model.ts";
import type { FieldService } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("fld"), description: "`fld_…`" }) });
const tag = "Fields";

export function fieldRoutes(fields: FieldService, write: UnitOfWork) {
  return new Elysia().use(readingRoutes(fields)).use(writingRoutes(fields, write));
}

function readingRoutes(fields: FieldService) {
  return new Elysia()
    .get(
      "/v1/fields",
      ({ request, query }) => {
        const { object, ...page } = query;
        return fields.list(principalOf(request).env_id, object === undefined ? {} : { object }, page);
      },
      {
        query: t.Object(
          {
            limit: t.Optional(t.Integer(limitOptions)),
            offset: t.Optional(t.Integer(offsetOptions)),
            cursor: t.Optional(t.String(cursorOptions)),
            object: t.Optional(t.Union(fieldObjects.map((object) => t.Literal(object)))),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "fields.list",
          summary: "List custom fields",
          description: "Newest first.",
          tag,
          scope: "read:contacts",
          answers: { 200: { description: "A page of fields.", schema: pageSchema(Field), example: pageExample(example) } },
        }),
      },
    )
    .get(
      "/v1/fields/:id",
      async ({ request, params, set }) => {
        const field = await fields.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(field);
        return field;
      },
      {
        params,
        detail: operation({
          id: "fields.get",
          summary: "Get a custom field",
          tag,
          scope: "read:contacts",
          answers: { 200: { description: "The field.", schema: Field, example } },
        }),
      },
    );
}

function writingRoutes(fields: FieldService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/fields",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, { env_id }) => ({ status: 201, body: await fields.create(tx, env_id, body) })),
      {
        body: NewField,
        detail: operation({
          id: "fields.create",
          summary: "Make a custom field",
          description:
            "Up to 100. Contacts take it in `fields`, or as a member of their own; texts as `{key}`, templates as `{{ key }}` too.",
          tag,
          scope: "write:contacts",
          example: newFieldExample,
          answers: { 201: { description: "The field.", schema: Field, example } },
          errors: ["conflict"],
        }),
      },
    )
    .patch(
      "/v1/fields/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, { env_id }) => ({
          status: 200,
          body: await fields.patch(tx, env_id, params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: FieldPatch,
        detail: operation({
          id: "fields.patch",
          summary: "Change a custom field",
          description:
            "Values stay under a new key. Who has an option that is taken away keeps it; it can't be chosen anew. One that a segment or an active sequence uses can't be taken away, nor a key that such a sequence names.",
          tag,
          scope: "write:contacts",
          example: { label: "Plan of the customer" },
          answers: { 200: { description: "The field.", schema: Field, example } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    )
    .delete(
      "/v1/fields/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, { env_id }) => {
          await fields.remove(tx, env_id, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "fields.delete",
          summary: "Delete a custom field",
          description:
            "With the values that contacts have in it: no answer shows them any more, and they are removed soon after. A field that a segment or an active sequence uses can't be deleted.",
          tag,
          scope: "write:contacts",
          answers: { 204: { description: "Deleted." } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}
