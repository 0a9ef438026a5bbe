import { Elysia, t } from "elysia";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import { Tag } from "./model.ts";
import type { TagService } from "./service.ts";

export function tagRoutes(tags: TagService) {
  return new Elysia().get(
    "/v1/tags",
    ({ request, query }) => {
      const { search, ...page } = query;
      return tags.list(principalOf(request).env_id, search === undefined ? {} : { search }, page);
    },
    {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
          search: t.Optional(t.String({ minLength: 1, maxLength: 64, description: "How the tag begins; case matters." })),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "tags.list",
        summary: "List tags",
        description:
          "Those in use, in their order, with how many contacts have each. A tag comes with its first contact and goes with its last.",
        tag: "Contacts",
        scope: "read:contacts",
        answers: { 200: { description: "A page of tags.", schema: pageSchema(Tag), example: pageExample({ tag: "trial", contacts: 3 }) } },
      }),
    },
  );
}
