import { Elysia } from "elysia";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Task } from "#src/modules/tasks/model.ts";
import { advanceExample, clockExample } from "./examples.ts";
import { ADVANCE_OPERATION, AdvanceClock, TestClock } from "./model.ts";
import type { ClockService } from "./service.ts";

const tag = "Sandbox";

export function clockRoutes(clock: Pick<ClockService, "get" | "advance">, write: UnitOfWork) {
  return new Elysia()
    .get("/v1/test/clock", ({ request }) => clock.get(principalOf(request)), {
      detail: operation({
        id: "clock.get",
        summary: "Get the time of a test environment",
        description: "Real time, or ahead of it by what it was moved. A key of a live environment gets a 403.",
        tag,
        scope: "any",
        answers: { 200: { description: "The clock.", schema: TestClock, example: clockExample } },
        errors: ["forbidden"],
      }),
    })
    .post(
      "/v1/test/clock",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({ status: 202, body: await clock.advance(tx, principal, body) })),
      {
        body: AdvanceClock,
        detail: operation({
          id: ADVANCE_OPERATION,
          summary: "Move the time of a test environment ahead",
          description:
            "By a duration, or to a time. The clock goes from one thing that falls due to the next, and each comes to rest before it goes on: steps of sequences, broadcasts, scheduled messages, their expiry, days of caps, retries of webhooks. The job is done when all that fell due is done; its result says what happened: `{from, to, steps, sent, failed, deliveries, events}`. One move at a time: while one runs, another is a 409. Keys, rate limits and kept answers go by real time. A key of a live environment gets a 403.",
          tag,
          scope: "write:messages",
          example: { advance: "3d" },
          answers: { 202: { description: "The job that moves it.", schema: Task, example: advanceExample } },
          errors: ["conflict"],
        }),
      },
    );
}
