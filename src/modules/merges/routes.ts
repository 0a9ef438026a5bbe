import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import type { Principal } from "#src/core/principal.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { mergeAnswerExample, mergeExample as example, newMergeExample, undoAnswerExample } from "./examples.ts";
import { Merge, MergeAnswer, NewMerge, UndoAnswer } from "./model.ts";
import type { MergeService } from "./service.ts";

const contactParams = t.Object({
  id: t.String({ pattern: "^(ct_[0-9A-HJKMNP-TV-Z]{26}|[1-9][0-9]{0,14})$", description: "`ct_…`, or the contact's number." }),
});
const params = Type.Object({ id: Type.String({ pattern: idPattern("mrg"), description: "`mrg_…`" }) });
const tag = "Merges";
const writerOf = ({ env_id, key_id }: Principal) => ({ env_id, actor: key_id });

export function mergeRoutes(merges: MergeService, write: UnitOfWork) {
  return new Elysia().use(writingRoutes(merges, write)).use(readingRoutes(merges));
}

function writingRoutes(merges: MergeService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/contacts/:id/merge",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await merges.merge(tx, writerOf(principal), params.id, body, preconditionOf(request)),
        })),
      {
        params: contactParams,
        body: NewMerge,
        detail: operation({
          id: "contacts.merge",
          summary: "Merge two contacts",
          description:
            "The contact of the address stays, the one of the body goes. Who stays keeps its own values and takes what it lacks: identities, name, language and timezone; `prefer` names members in which the other is believed. Of two consents the newer holds, of two `last_seen_at` the later; tags, custom fields and metadata of both are kept. Messages move with their contact, some thousands a second. From then on the id and the number of who went mean who stayed, but in a deletion, which is refused; an identity that both have of their own is free for another contact. For 30 days it can be undone.",
          tag,
          scope: "write:contacts",
          example: newMergeExample,
          answers: { 200: { description: "One contact of two.", schema: MergeAnswer, example: mergeAnswerExample } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    )
    .post(
      "/v1/merges/:id/undo",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => ({
          status: 200,
          body: await merges.undo(tx, writerOf(principal), params.id, preconditionOf(request)),
        })),
      {
        params,
        detail: operation({
          id: "contacts.unmerge",
          summary: "Undo a merge",
          description:
            "Within 30 days, the last merge first. Who went is as before, with the same id, number, identities and messages. Who stayed gives back what the merge gave, but for what was changed since; messages sent since stay there too. Refused while a third contact has an identity that would go back: `contact_ids` names it.",
          tag,
          scope: "write:contacts",
          answers: { 200: { description: "Two contacts again.", schema: UndoAnswer, example: undoAnswerExample } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}

function readingRoutes(merges: MergeService) {
  return new Elysia()
    .get("/v1/merges", ({ request, query }) => merges.list(principalOf(request).env_id, query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
          contact_id: t.Optional(t.String({ pattern: idPattern("ct"), description: "Who stayed or who went." })),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "merges.list",
        summary: "List merges",
        description: "Newest first, those that were undone too.",
        tag,
        scope: "read:contacts",
        answers: { 200: { description: "A page of merges.", schema: pageSchema(Merge), example: pageExample(example) } },
      }),
    })
    .get(
      "/v1/merges/:id",
      async ({ request, params, set }) => {
        const merge = await merges.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(merge);
        return merge;
      },
      {
        params,
        detail: operation({
          id: "merges.get",
          summary: "Get a merge",
          tag,
          scope: "read:contacts",
          answers: { 200: { description: "The merge.", schema: Merge, example } },
        }),
      },
    );
}
