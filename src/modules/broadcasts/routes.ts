import { Type } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { etagOf, type Precondition, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, givenOf, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { Tx } from "#src/core/tx.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { broadcastExample as example, newBroadcastExample, recipientExample } from "./examples.ts";
import { Broadcast, BroadcastPatch, broadcastStatuses, NewBroadcast, Recipient, recipientStatuses } from "./model.ts";
import type { Author, BroadcastService } from "./service.ts";

const id = Type.String({ pattern: idPattern("bc"), description: "`bc_…`" });
const params = Type.Object({ id });
const tag = "Broadcasts";
const page = {
  limit: t.Optional(t.Integer(limitOptions)),
  offset: t.Optional(t.Integer(offsetOptions)),
  cursor: t.Optional(t.String(cursorOptions)),
};
const answers = (status: number) => ({ [status]: { description: "The broadcast.", schema: Broadcast, example } });

export function broadcastRoutes(broadcasts: BroadcastService, write: UnitOfWork) {
  return new Elysia().use(readingRoutes(broadcasts)).use(writingRoutes(broadcasts, write)).use(actionRoutes(broadcasts, write));
}

function readingRoutes(broadcasts: BroadcastService) {
  return new Elysia()
    .get(
      "/v1/broadcasts",
      ({ request, query: { limit, offset, cursor, ...by } }) =>
        broadcasts.list(principalOf(request).env_id, givenOf(by), givenOf({ limit, offset, cursor })),
      {
        query: t.Object(
          {
            ...page,
            status: t.Optional(t.Union(broadcastStatuses.map((status) => t.Literal(status)))),
            parent_id: t.Optional(t.String({ pattern: idPattern("bc"), description: "Runs of this recurring broadcast." })),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "broadcasts.list",
          summary: "List broadcasts",
          description: "Newest first.",
          tag,
          scope: "read:messages",
          answers: { 200: { description: "A page of broadcasts.", schema: pageSchema(Broadcast), example: pageExample(example) } },
        }),
      },
    )
    .get(
      "/v1/broadcasts/:id",
      async ({ request, params, set }) => {
        const broadcast = await broadcasts.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(broadcast);
        return broadcast;
      },
      {
        params,
        detail: operation({ id: "broadcasts.get", summary: "Get a broadcast", tag, scope: "read:messages", answers: answers(200) }),
      },
    )
    .get(
      "/v1/broadcasts/:id/recipients",
      ({ request, params, query: { status, ...paging } }) => broadcasts.recipients(principalOf(request).env_id, params.id, status, paging),
      {
        params,
        query: t.Object(
          { ...page, status: t.Optional(t.Union(recipientStatuses.map((status) => t.Literal(status)))) },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "broadcasts.recipients",
          summary: "List a broadcast's recipients",
          description: "In the order of the contacts' making, each with what has come of it.",
          tag,
          scope: "read:messages",
          answers: { 200: { description: "A page of recipients.", schema: pageSchema(Recipient), example: pageExample(recipientExample) } },
        }),
      },
    );
}

function writingRoutes(broadcasts: BroadcastService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/broadcasts",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({ status: 201, body: await broadcasts.create(tx, author, body) })),
      {
        body: NewBroadcast,
        detail: operation({
          id: "broadcasts.create",
          summary: "Draft a broadcast",
          description: "Nothing leaves before `POST …/send`.",
          tag,
          scope: "write:messages",
          example: newBroadcastExample,
          answers: answers(201),
        }),
      },
    )
    .patch(
      "/v1/broadcasts/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({
          status: 200,
          body: await broadcasts.patch(tx, author, params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: BroadcastPatch,
        detail: operation({
          id: "broadcasts.patch",
          summary: "Change a draft",
          tag,
          scope: "write:messages",
          example: { name: "News of spring" },
          answers: answers(200),
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}

type Action = (tx: Tx, author: Author, id: string, check: Precondition) => Promise<Broadcast>;

function actionRoutes(broadcasts: BroadcastService, write: UnitOfWork) {
  const action = (path: string, act: Action, doc: { id: string; summary: string; description: string }) =>
    new Elysia().post(
      `/v1/broadcasts/:id/${path}` as "/v1/broadcasts/:id/send",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, author) => ({
          status: 200,
          body: await act(tx, author, params.id, preconditionOf(request)),
        })),
      {
        params,
        detail: operation({
          ...doc,
          tag,
          scope: "write:messages",
          answers: answers(200),
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
  return new Elysia()
    .use(
      action("send", broadcasts.send, {
        id: "broadcasts.send",
        summary: "Send or schedule a broadcast",
        description:
          "Notes its recipients in a job (`job_id`) and makes their messages while those leave, each at its account's pace; or waits for `schedule`. Who can't be written to is skipped, with a reason. Ends with `broadcast.completed`.",
      }),
    )
    .use(
      action("pause", broadcasts.pause, {
        id: "broadcasts.pause",
        summary: "Pause a broadcast",
        description: "No more messages are made, and those that have not left are taken back: their recipients wait again.",
      }),
    )
    .use(
      action("resume", broadcasts.resume, {
        id: "broadcasts.resume",
        summary: "Resume a broadcast",
        description: "Goes on with those whom it has not reached.",
      }),
    )
    .use(
      action("cancel", broadcasts.cancel, {
        id: "broadcasts.cancel",
        summary: "Cancel a broadcast",
        description: "What has not left never does. What is on the wire ends as it does.",
      }),
    );
}
