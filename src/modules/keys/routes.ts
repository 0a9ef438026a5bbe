import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { createdExample, keyExample, meExample } from "./examples.ts";
import { CreatedKey, Key, KeyPatch, Me, NewKey, RotateKey } from "./model.ts";
import { presentMe, withoutUse } from "./present.ts";
import { type KeyService, makerOf } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("key"), description: "`key_…`" }) });
const tag = "Keys";
const scope = "manage:keys";

export function keyRoutes(keys: KeyService, write: UnitOfWork) {
  return new Elysia()
    .get("/v1/me", ({ request }) => presentMe(principalOf(request)), {
      detail: operation({
        id: "me.get",
        summary: "Who am I",
        description: "What this key is and may do: the simplest test of a key.",
        tag,
        scope: "any",
        answers: { 200: { description: "The key that asked.", schema: Me, example: meExample } },
      }),
    })
    .post(
      "/v1/keys",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({ status: 201, body: await keys.create(tx, makerOf(principal), body) }), {
          secret: true,
        }),
      {
        body: NewKey,
        detail: operation({
          id: "keys.create",
          summary: "Make a key",
          description: "In this key's environment, with scopes that this key has itself. The answer is the only one that shows the key.",
          tag,
          scope,
          example: { name: "production-sender", scopes: ["write:messages"] },
          answers: { 201: { description: "The key, shown once.", schema: CreatedKey, example: createdExample } },
        }),
      },
    )
    .get("/v1/keys", ({ request, query }) => keys.list(home(request), query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "keys.list",
        summary: "List keys",
        description: "Newest first, revoked ones included.",
        tag,
        scope,
        answers: { 200: { description: "A page of keys.", schema: pageSchema(Key), example: pageExample(keyExample) } },
      }),
    })
    .get(
      "/v1/keys/:id",
      async ({ request, params, set }) => {
        const key = await keys.get(home(request), params.id);
        set.headers.etag = etagOf(withoutUse(key));
        return key;
      },
      {
        params,
        detail: operation({
          id: "keys.get",
          summary: "Get a key",
          tag,
          scope,
          answers: { 200: { description: "The key.", schema: Key, example: keyExample } },
        }),
      },
    )
    .patch(
      "/v1/keys/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await keys.patch(tx, makerOf(principal), params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: KeyPatch,
        detail: operation({
          id: "keys.patch",
          summary: "Rename a key",
          tag,
          scope,
          example: { name: "production-sender-2" },
          answers: { 200: { description: "The key.", schema: Key, example: keyExample } },
          errors: ["precondition_failed"],
        }),
      },
    )
    .post(
      "/v1/keys/:id/rotate",
      ({ request, params, body, set }) =>
        write(
          { request, body, set },
          async (tx, principal) => ({ status: 201, body: await keys.rotate(tx, makerOf(principal), params.id, body) }),
          { secret: true },
        ),
      {
        params,
        body: RotateKey,
        detail: operation({
          id: "keys.rotate",
          summary: "Rotate a key",
          description:
            "Makes a successor with the same settings. The old key works until the overlap ends: 86,400 seconds unless told otherwise, 0 is at once.",
          tag,
          scope,
          example: { overlap_seconds: 3600 },
          answers: { 201: { description: "The successor, shown once.", schema: CreatedKey, example: createdExample } },
          errors: ["conflict"],
        }),
      },
    )
    .delete(
      "/v1/keys/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => {
          await keys.revoke(tx, makerOf(principal), params.id);
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "keys.revoke",
          summary: "Revoke a key",
          description: "At once. Revoking it again is no error.",
          tag,
          scope,
          answers: { 204: { description: "It works no longer." } },
        }),
      },
    );
}

function home(request: Request) {
  return makerOf(principalOf(request));
}
