import { Type } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { checkExample, newSequenceExample, sequenceExample as example, versionExample } from "./examples.ts";
import { NewSequence, Sequence, SequenceCheck, SequencePatch, sequenceStatuses, SequenceVersion } from "./model.ts";
import type { SequenceService } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("seq"), description: "`seq_…`" }) });
const paging = {
  limit: t.Optional(t.Integer(limitOptions)),
  offset: t.Optional(t.Integer(offsetOptions)),
  cursor: t.Optional(t.String(cursorOptions)),
};
const tag = "Sequences";
const reading = ["read:messages", "manage:sequences"] as const;
const scope = "manage:sequences";
const answers = { 200: { description: "The sequence.", schema: Sequence, example } };

export function sequenceRoutes(sequences: SequenceService, write: UnitOfWork) {
  return new Elysia().use(readingRoutes(sequences)).use(writingRoutes(sequences, write)).use(stateRoutes(sequences, write));
}

function readingRoutes(sequences: SequenceService) {
  return new Elysia()
    .get(
      "/v1/sequences",
      ({ request, query }) => {
        const { status, ...page } = query;
        return sequences.list(principalOf(request).env_id, status === undefined ? {} : { status }, page);
      },
      {
        query: t.Object(
          { ...paging, status: t.Optional(t.Union(sequenceStatuses.map((status) => t.Literal(status)))) },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "sequences.list",
          summary: "List sequences",
          description: "Newest first.",
          tag,
          scope: reading,
          answers: { 200: { description: "A page of sequences.", schema: pageSchema(Sequence), example: pageExample(example) } },
        }),
      },
    )
    .get(
      "/v1/sequences/:id",
      async ({ request, params, set }) => {
        const sequence = await sequences.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(sequence);
        return sequence;
      },
      { params, detail: operation({ id: "sequences.get", summary: "Get a sequence", tag, scope: reading, answers }) },
    )
    .get("/v1/sequences/:id/versions", ({ request, params, query }) => sequences.versions(principalOf(request).env_id, params.id, query), {
      params,
      query: t.Object(paging, { additionalProperties: false }),
      detail: operation({
        id: "sequences.versions",
        summary: "List a sequence's versions",
        description: "Every definition that it has had, newest first.",
        tag,
        scope: reading,
        answers: { 200: { description: "A page of versions.", schema: pageSchema(SequenceVersion), example: pageExample(versionExample) } },
      }),
    });
}

function writingRoutes(sequences: SequenceService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/sequences",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({ status: 201, body: await sequences.create(tx, author, body) })),
      {
        body: NewSequence,
        detail: operation({
          id: "sequences.create",
          summary: "Make a sequence",
          description:
            "A draft of up to 200 steps; 500 sequences that are not archived. All faults are told at once, each with its place: a step that nothing leads to, a loop without a wait of a minute or more, a text whose markup does not work. What a draft names need not be there yet; `activate` asks for that.",
          tag,
          scope,
          example: newSequenceExample,
          answers: { 201: { description: "The sequence.", schema: Sequence, example } },
          errors: ["conflict"],
        }),
      },
    )
    .patch(
      "/v1/sequences/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, author) => ({
          status: 200,
          body: await sequences.patch(tx, author, params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: SequencePatch,
        detail: operation({
          id: "sequences.patch",
          summary: "Change a sequence",
          description:
            "A definition that differs is a new version. Who is in the middle finishes on theirs, unless `move_enrolled` takes them along. Once it is no draft, all that `activate` asks for has to be there.",
          tag,
          scope,
          example: { timezone: "Europe/Berlin", move_enrolled: true },
          answers,
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}

/** What can be done with a sequence as a whole. */
const verbs = [
  {
    verb: "activate",
    summary: "Activate a sequence",
    description: "Contacts can enter it from now on. Refused with all that it names and is not here, or can't do what it is for.",
  },
  { verb: "pause", summary: "Pause a sequence", description: "Nobody enters, and nothing is sent, until it is resumed." },
  { verb: "resume", summary: "Resume a sequence", description: "What fell due meanwhile is done now. Refused for what `activate` is." },
  { verb: "archive", summary: "Archive a sequence", description: "For good: all who are in it leave, and its name is free again." },
] as const;

function stateRoutes(sequences: SequenceService, write: UnitOfWork) {
  const routes = new Elysia().post(
    "/v1/sequences/:id/check",
    ({ request, params, set }) =>
      write({ request, body: null, set }, async (tx, author) => ({ status: 200, body: await sequences.check(tx, author, params.id) })),
    {
      params,
      detail: operation({
        id: "sequences.check",
        summary: "Check a sequence",
        description: "What `activate` would refuse it for. Changes nothing.",
        tag,
        scope,
        answers: { 200: { description: "What is wrong with it.", schema: SequenceCheck, example: checkExample } },
      }),
    },
  );
  for (const { verb, summary, description } of verbs)
    routes.post(
      `/v1/sequences/:id/${verb}`,
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, author) => ({
          status: 200,
          body: await sequences[verb](tx, author, params.id, preconditionOf(request)),
        })),
      {
        params,
        detail: operation({
          id: `sequences.${verb}`,
          summary,
          description,
          tag,
          scope,
          answers,
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
  return routes;
}
