import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { fillExample, newTemplateExample, previewExample, templateExample, versionExample } from "./examples.ts";
import { NewTemplate, Preview, PreviewBody, PreviewTemplate, Template, templateKinds, TemplatePatch, TemplateVersion } from "./model.ts";
import type { TemplateService } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("tpl"), description: "`tpl_…`" }) });
const tag = "Templates";
const paging = {
  limit: t.Optional(t.Integer(limitOptions)),
  offset: t.Optional(t.Integer(offsetOptions)),
  cursor: t.Optional(t.String(cursorOptions)),
};

export function templateRoutes(templates: TemplateService, write: UnitOfWork) {
  return new Elysia().use(readingRoutes(templates)).use(writingRoutes(templates, write)).use(previewRoutes(templates));
}

function readingRoutes(templates: TemplateService) {
  return new Elysia()
    .get(
      "/v1/templates",
      ({ request, query }) => {
        const { kind, category, ...page } = query;
        const filter = { ...(kind === undefined ? {} : { kind }), ...(category === undefined ? {} : { category }) };
        return templates.list(principalOf(request).env_id, filter, page);
      },
      {
        query: t.Object(
          {
            ...paging,
            kind: t.Optional(t.Union(templateKinds.map((kind) => t.Literal(kind)))),
            category: t.Optional(t.String({ minLength: 1, maxLength: 50 })),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "templates.list",
          summary: "List templates",
          description: "Newest first.",
          tag,
          scope: "read:messages",
          answers: { 200: { description: "A page of templates.", schema: pageSchema(Template), example: pageExample(templateExample) } },
        }),
      },
    )
    .get(
      "/v1/templates/:id",
      async ({ request, params, set }) => {
        const template = await templates.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(template);
        return template;
      },
      {
        params,
        detail: operation({
          id: "templates.get",
          summary: "Get a template",
          tag,
          scope: "read:messages",
          answers: { 200: { description: "The template.", schema: Template, example: templateExample } },
        }),
      },
    )
    .get("/v1/templates/:id/versions", ({ request, params, query }) => templates.versions(principalOf(request).env_id, params.id, query), {
      params,
      query: t.Object(paging, { additionalProperties: false }),
      detail: operation({
        id: "templates.versions",
        summary: "List a template's versions",
        description: "Every body that it has had, newest first.",
        tag,
        scope: "read:messages",
        answers: {
          200: { description: "A page of versions.", schema: pageSchema(TemplateVersion), example: pageExample(versionExample) },
        },
      }),
    });
}

function writingRoutes(templates: TemplateService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/templates",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, { env_id, key_id }) => ({
          status: 201,
          body: await templates.create(tx, env_id, body, key_id),
        })),
      {
        body: NewTemplate,
        detail: operation({
          id: "templates.create",
          summary: "Make a template",
          description:
            "Send by it with `template_id` and `variables` in place of `text`. Liquid's `assign`, `case`, `comment`, `if`, `raw` and `unless` are there, and its filters for texts, numbers and dates; loops and files are not. A body that can't be parsed is refused, with line and column.",
          tag,
          scope: "write:messages",
          example: newTemplateExample,
          answers: { 201: { description: "The template.", schema: Template, example: templateExample } },
          errors: ["conflict"],
        }),
      },
    )
    .patch(
      "/v1/templates/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, { env_id, key_id }) => ({
          status: 200,
          body: await templates.patch(tx, env_id, params.id, body, key_id, preconditionOf(request)),
        })),
      {
        params,
        body: TemplatePatch,
        detail: operation({
          id: "templates.patch",
          summary: "Change a template",
          description: "A body that differs becomes the next version. Messages that are queued keep the text that they have.",
          tag,
          scope: "write:messages",
          example: { category: "reminders" },
          answers: { 200: { description: "The template.", schema: Template, example: templateExample } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    )
    .delete(
      "/v1/templates/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, { env_id }) => {
          await templates.remove(tx, env_id, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "templates.delete",
          summary: "Remove a template",
          description: "With its versions. Messages that were queued by it still go out.",
          tag,
          scope: "write:messages",
          answers: { 204: { description: "Removed." } },
          errors: ["precondition_failed"],
        }),
      },
    );
}

/** Reads that take a body: they change nothing, so whoever may read or write templates may preview them. */
function previewRoutes(templates: TemplateService) {
  return new Elysia()
    .post(
      "/v1/templates/preview",
      ({ request, body }) => {
        const { body: written, ...fill } = body;
        return templates.previewBody(principalOf(request).env_id, written, fill);
      },
      {
        body: PreviewBody,
        detail: operation({
          id: "templates.preview_body",
          summary: "Preview a body",
          description: "What a body comes to that is not saved. Nothing is kept and nothing sent.",
          tag,
          scope: ["read:messages", "write:messages"],
          idempotent: false,
          example: { body: newTemplateExample.body, ...fillExample },
          answers: { 200: { description: "The text.", schema: Preview, example: previewExample } },
        }),
      },
    )
    .post("/v1/templates/:id/preview", ({ request, params, body }) => templates.preview(principalOf(request).env_id, params.id, body), {
      params,
      body: PreviewTemplate,
      detail: operation({
        id: "templates.preview",
        summary: "Preview a template",
        description: "What a message by it would say. Nothing is kept and nothing sent.",
        tag,
        scope: ["read:messages", "write:messages"],
        idempotent: false,
        example: fillExample,
        answers: { 200: { description: "The text.", schema: Preview, example: previewExample } },
      }),
    });
}
