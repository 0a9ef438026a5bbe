import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { operation } from "#src/core/operation.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "#src/core/page.ts";
import { principalOf } from "#src/core/request.ts";
import { Event } from "./model.ts";
import type { EventService } from "./service.ts";

const EventPage = Type.Object({
  items: Type.Array(Event),
  limit: Type.Integer(),
  has_more: Type.Boolean(),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: "Give it as `after` for what comes next." }),
});

export function eventRoutes(events: EventService) {
  return new Elysia().get(
    "/v1/events",
    ({ request, query }) => {
      const { env_id, scopes } = principalOf(request);
      const { after, limit = PAGE_DEFAULT } = query;
      return events.list(env_id, scopes, after === undefined ? { limit } : { after, limit });
    },
    {
      query: t.Object(
        {
          after: t.Optional(t.String({ minLength: 1, maxLength: 40, description: "Id of the last event that you have." })),
          limit: t.Optional(t.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "events.list",
        summary: "Read the event log",
        description:
          "Every change of state, in the order in which it was committed: who follows `after` misses none and sees none twice. A key sees the events of what its scopes let it read.",
        tag: "Events",
        scope: ["read:messages", "write:messages", "manage:accounts", "manage:keys", "read:contacts"],
        answers: {
          200: {
            description: "Events, oldest first.",
            schema: EventPage,
            example: {
              items: [
                {
                  event: "message.sent",
                  id: "evt_01HKQ9R2X70000000000000000",
                  created_at: "2026-05-06T14:32:19.000Z",
                  subject: "msg_01HKQ9R2X30000000000000000",
                  actor: "job",
                  account_id: 7421,
                  contact: "@sarah_miller",
                  text: "Hey Sarah, your invite is ready",
                  thread_id: null,
                  data: { id: "msg_01HKQ9R2X30000000000000000", status: "sent" },
                },
              ],
              limit: 50,
              has_more: false,
              next_cursor: "evt_01HKQ9R2X70000000000000000",
            },
          },
        },
      }),
    },
  );
}
