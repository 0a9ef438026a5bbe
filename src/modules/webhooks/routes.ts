import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork, UnitOfWorkAsking } from "#src/core/write.ts";
import {
  createdWebhookExample,
  newWebhookExample,
  patchWebhookExample,
  rotatedSecretExample,
  statisticsExample,
  webhookExample as example,
} from "./examples.ts";
import {
  CreatedWebhook,
  hoursOptions,
  NewWebhook,
  RotatedSecret,
  RotateSecret,
  Webhook,
  WebhookPatch,
  WebhookStatistics,
} from "./model.ts";
import { withoutUse } from "./present.ts";
import type { WebhookService } from "./service.ts";
import type { createStatistics } from "./statistics.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("wh"), description: "`wh_…`" }) });
const tag = "Webhooks";
const scope = "manage:webhooks";

type Statistics = ReturnType<typeof createStatistics>;

export function webhookRoutes(webhooks: WebhookService, statistics: Statistics, write: UnitOfWork, writeAsking: UnitOfWorkAsking) {
  return new Elysia()
    .use(readingRoutes(webhooks, statistics))
    .use(creatingRoutes(webhooks, write, writeAsking))
    .use(changingRoutes(webhooks, write, writeAsking));
}

function readingRoutes(webhooks: WebhookService, statistics: Statistics) {
  return new Elysia()
    .get("/v1/webhooks", ({ request, query }) => webhooks.list(principalOf(request).env_id, query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "webhooks.list",
        summary: "List webhooks",
        description: "Newest first.",
        tag,
        scope,
        answers: { 200: { description: "A page of webhooks.", schema: pageSchema(Webhook), example: pageExample(example) } },
      }),
    })
    .get(
      "/v1/webhooks/:id",
      async ({ request, params, set }) => {
        const webhook = await webhooks.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(withoutUse(webhook));
        return webhook;
      },
      {
        params,
        detail: operation({
          id: "webhooks.get",
          summary: "Get a webhook",
          description: "Its ETag stays while nobody changes its settings, whatever its deliveries come to.",
          tag,
          scope,
          answers: { 200: { description: "The webhook.", schema: Webhook, example } },
        }),
      },
    )
    .get("/v1/webhooks/:id/statistics", ({ request, params, query }) => statistics(principalOf(request).env_id, params.id, query.hours), {
      params,
      query: t.Object({ hours: t.Optional(t.Integer(hoursOptions)) }, { additionalProperties: false }),
      detail: operation({
        id: "webhooks.statistics",
        summary: "See how a webhook does",
        description: "Attempts by the hour of UTC, and what waits.",
        tag,
        scope,
        answers: { 200: { description: "The figures.", schema: WebhookStatistics, example: statisticsExample } },
      }),
    });
}

function creatingRoutes(webhooks: WebhookService, write: UnitOfWork, writeAsking: UnitOfWorkAsking) {
  return new Elysia()
    .post(
      "/v1/webhooks",
      ({ request, body, set }) =>
        writeAsking(
          { request, body, set },
          () => webhooks.check(body),
          async (tx, author) => ({ status: 201, body: await webhooks.create(tx, author, body) }),
          { secret: true },
        ),
      {
        body: NewWebhook,
        detail: operation({
          id: "webhooks.create",
          summary: "Subscribe to events",
          description:
            "Up to 100. It gets what happens from now on. Without a secret one is made; the answer is the only one that shows it. A name that does not resolve yet is accepted. Whoever may manage webhooks can have every event of the environment sent.",
          tag,
          scope,
          example: newWebhookExample,
          answers: { 201: { description: "The webhook, with its secret.", schema: CreatedWebhook, example: createdWebhookExample } },
          errors: ["conflict"],
        }),
      },
    )
    .post(
      "/v1/webhooks/:id/rotate-secret",
      ({ request, params, body, set }) =>
        write(
          { request, body, set },
          async (tx, author) => ({ status: 200, body: await webhooks.rotateSecret(tx, author, params.id, body) }),
          { secret: true },
        ),
      {
        params,
        body: RotateSecret,
        detail: operation({
          id: "webhooks.rotate_secret",
          summary: "Rotate the secret of a webhook",
          description:
            "Until the overlap ends, after 86,400 seconds unless told otherwise, `webhook-signature` carries the signatures of both, so a receiver that knows either accepts. Up to four former secrets sign at a time.",
          tag,
          scope,
          example: { overlap_seconds: 3600 },
          answers: { 200: { description: "The new secret, shown once.", schema: RotatedSecret, example: rotatedSecretExample } },
          errors: ["conflict"],
        }),
      },
    );
}

function changingRoutes(webhooks: WebhookService, write: UnitOfWork, writeAsking: UnitOfWorkAsking) {
  return new Elysia()
    .patch(
      "/v1/webhooks/:id",
      ({ request, params, body, set }) => {
        const check = preconditionOf(request);
        const patch = async (tx: Parameters<Parameters<UnitOfWork>[1]>[0], author: { env_id: number; key_id: string }) => ({
          status: 200,
          body: await webhooks.patch(tx, author, params.id, body, check),
        });
        const { url } = body;
        if (url === undefined) return write({ request, body, set }, patch);
        return writeAsking({ request, body, set }, ({ env_id }) => webhooks.checkPatch(env_id, params.id, { ...body, url }, check), patch);
      },
      {
        params,
        body: WebhookPatch,
        detail: operation({
          id: "webhooks.patch",
          summary: "Change a webhook",
          description:
            "A paused webhook keeps its place: what happens meanwhile waits, and is delivered when it is enabled again, unless `skip_waiting` says otherwise. `paused: false` enables one that was disabled, too.",
          tag,
          scope,
          example: patchWebhookExample,
          answers: { 200: { description: "The webhook.", schema: Webhook, example } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    )
    .delete(
      "/v1/webhooks/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, author) => {
          await webhooks.remove(tx, author, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "webhooks.delete",
          summary: "Delete a webhook",
          description: "With its deliveries: nothing shows them any more, and they are removed soon after.",
          tag,
          scope,
          answers: { 204: { description: "Deleted." } },
          errors: ["precondition_failed"],
        }),
      },
    );
}
