import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { idPattern } from "#src/core/ids.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { BatchAnswer } from "#src/modules/messages/model.ts";
import { Task } from "#src/modules/tasks/model.ts";
import { dryRunExample, previewExample, statisticsExample, testAnswerExample } from "./examples.ts";
import { AskPreview, AskTest, Preview, Statistics } from "./model.ts";
import type { TrialService } from "./trials.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("bc"), description: "`bc_…`" }) });
const tag = "Broadcasts";

export function broadcastTrialRoutes(trials: TrialService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/broadcasts/:id/preview",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({ status: 200, body: await trials.preview(tx, author, params.id, body) })),
      {
        params,
        body: AskPreview,
        detail: operation({
          id: "broadcasts.preview",
          summary: "Preview a broadcast for a contact",
          description: "What would be said to them, by whom, and what would keep it from them.",
          tag,
          scope: ["read:messages", "write:messages"],
          example: { contact_id: previewExample.contact_id },
          answers: { 200: { description: "The preview.", schema: Preview, example: previewExample } },
        }),
      },
    )
    .post(
      "/v1/broadcasts/:id/test",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({ status: 200, body: await trials.test(tx, author, params.id, body) })),
      {
        params,
        body: AskTest,
        detail: operation({
          id: "broadcasts.test",
          summary: "Send a broadcast to some, to try it",
          description: "To contacts or addresses, at once. These are messages by themselves, which the broadcast doesn't count.",
          tag,
          scope: "write:messages",
          example: { to: ["@sarah_miller"] },
          answers: { 200: { description: "What became of each.", schema: BatchAnswer, example: testAnswerExample } },
        }),
      },
    )
    .post(
      "/v1/broadcasts/:id/dry-run",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, author) => ({ status: 202, body: await trials.dryRun(tx, author, params.id) })),
      {
        params,
        detail: operation({
          id: "broadcasts.dry_run",
          summary: "Reckon what a broadcast would come to",
          description:
            "A job that writes to nobody. Its `result` has how many `recipients` there are, how many of them are `reachable` and by which of the `accounts`, how many are `unreachable` and for which reasons, for how many a failure is `foreseen` (by its code), and when it would end under today's budgets and paces, behind what waits already (`ends_at`, of each account too).",
          tag,
          scope: "write:messages",
          answers: { 202: { description: "The job.", schema: Task, example: dryRunExample } },
        }),
      },
    )
    .get("/v1/broadcasts/:id/statistics", ({ request, params }) => trials.statistics(principalOf(request).env_id, params.id), {
      params,
      detail: operation({
        id: "broadcasts.statistics",
        summary: "Read what a broadcast has come to",
        description: "In all, by variant, and by day and variant. A failed message counts on the day on which it failed.",
        tag,
        scope: "read:analytics",
        answers: { 200: { description: "The counts.", schema: Statistics, example: statisticsExample } },
      }),
    });
}
