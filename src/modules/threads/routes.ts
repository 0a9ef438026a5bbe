import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import type { Clock } from "#src/core/clock.ts";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, givenOf, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { threadExample } from "./examples.ts";
import { Thread, ThreadPatch, threadTypes } from "./model.ts";
import { noteRoutes } from "./note-routes.ts";
import { replyRoutes, type Replied } from "./reply-routes.ts";
import type { ThreadService } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("th"), description: "`th_…`" }) });
const tag = "Threads";

export function threadRoutes(threads: ThreadService<Replied>, write: UnitOfWork, clock: Clock) {
  return new Elysia()
    .use(readingRoutes(threads))
    .use(writingRoutes(threads, write))
    .use(replyRoutes(threads, write, clock))
    .use(noteRoutes(threads, write));
}

function readingRoutes(threads: ThreadService<Replied>) {
  return new Elysia()
    .get(
      "/v1/threads",
      ({ request, query }) => {
        const { limit, offset, cursor, ...filter } = query;
        return threads.list(principalOf(request), givenOf(filter), givenOf({ limit, offset, cursor }));
      },
      {
        query: t.Object(
          {
            limit: t.Optional(t.Integer(limitOptions)),
            offset: t.Optional(t.Integer(offsetOptions)),
            cursor: t.Optional(t.String(cursorOptions)),
            account_id: t.Optional(t.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
            contact_id: t.Optional(t.String({ pattern: idPattern("ct"), description: "Private chats with this contact." })),
            unread: t.Optional(t.Boolean({ description: "`true` for those with unread messages." })),
            archived: t.Optional(t.Boolean({ default: false })),
            type: t.Optional(t.Union(threadTypes.map((type) => t.Literal(type)))),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "threads.list",
          summary: "List threads",
          description: "The inbox: conversations of the accounts that the key may use, newest activity first.",
          tag,
          scope: "read:messages",
          answers: { 200: { description: "A page of threads.", schema: pageSchema(Thread), example: pageExample(threadExample) } },
        }),
      },
    )
    .get(
      "/v1/threads/:id",
      async ({ request, params, set }) => {
        const thread = await threads.get(principalOf(request), params.id);
        set.headers.etag = etagOf(thread);
        return thread;
      },
      {
        params,
        detail: operation({
          id: "threads.get",
          summary: "Get a thread",
          tag,
          scope: "read:messages",
          answers: { 200: { description: "The thread.", schema: Thread, example: threadExample } },
        }),
      },
    );
}

function writingRoutes(threads: ThreadService<Replied>, write: UnitOfWork) {
  return new Elysia()
    .patch(
      "/v1/threads/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await threads.patch(tx, principal, params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: ThreadPatch,
        detail: operation({
          id: "threads.patch",
          summary: "Archive a thread",
          description: "It is out of the list until somebody writes in it.",
          tag,
          scope: "write:messages",
          example: { archived: true },
          answers: { 200: { description: "The thread.", schema: Thread, example: { ...threadExample, archived: true } } },
          errors: ["precondition_failed"],
        }),
      },
    )
    .post(
      "/v1/threads/:id/read",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => ({
          status: 200,
          body: await threads.read(tx, principal, params.id, preconditionOf(request)),
        })),
      {
        params,
        detail: operation({
          id: "threads.read",
          summary: "Mark a thread as read",
          description: "Here alone: the person is not told.",
          tag,
          scope: "write:messages",
          answers: { 200: { description: "The thread.", schema: Thread, example: { ...threadExample, unread: 0 } } },
          errors: ["precondition_failed"],
        }),
      },
    );
}
