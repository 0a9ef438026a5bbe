import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { operation } from "#src/core/operation.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "#src/core/page.ts";
import type { Scope } from "#src/core/principal.ts";
import { contextOf, principalOf } from "#src/core/request.ts";
import { Event } from "./model.ts";
import { exampleEvent } from "./payloads.ts";
import type { EventService } from "./service.ts";
import { writeEvents } from "./stream-text.ts";
import type { EventStreams } from "./streams.ts";

const EventPage = Type.Object({
  items: Type.Array(Event),
  limit: Type.Integer(),
  has_more: Type.Boolean(),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: "Give it as `after` for what comes next." }),
});

const filter = {
  type: t.Optional(
    t.String({
      minLength: 1,
      maxLength: 1_000,
      description: "Names of events, or all of a kind as `message.*`, separated by commas.",
      examples: ["message.sent,message.failed"],
    }),
  ),
  subject: t.Optional(t.String({ minLength: 1, maxLength: 64, description: "Id of what the events are about." })),
};

/** Any of these reads some events; the filter leaves out what a key may not read. */
const readers: readonly Scope[] = [
  "read:messages",
  "write:messages",
  "manage:accounts",
  "manage:keys",
  "read:contacts",
  "manage:webhooks",
  "manage:sequences",
];

const streamExample = `:\n\n${new TextDecoder().decode(writeEvents([exampleOfStream()]))}`;

function exampleOfStream() {
  const event = exampleEvent("message.sent");
  return { id: event.id, type: event.event, body: JSON.stringify(event) };
}

/** No proxy may keep it, or hold it back until there is more. */
const streamHeaders = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };

export function eventRoutes(events: EventService, streams: EventStreams) {
  return new Elysia()
    .get(
      "/v1/events",
      ({ request, query }) => {
        const { env_id, scopes } = principalOf(request);
        return events.list(env_id, scopes, { ...query, limit: query.limit ?? PAGE_DEFAULT });
      },
      {
        query: t.Object(
          {
            after: t.Optional(t.String({ minLength: 1, maxLength: 40, description: "Id of the last event that you have." })),
            ...filter,
            limit: t.Optional(t.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "events.list",
          summary: "Read the event log",
          description:
            "Every change of state, in the order in which it was committed: who follows `after` misses none and sees none twice. A key sees the events of what its scopes let it read. One answer looks at 10,000 events at most: under a filter it can have few items or none and still `has_more`; go on at `next_cursor`. Events are kept for 30 days (`EVENTS_RETENTION_DAYS`); an `after` that is older is refused, and the log is to be read from its beginning.",
          tag: "Events",
          scope: readers,
          answers: {
            200: {
              description: "Events, oldest first.",
              schema: EventPage,
              example: {
                items: [exampleEvent("message.sent")],
                limit: 50,
                has_more: false,
                next_cursor: "evt_01HKQ9R2X70000000000000000",
              },
            },
          },
        }),
      },
    )
    .get(
      "/v1/events/stream",
      async ({ request, query }) => {
        const { after, ...ask } = query;
        const header = request.headers.get("last-event-id") ?? "";
        const last =
          header !== "" ? { id: header, field: "Last-Event-ID" } : after === undefined ? undefined : { id: after, field: "after" };
        const stream = await streams.open(principalOf(request), { ...ask, ...(last === undefined ? {} : { last }) });
        contextOf(request).streams = true;
        return new Response(stream, { headers: streamHeaders });
      },
      {
        query: t.Object(
          {
            after: t.Optional(
              t.String({
                minLength: 1,
                maxLength: 40,
                description: "Id of the last event that you have; the header `Last-Event-ID` goes before it.",
              }),
            ),
            ...filter,
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "events.stream",
          summary: "Follow the event log live",
          description:
            "Server-sent events: `event` is the name, `id` the event's id, `data` the event as JSON in one line, as the list has it. It begins with what happens from now on; with `Last-Event-ID` (or `after`) behind that event, without a gap or a repeat. A comment comes at once and every 15 seconds. Whoever reads slowly gets everything later. The stream ends when its key does or the server stops: come again with `Last-Event-ID`.",
          tag: "Events",
          scope: readers,
          answers: {
            200: {
              description: "Events as they are committed.",
              type: "text/event-stream",
              schema: { type: "string" },
              example: streamExample,
            },
          },
        }),
      },
    );
}
