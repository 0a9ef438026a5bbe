import { Elysia, t } from "elysia";
import { cursorOptions, limitOptions } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import { DuplicatePage } from "./model.ts";
import type { DuplicateService } from "./service.ts";

const at = "2026-05-06T14:32:18.000Z";
const contact = {
  ...{ number: 42, external_id: null, telegram_id: null, username: "sarah_miller", email: null, phone: null, name: "Sarah Miller" },
  ...{ first_name: "Sarah", last_name: "Miller", language: null, timezone: null, consent: null, tags: [], fields: {}, metadata: {} },
  ...{ last_seen_at: null, created_at: at, updated_at: at },
};
const example = {
  items: [
    {
      name: "sarah miller",
      reasons: ["same_name", "username_in_email"],
      contacts: [
        { ...contact, id: "ct_01HKQ9R2X30000000000000000" },
        { ...contact, id: "ct_01HKQ9R2X70000000000000000", number: 57, username: null, email: "sarah_miller@example.com" },
      ],
      total: 2,
      total_capped: false,
    },
  ],
  limit: 50,
  has_more: false,
  next_cursor: null,
};

export function duplicateRoutes(duplicates: DuplicateService) {
  return new Elysia().get("/v1/contacts/duplicates", ({ request, query }) => duplicates.list(principalOf(request).env_id, query), {
    query: t.Object(
      {
        limit: t.Optional(t.Integer({ ...limitOptions, description: "Groups a page." })),
        cursor: t.Optional(t.String({ ...cursorOptions, maxLength: 2_000 })),
      },
      { additionalProperties: false },
    ),
    detail: operation({
      id: "contacts.duplicates",
      summary: "List contacts that may be one person",
      description:
        "Groups of contacts with the same name but for case and accents, in the order of the names, and what else speaks for one person. Two spellings of a name are not found. A page looks at the names of 50,000 contacts at most: it can have fewer groups than `limit`, or none, while `has_more` is true. Of a group the oldest ten contacts are shown; `GET /v1/contacts?search=` finds the others.",
      tag: "Merges",
      scope: "read:contacts",
      answers: { 200: { description: "A page of groups.", schema: DuplicatePage, example } },
    }),
  });
}
