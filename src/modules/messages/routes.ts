import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import type { Clock } from "#src/core/clock.ts";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, givenOf, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { capHeaders } from "./cap.ts";
import { batchExample, messageExample, sendExample, sentExample } from "./examples.ts";
import { BatchAnswer, directions, Message, messageStatuses, SendBatch, SendMessage, Sent } from "./model.ts";
import type { MessageService } from "./service.ts";

const id = Type.Object({ id: Type.String({ pattern: idPattern("msg"), description: "`msg_…`" }) });
const capHeaderDocs = {
  "X-SendLimit-Limit": "Sends a day of an account with a daily cap.",
  "X-SendLimit-Remaining": "Sends left today.",
  "X-SendLimit-Reset": "Seconds until the account's next day.",
};

export function messageRoutes(messages: MessageService, write: UnitOfWork, clock: Clock) {
  return new Elysia()
    .post(
      "/v1/messages/send",
      ({ request, body, set }) =>
        write(
          { request, body, set },
          async (tx, principal) => {
            const { sent, cap } = await messages.send(tx, principal, body);
            return cap === null
              ? { status: 200, body: sent }
              : { status: 200, body: sent, headers: capHeaders(cap, clock.now(principal.env_id)) };
          },
          { keepForever: true },
        ),
      {
        body: SendMessage,
        detail: operation({
          id: "messages.send",
          summary: "Send a message",
          description:
            "Queues one message and answers at once. `eta` is when the account's own pacing will let it go. With an Idempotency-Key a repeat gives the first answer and sends nothing.",
          tag: "Messages",
          scope: "write:messages",
          example: sendExample,
          answers: { 200: { description: "Queued, durably.", schema: Sent, example: sentExample, headers: capHeaderDocs } },
          errors: ["not_found", "daily_send_limit_reached"],
        }),
      },
    )
    .post(
      "/v1/messages/batch",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({ status: 200, body: await messages.sendBatch(tx, principal, body) }), {
          keepForever: true,
        }),
      {
        body: SendBatch,
        detail: operation({
          id: "messages.batch",
          summary: "Send up to 500 messages",
          description: "Each is taken or refused by itself: look at the results. A body that breaks the schema is refused as a whole.",
          tag: "Messages",
          scope: "write:messages",
          example: { messages: [sendExample] },
          answers: { 200: { description: "A result for each, in order.", schema: BatchAnswer, example: batchExample } },
        }),
      },
    )
    .get(
      "/v1/messages",
      ({ request, query }) => {
        const { limit, offset, cursor, ...filter } = query;
        return messages.list(principalOf(request).env_id, filter, givenOf({ limit, offset, cursor }));
      },
      {
        query: t.Object(
          {
            limit: t.Optional(t.Integer(limitOptions)),
            offset: t.Optional(t.Integer(offsetOptions)),
            cursor: t.Optional(t.String(cursorOptions)),
            status: t.Optional(t.Union(messageStatuses.map((status) => t.Literal(status)))),
            direction: t.Optional(
              t.Union(
                directions.map((direction) => t.Literal(direction)),
                { description: "`in` for those received." },
              ),
            ),
            account_id: t.Optional(t.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
            to: t.Optional(t.String({ minLength: 1, maxLength: 100, description: "Recipient." })),
            created_after: t.Optional(t.String({ format: "date-time", description: "Created at or after." })),
            created_before: t.Optional(t.String({ format: "date-time", description: "Created before." })),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "messages.list",
          summary: "List messages",
          description: "Newest first.",
          tag: "Messages",
          scope: "read:messages",
          answers: { 200: { description: "A page of messages.", schema: pageSchema(Message), example: pageExample(messageExample) } },
        }),
      },
    )
    .get(
      "/v1/messages/:id",
      async ({ request, params, set }) => {
        const message = await messages.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(message);
        return message;
      },
      {
        params: id,
        detail: operation({
          id: "messages.get",
          summary: "Get a message",
          description: "With each of its attempts.",
          tag: "Messages",
          scope: "read:messages",
          answers: { 200: { description: "The message.", schema: Message, example: messageExample } },
        }),
      },
    )
    .post(
      "/v1/messages/:id/cancel",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => ({
          status: 200,
          body: await messages.cancel(tx, principal, params.id, preconditionOf(request)),
        })),
      {
        params: id,
        detail: operation({
          id: "messages.cancel",
          summary: "Cancel a queued message",
          tag: "Messages",
          scope: "write:messages",
          answers: { 200: { description: "The message, canceled.", schema: Message, example: { ...messageExample, status: "canceled" } } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}
