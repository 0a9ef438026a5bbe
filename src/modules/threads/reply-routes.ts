import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import type { Clock } from "#src/core/clock.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Message, Sent } from "#src/modules/messages/model.ts";
import { messageExample, replyExample, sentExample } from "./examples.ts";
import { Reply } from "./model.ts";
import type { ThreadService } from "./service.ts";

/** What a send comes to. */
export interface Replied {
  sent: Sent;
  /** The X-SendLimit headers of an account with a daily cap. */
  headers(now: number): Record<string, string>;
}

const params = Type.Object({ id: Type.String({ pattern: idPattern("th"), description: "`th_…`" }) });
const tag = "Threads";

export function replyRoutes(threads: ThreadService<Replied>, write: UnitOfWork, clock: Clock) {
  return new Elysia()
    .get("/v1/threads/:id/messages", ({ request, params, query }) => threads.messages(principalOf(request), params.id, query), {
      params,
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "threads.messages",
        summary: "List a thread's messages",
        description: "Of both sides, newest first.",
        tag,
        scope: "read:messages",
        answers: { 200: { description: "A page of messages.", schema: pageSchema(Message), example: pageExample(messageExample) } },
      }),
    })
    .post(
      "/v1/threads/:id/messages",
      ({ request, params, body, set }) =>
        write(
          { request, body, set },
          async (tx, principal) => {
            const { sent, headers } = await threads.reply(tx, principal, params.id, body);
            return { status: 200, body: sent, headers: headers(clock.now(principal.env_id)) };
          },
          { keepForever: true },
        ),
      {
        params,
        body: Reply,
        detail: operation({
          id: "threads.reply",
          summary: "Write in a thread",
          description: "As a send, by the thread's account into its chat and topic. The thread is read with that.",
          tag,
          scope: "write:messages",
          example: replyExample,
          answers: { 200: { description: "Queued, durably.", schema: Sent, example: sentExample } },
          errors: ["conflict", "daily_send_limit_reached"],
        }),
      },
    );
}
