import { Type } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { invalidField } from "#src/core/errors.ts";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Task } from "#src/modules/tasks/model.ts";
import type { EnrollmentService } from "./enrollments.ts";
import { enrollJobExample, enrollmentExample as example, statisticsExample } from "./examples.ts";
import { Enroll, Enrollment, enrollmentStatuses, Move, Unenroll } from "./model.ts";
import { SequenceStatistics } from "./statistics-model.ts";
import type { StatisticsService } from "./statistics.ts";

const SequenceId = Type.String({ pattern: idPattern("seq"), description: "`seq_…`" });
const params = Type.Object({ id: SequenceId });
const ref = Type.Object({ id: SequenceId, enrollment_id: Type.String({ pattern: idPattern("enr"), description: "`enr_…`" }) });
const tag = "Sequences";
const reading = ["read:messages", "manage:sequences"] as const;
const scope = "manage:sequences";
const answers = { 200: { description: "The enrollment.", schema: Enrollment, example } };
const day = Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description: "As `2026-05-06`, in UTC." });

/** What a request can say of whom to enroll. */
const whom = ["contact_id", "segment_id", "filter", "tag"] as const;

export function enrollmentRoutes(enrollments: EnrollmentService, statistics: StatisticsService, write: UnitOfWork) {
  return new Elysia()
    .use(enrollRoute(enrollments, write))
    .use(readingRoutes(enrollments, statistics))
    .use(changingRoutes(enrollments, write));
}

function enrollRoute(enrollments: EnrollmentService, write: UnitOfWork) {
  return new Elysia().post(
    "/v1/sequences/:id/enroll",
    ({ request, params, body, set }) =>
      write({ request, body, set }, async (tx, author) => {
        const { contact_id, start_at } = body;
        const [one, second] = whom.filter((name) => body[name] !== undefined);
        if (one === undefined || second !== undefined)
          throw invalidField(
            second ?? "contact_id",
            second === undefined ? "required" : "not_allowed",
            `Say whom to enroll: exactly one of ${whom.join(", ")}.`,
          );
        if (contact_id === undefined) return { status: 202, body: await enrollments.enrollMany(tx, author, params.id, body) };
        const ask = { contact_id: String(contact_id), ...(start_at === undefined ? {} : { start_at }) };
        return { status: 200, body: await enrollments.enroll(tx, author, params.id, ask) };
      }),
    {
      params,
      body: Enroll,
      detail: operation({
        id: "enrollments.create",
        summary: "Enroll a contact, or many",
        description:
          "One contact gets the enrollment at once. A segment, a filter or a tag gets a job that enrolls whom it holds at that moment, and tells how many were skipped and why. A contact is in a sequence once at a time; whether again later, its `reentry` says. A `conflict` says by its `reason` why the contact does not enter, and by `enrollment_id` what stands against it.",
        tag,
        scope,
        example: { contact_id: example.contact_id },
        answers: { ...answers, 202: { description: "The job that enrolls them.", schema: Task, example: enrollJobExample } },
        errors: ["conflict"],
      }),
    },
  );
}

function readingRoutes(enrollments: EnrollmentService, statistics: StatisticsService) {
  return new Elysia()
    .get(
      "/v1/sequences/:id/enrollments",
      ({ request, params, query }) => {
        const { status, contact_id, step, ...page } = query;
        const by = {
          ...(status === undefined ? {} : { status }),
          ...(contact_id === undefined ? {} : { contact_id }),
          ...(step === undefined ? {} : { step }),
        };
        return enrollments.list(principalOf(request).env_id, params.id, by, page);
      },
      {
        params,
        query: t.Object(
          {
            limit: t.Optional(t.Integer(limitOptions)),
            offset: t.Optional(t.Integer(offsetOptions)),
            cursor: t.Optional(t.String(cursorOptions)),
            status: t.Optional(t.Union(enrollmentStatuses.map((status) => t.Literal(status)))),
            contact_id: t.Optional(t.String({ pattern: idPattern("ct") })),
            step: t.Optional(t.String({ maxLength: 40, description: "Those that are at this step." })),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "enrollments.list",
          summary: "List who is in a sequence, and who was",
          description: "Newest first, each with its step, when it goes on and why not before.",
          tag,
          scope: reading,
          answers: { 200: { description: "A page of enrollments.", schema: pageSchema(Enrollment), example: pageExample(example) } },
        }),
      },
    )
    .get(
      "/v1/sequences/:id/enrollments/:enrollment_id",
      async ({ request, params, set }) => {
        const enrollment = await enrollments.get(principalOf(request).env_id, params);
        set.headers.etag = etagOf(enrollment);
        return enrollment;
      },
      { params: ref, detail: operation({ id: "enrollments.get", summary: "Get an enrollment", tag, scope: reading, answers }) },
    )
    .get(
      "/v1/sequences/:id/statistics",
      ({ request, params, query }) => statistics.ofSequence(principalOf(request).env_id, params.id, query),
      {
        params,
        query: t.Object({ from: t.Optional(day), to: t.Optional(day) }, { additionalProperties: false }),
        detail: operation({
          id: "sequences.statistics",
          summary: "Count what a sequence has come to",
          description:
            "Of the whole time, or of the days from `from` to `to`: who entered and how they left, and of each step how many came to it, what was sent and failed, who replied and who converted. `drop_off` is the share of those who came to a step and left in it.",
          tag,
          scope: "read:analytics",
          answers: { 200: { description: "The counts.", schema: SequenceStatistics, example: statisticsExample } },
        }),
      },
    );
}

/** What can be done with an enrollment, beside moving it. */
const verbs = [
  { verb: "pause", summary: "Pause an enrollment", description: "Nothing more happens to it until it is resumed." },
  { verb: "resume", summary: "Resume an enrollment", description: "What fell due meanwhile is done now." },
  { verb: "skip", summary: "Pass over a step", description: "The one that comes next, or that it waits in; what follows is done at once." },
] as const;

function changingRoutes(enrollments: EnrollmentService, write: UnitOfWork) {
  const errors = ["conflict", "precondition_failed"] as const;
  const routes = new Elysia()
    .post(
      "/v1/sequences/:id/enrollments/:enrollment_id/unenroll",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({
          status: 200,
          body: await enrollments.unenroll(tx, author, params, body, preconditionOf(request)),
        })),
      {
        params: ref,
        body: Unenroll,
        detail: operation({
          id: "enrollments.unenroll",
          summary: "Take a contact out of a sequence",
          description: "For good. What is queued and has not left is taken back.",
          tag,
          scope,
          example: { reason: "called_us" },
          answers,
          errors: [...errors],
        }),
      },
    )
    .post(
      "/v1/sequences/:id/enrollments/:enrollment_id/move",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({
          status: 200,
          body: await enrollments.move(tx, author, params, body, preconditionOf(request)),
        })),
      {
        params: ref,
        body: Move,
        detail: operation({
          id: "enrollments.move",
          summary: "Move an enrollment to another step or version",
          description: "With a `step` it goes on with that at once.",
          tag,
          scope,
          example: { step: "reminder" },
          answers,
          errors: [...errors],
        }),
      },
    );
  for (const { verb, summary, description } of verbs)
    routes.post(
      `/v1/sequences/:id/enrollments/:enrollment_id/${verb}`,
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, author) => ({
          status: 200,
          body: await enrollments[verb](tx, author, params, preconditionOf(request)),
        })),
      { params: ref, detail: operation({ id: `enrollments.${verb}`, summary, description, tag, scope, answers, errors: [...errors] }) },
    );
  return routes;
}
