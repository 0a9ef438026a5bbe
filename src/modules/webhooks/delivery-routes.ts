import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, givenOf, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Task } from "#src/modules/tasks/model.ts";
import type { DeliveryService } from "./deliveries.ts";
import { deliveryDetailExample, deliveryExample, purgeJobExample, replayedExample, replayJobExample, testedExample } from "./examples.ts";
import { Delivery, DeliveryDetail, deliveryStatuses, PurgeDeliveries, ReplayDeliveries } from "./delivery-model.ts";
import { TestWebhook } from "./model.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("dlv"), description: "`dlv_…`" }) });
const webhookParams = Type.Object({ id: Type.String({ pattern: idPattern("wh"), description: "`wh_…`" }) });
const tag = "Webhooks";
const scope = "manage:webhooks";

const filters = {
  limit: t.Optional(t.Integer(limitOptions)),
  offset: t.Optional(t.Integer(offsetOptions)),
  cursor: t.Optional(t.String(cursorOptions)),
  status: t.Optional(t.Union(deliveryStatuses.map((status) => t.Literal(status)))),
  event: t.Optional(t.String({ minLength: 1, maxLength: 60, description: "The event's name." })),
  event_id: t.Optional(t.String({ pattern: idPattern("evt"), description: "`evt_…`" })),
  created_after: t.Optional(t.String({ format: "date-time", description: "Of events that happened at this time or later." })),
  created_before: t.Optional(t.String({ format: "date-time", description: "Of events that happened before this time." })),
};

export function deliveryRoutes(deliveries: DeliveryService, write: UnitOfWork) {
  return new Elysia().use(readingRoutes(deliveries)).use(replayingRoutes(deliveries, write)).use(removingRoutes(deliveries, write));
}

function readingRoutes(deliveries: DeliveryService) {
  const page = { description: "A page of deliveries.", schema: pageSchema(Delivery), example: pageExample(deliveryExample) };
  return new Elysia()
    .get(
      "/v1/webhooks/:id/deliveries",
      ({ request, params, query }) => deliveries.listOf(principalOf(request).env_id, params.id, givenOf(query)),
      {
        params: webhookParams,
        query: t.Object(filters, { additionalProperties: false }),
        detail: operation({
          id: "webhooks.deliveries",
          summary: "List deliveries of a webhook",
          description: "Newest event first, from the first attempt on.",
          tag,
          scope,
          answers: { 200: page },
        }),
      },
    )
    .get("/v1/deliveries", ({ request, query }) => deliveries.list(principalOf(request).env_id, givenOf(query)), {
      query: t.Object(
        { ...filters, webhook_id: t.Optional(t.String({ pattern: idPattern("wh"), description: "`wh_…`" })) },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "deliveries.list",
        summary: "List deliveries",
        description: "Of all webhooks, newest event first, from the first attempt on. `status=dead_letter` is what was given up.",
        tag,
        scope,
        answers: { 200: page },
      }),
    })
    .get(
      "/v1/deliveries/:id",
      async ({ request, params, set }) => {
        const { detail, state } = await deliveries.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(state);
        return detail;
      },
      {
        params,
        detail: operation({
          id: "deliveries.get",
          summary: "Get a delivery",
          description: "With what was sent and each of its attempts.",
          tag,
          scope,
          answers: { 200: { description: "The delivery.", schema: DeliveryDetail, example: deliveryDetailExample } },
        }),
      },
    );
}

function replayingRoutes(deliveries: DeliveryService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/webhooks/:id/test",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, { env_id }) => ({
          status: 202,
          body: await deliveries.test(tx, env_id, params.id, body),
        })),
      {
        params: webhookParams,
        body: TestWebhook,
        detail: operation({
          id: "webhooks.test",
          summary: "Send a test event",
          description: "A made-up event of any kind, signed as all are, tried once. It is in no log but that of the deliveries.",
          tag,
          scope,
          example: { event: "contact.created" },
          answers: { 202: { description: "Its delivery.", schema: Delivery, example: testedExample } },
          errors: ["conflict"],
        }),
      },
    )
    .post(
      "/v1/webhooks/:id/replay",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, { env_id }) => ({
          status: 202,
          body: await deliveries.replayMany(tx, env_id, params.id, body),
        })),
      {
        params: webhookParams,
        body: ReplayDeliveries,
        detail: operation({
          id: "webhooks.replay",
          summary: "Send events again",
          description: "Each with the id that it had, so that the receiver can tell. The result of the job says how many: `{replayed}`.",
          tag,
          scope,
          example: { since: "2026-05-06T00:00:00Z", event: "contact.created" },
          answers: { 202: { description: "The job that does it.", schema: Task, example: replayJobExample } },
          errors: ["conflict"],
        }),
      },
    )
    .post(
      "/v1/deliveries/:id/replay",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, { env_id }) => ({
          status: 202,
          body: await deliveries.replay(tx, env_id, params.id, preconditionOf(request)),
        })),
      {
        params,
        detail: operation({
          id: "deliveries.replay",
          summary: "Replay a delivery",
          description: "At once, and from the beginning of the schedule; one that is pending is attempted now. The event keeps its id.",
          tag,
          scope,
          answers: { 202: { description: "The delivery.", schema: Delivery, example: replayedExample } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}

function removingRoutes(deliveries: DeliveryService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/deliveries/purge",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, { env_id }) => ({ status: 202, body: await deliveries.purge(tx, env_id, body) })),
      {
        body: PurgeDeliveries,
        detail: operation({
          id: "deliveries.purge",
          summary: "Purge dead letters",
          description: "The result of the job says how many: `{purged}`.",
          tag,
          scope,
          example: { before: "2026-05-06T00:00:00Z", event: "contact.created" },
          answers: { 202: { description: "The job that does it.", schema: Task, example: purgeJobExample } },
          errors: ["not_found"],
        }),
      },
    )
    .delete(
      "/v1/deliveries/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, { env_id }) => {
          await deliveries.remove(tx, env_id, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "deliveries.delete",
          summary: "Delete a delivery",
          description: "Out of the log. One that is pending can't be.",
          tag,
          scope,
          answers: { 204: { description: "Deleted." } },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}
