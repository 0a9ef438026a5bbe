import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { operation } from "#src/core/operation.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import type { Changed, ChangeService } from "./changing.ts";
import { editExample, messageExample } from "./examples.ts";
import { EditMessage, Message } from "./model.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("msg"), description: "`msg_…`" }) });
const tag = "Messages";
const scope = "write:messages";

const answered = ({ message, done }: Changed) => ({ status: done ? 200 : 202, body: message });

export function messageChangeRoutes(changes: ChangeService, write: UnitOfWork) {
  return new Elysia()
    .patch(
      "/v1/messages/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) =>
          answered(await changes.edit(tx, principal, params.id, body, preconditionOf(request))),
        ),
      {
        params,
        body: EditMessage,
        detail: operation({
          id: "messages.edit",
          summary: "Change a message",
          description:
            "One that is queued is changed at once. One that was sent is changed by Telegram, in its account's queue: `edited_at` and `message.edited` tell that it was, `last_error` why it wasn't. What is not given stays.",
          tag,
          scope,
          example: editExample,
          answers: {
            200: {
              description: "The message, changed before it was sent.",
              schema: Message,
              example: { ...messageExample, status: "queued" },
            },
            202: { description: "The message as it is until Telegram has changed it.", schema: Message, example: messageExample },
          },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    )
    .delete(
      "/v1/messages/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) =>
          answered(await changes.remove(tx, principal, params.id, preconditionOf(request))),
        ),
      {
        params,
        detail: operation({
          id: "messages.delete",
          summary: "Delete a message",
          description:
            "For both sides, an album as a whole. One that is queued is canceled. One that was sent is deleted by Telegram, in its account's queue: `deleted_at` and `message.deleted` tell that it was, `last_error` why it wasn't. What it said stays here.",
          tag,
          scope,
          answers: {
            200: {
              description: "The message, canceled, or deleted before.",
              schema: Message,
              example: { ...messageExample, status: "canceled" },
            },
            202: { description: "The message as it is until Telegram has deleted it.", schema: Message, example: messageExample },
          },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}
