import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { newSegmentExample, previewAskExample, previewExample, segmentExample as example } from "./examples.ts";
import { NewSegment, PreviewSegment, Segment, segmentObjects, SegmentPatch, SegmentPreview } from "./model.ts";
import type { SegmentService } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("seg"), description: "`seg_…`" }) });
const tag = "Segments";

export function segmentRoutes(segments: SegmentService, write: UnitOfWork) {
  return new Elysia().use(readingRoutes(segments)).use(writingRoutes(segments, write)).use(previewRoutes(segments));
}

function readingRoutes(segments: SegmentService) {
  return new Elysia()
    .get(
      "/v1/segments",
      ({ request, query }) => {
        const { object, ...page } = query;
        return segments.list(principalOf(request).env_id, object === undefined ? {} : { object }, page);
      },
      {
        query: t.Object(
          {
            limit: t.Optional(t.Integer(limitOptions)),
            offset: t.Optional(t.Integer(offsetOptions)),
            cursor: t.Optional(t.String(cursorOptions)),
            object: t.Optional(t.Union(segmentObjects.map((object) => t.Literal(object)))),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "segments.list",
          summary: "List segments",
          description: "Newest first.",
          tag,
          scope: "read:contacts",
          answers: { 200: { description: "A page of segments.", schema: pageSchema(Segment), example: pageExample(example) } },
        }),
      },
    )
    .get(
      "/v1/segments/:id",
      async ({ request, params, set }) => {
        const segment = await segments.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(segment);
        return segment;
      },
      {
        params,
        detail: operation({
          id: "segments.get",
          summary: "Get a segment",
          tag,
          scope: "read:contacts",
          answers: { 200: { description: "The segment.", schema: Segment, example } },
        }),
      },
    );
}

function writingRoutes(segments: SegmentService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/segments",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({ status: 201, body: await segments.create(tx, principal, body) })),
      {
        body: NewSegment,
        detail: operation({
          id: "segments.create",
          summary: "Make a segment",
          description: "Up to 500. `GET /v1/contacts?segment=seg_…` lists who is in it.",
          tag,
          scope: "write:contacts",
          example: newSegmentExample,
          answers: { 201: { description: "The segment.", schema: Segment, example } },
          errors: ["conflict"],
        }),
      },
    )
    .patch(
      "/v1/segments/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await segments.patch(tx, principal, params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: SegmentPatch,
        detail: operation({
          id: "segments.patch",
          summary: "Change a segment",
          description: "What is absent stays. A filter is replaced as a whole.",
          tag,
          scope: "write:contacts",
          example: { description: "Trials of this month" },
          answers: { 200: { description: "The segment.", schema: Segment, example } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    )
    .delete(
      "/v1/segments/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => {
          await segments.remove(tx, principal, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "segments.delete",
          summary: "Delete a segment",
          description: "Those who are in it stay as they are.",
          tag,
          scope: "write:contacts",
          answers: { 204: { description: "Deleted." } },
          errors: ["precondition_failed"],
        }),
      },
    );
}

/** A read that takes a body: it changes nothing, so whoever may read contacts may preview. */
function previewRoutes(segments: SegmentService) {
  return new Elysia().post("/v1/segments/preview", ({ request, body }) => segments.preview(principalOf(request).env_id, body), {
    body: PreviewSegment,
    detail: operation({
      id: "segments.preview",
      summary: "Preview a segment",
      description: "Who a filter holds at this moment. Nothing is kept.",
      tag,
      scope: "read:contacts",
      idempotent: false,
      example: previewAskExample,
      answers: { 200: { description: "How many, and some of them.", schema: SegmentPreview, example: previewExample } },
    }),
  });
}
