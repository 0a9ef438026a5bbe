import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Task, taskStatuses } from "./model.ts";
import type { TaskService } from "./service.ts";

const tag = "Jobs";
// Which scope it takes is told by the job: the service looks.
const scope = "any";
const params = Type.Object({ id: Type.String({ pattern: idPattern("job"), description: "`job_…`" }) });

const example = {
  id: "job_01HKQ9R2X30000000000000000",
  kind: "contacts.import",
  status: "running",
  progress: { done: 1200, total: 5000 },
  result: null,
  error: null,
  created_at: "2026-05-06T14:32:18.000Z",
  finished_at: null,
};
const canceledExample = { ...example, status: "canceled", result: { created: 1200 }, finished_at: "2026-05-06T14:32:19.000Z" };

export function taskRoutes(tasks: TaskService, write: UnitOfWork) {
  return new Elysia()
    .get("/v1/jobs", ({ request, query }) => tasks.list(principalOf(request), query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
          kind: t.Optional(t.String({ minLength: 1, maxLength: 100, description: "What they do." })),
          status: t.Optional(t.Union(taskStatuses.map((status) => t.Literal(status)))),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "jobs.list",
        summary: "List jobs",
        description: "Newest first, those that this key can see.",
        tag,
        scope,
        answers: { 200: { description: "A page of jobs.", schema: pageSchema(Task), example: pageExample(example) } },
      }),
    })
    .get(
      "/v1/jobs/:id",
      async ({ request, params, set }) => {
        const task = await tasks.get(principalOf(request), params.id);
        set.headers.etag = etagOf(task);
        return task;
      },
      {
        params,
        detail: operation({
          id: "jobs.get",
          summary: "Get a job",
          description: "How far it is and, once it has ended, what it has come to. Its end is the event `job.completed`.",
          tag,
          scope,
          answers: { 200: { description: "The job.", schema: Task, example } },
        }),
      },
    )
    .post(
      "/v1/jobs/:id/cancel",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => ({
          status: 200,
          body: await tasks.cancel(tx, principal, params.id, preconditionOf(request)),
        })),
      {
        params,
        detail: operation({
          id: "jobs.cancel",
          summary: "Cancel a job",
          description:
            "Takes the scope with which it was started. What it has done so far stays done, and stands in its `result`; nothing is done after the answer.",
          tag,
          scope,
          answers: { 200: { description: "The job, canceled.", schema: Task, example: canceledExample } },
          errors: ["forbidden", "conflict", "precondition_failed"],
        }),
      },
    );
}
