import { Elysia, t } from "elysia";
import { cursorOptions, limitOptions } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import { activityExample, heldExample } from "./examples.ts";
import { ActivityPage, HeldOnContact } from "./model.ts";
import type { ActivityService } from "./service.ts";

const params = t.Object({
  id: t.String({ pattern: "^(ct_[0-9A-HJKMNP-TV-Z]{26}|[1-9][0-9]{0,14})$", description: "`ct_…`, or the contact's number." }),
});
const tag = "Contacts";
const scope = "read:contacts";

export function activityRoutes(activity: ActivityService) {
  return new Elysia()
    .get("/v1/contacts/:id/activity", ({ request, params, query }) => activity.list(principalOf(request), params.id, query), {
      params,
      query: t.Object(
        { limit: t.Optional(t.Integer(limitOptions)), cursor: t.Optional(t.String(cursorOptions)) },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "contacts.activity",
        summary: "Read a contact's activity",
        description:
          "Their messages and what has happened to the contact in one line of time, newest first. Messages only for a key that has `read:messages` too.",
        tag,
        scope,
        answers: { 200: { description: "A page of activity.", schema: ActivityPage, example: activityExample } },
      }),
    })
    .get(
      "/v1/contacts/:id/export",
      async ({ request, params }) =>
        new Response(toStream(await activity.held(principalOf(request), params.id)), { headers: { "content-type": "application/json" } }),
      {
        params,
        detail: operation({
          id: "contacts.export_one",
          summary: "Export what is held on a contact",
          description:
            "All of it in one document, as a person may ask for: the contact, its messages, events, changes and suppressions. A deleted contact has it until it is erased. Messages only for a key that has `read:messages` too.",
          tag,
          scope,
          answers: { 200: { description: "What is held.", schema: HeldOnContact, example: heldExample } },
        }),
      },
    );
}

/** Read no faster than the client takes it. */
function toStream(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await parts.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}
