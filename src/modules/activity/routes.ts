import { Elysia, t } from "elysia";
import { answerInParts } from "#src/core/answer-in-parts.ts";
import { cursorOptions, limitOptions } from "#src/core/list-query.ts";
import type { Log } from "#src/core/log.ts";
import { operation } from "#src/core/operation.ts";
import { contextOf, principalOf } from "#src/core/request.ts";
import { ContactRef } from "#src/modules/contacts/model.ts";
import { activityExample, heldExample } from "./examples.ts";
import { ActivityPage, HeldOnContact } from "./model.ts";
import type { ActivityService } from "./service.ts";

const params = t.Object({ id: ContactRef });
const tag = "Contacts";
const scope = "read:contacts";

export function activityRoutes(activity: ActivityService, log: Log) {
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
          "Their messages and what has happened to the contact in one line of time, newest first. Messages only for a key that has `read:messages` too. Events are kept for 30 days (`EVENTS_RETENTION_DAYS`).",
        tag,
        scope,
        answers: { 200: { description: "A page of activity.", schema: ActivityPage, example: activityExample } },
      }),
    })
    .get(
      "/v1/contacts/:id/export",
      async ({ request, params }) => {
        const parts = await activity.held(principalOf(request), params.id);
        return answerInParts(contextOf(request), parts, { "content-type": "application/json" }, log);
      },
      {
        params,
        detail: operation({
          id: "contacts.export_one",
          summary: "Export what is held on a contact",
          description:
            "All of it in one document, as a person may ask for: the contact, its messages and conversations with their notes, the broadcasts and sequences that it is or was in, events, changes and suppressions. A deleted contact has it until it is erased. Messages, conversations and broadcasts only for a key that has `read:messages` too, sequences with that or `manage:sequences`.",
          tag,
          scope,
          answers: { 200: { description: "What is held.", schema: HeldOnContact, example: heldExample } },
        }),
      },
    );
}
