import { Elysia, t } from "elysia";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import { AuditEntry } from "./model.ts";
import type { AuditService } from "./service.ts";

const example = {
  id: "aud_01HKQ9R2X70000000000000000",
  at: "2026-05-06T14:32:19.000Z",
  actor: "key_01HKQ9R2X30000000000000000",
  operation: "accounts.patch",
  subject: "10000",
  before: { status: "connected", paused: false },
  after: { status: "paused", paused: true },
};

const filter = (description: string) => t.Optional(t.String({ minLength: 1, maxLength: 100, description }));

export function auditRoutes(audit: AuditService) {
  return new Elysia().get("/v1/audit", ({ request, query }) => audit.list(principalOf(request), query), {
    query: t.Object(
      {
        limit: t.Optional(t.Integer(limitOptions)),
        offset: t.Optional(t.Integer(offsetOptions)),
        cursor: t.Optional(t.String(cursorOptions)),
        actor: filter("Who made the change: a key's id, or `command`."),
        subject: filter("Id of what was changed."),
        operation: filter("What was done, such as `keys.create`."),
        created_after: t.Optional(t.String({ format: "date-time", description: "Made at or after." })),
        created_before: t.Optional(t.String({ format: "date-time", description: "Made before." })),
      },
      { additionalProperties: false },
    ),
    detail: operation({
      id: "audit.list",
      summary: "List changes",
      description:
        "Newest first. Each says who changed what; of a change it shows the members that differ, before and after, and never a key or a token. A new token of an account is told as `token_changed`. What a contact was and is takes `read:contacts` too, and is removed when the contact is erased; whom a suppression is of is not told.",
      tag: "Audit",
      scope: "manage:keys",
      answers: { 200: { description: "A page of changes.", schema: pageSchema(AuditEntry), example: pageExample(example) } },
    }),
  });
}
