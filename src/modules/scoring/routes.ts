import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { newRuleExample, ruleExample as example, settingsExample } from "./examples.ts";
import { NewScoreRule, ScoreRule, ScoreRulePatch, Scoring, ScoringPatch } from "./model.ts";
import type { ScoringService } from "./service.ts";

const params = Type.Object({ id: Type.String({ pattern: idPattern("rule"), description: "`rule_…`" }) });
const tag = "Scoring";

export function scoringRoutes(scoring: ScoringService, write: UnitOfWork) {
  return new Elysia().use(settingsRoutes(scoring, write)).use(readingRoutes(scoring)).use(writingRoutes(scoring, write));
}

function settingsRoutes(scoring: ScoringService, write: UnitOfWork) {
  const answers = { 200: { description: "The settings.", schema: Scoring, example: settingsExample } };
  return new Elysia()
    .get(
      "/v1/scoring",
      async ({ request, set }) => {
        const settings = await scoring.settings(principalOf(request).env_id);
        set.headers.etag = etagOf(settings);
        return settings;
      },
      { detail: operation({ id: "scoring.get", summary: "Get the thresholds", tag, scope: "read:contacts", answers }) },
    )
    .patch(
      "/v1/scoring",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await scoring.patchSettings(tx, principal, body, preconditionOf(request)),
        })),
      {
        body: ScoringPatch,
        detail: operation({
          id: "scoring.patch",
          summary: "Change the thresholds",
          description:
            "Each time that a change of a contact, or what becomes of a message to them, brings the score from below a threshold to it or past it, the event `lead.scored` tells so, once for each threshold. Fading, and changes of rules or thresholds, tell nothing; who has fallen below and rises again is told again.",
          tag,
          scope: "write:contacts",
          example: { thresholds: settingsExample.thresholds },
          answers,
          errors: ["precondition_failed"],
        }),
      },
    );
}

function readingRoutes(scoring: ScoringService) {
  return new Elysia()
    .get("/v1/scoring/rules", ({ request, query }) => scoring.list(principalOf(request).env_id, query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "scoring.rules.list",
        summary: "List scoring rules",
        description: "Newest first.",
        tag,
        scope: "read:contacts",
        answers: { 200: { description: "A page of rules.", schema: pageSchema(ScoreRule), example: pageExample(example) } },
      }),
    })
    .get(
      "/v1/scoring/rules/:id",
      async ({ request, params, set }) => {
        const rule = await scoring.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(rule);
        return rule;
      },
      {
        params,
        detail: operation({
          id: "scoring.rules.get",
          summary: "Get a scoring rule",
          tag,
          scope: "read:contacts",
          answers: { 200: { description: "The rule.", schema: ScoreRule, example } },
        }),
      },
    );
}

function writingRoutes(scoring: ScoringService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/scoring/rules",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({ status: 201, body: await scoring.create(tx, principal, body) })),
      {
        body: NewScoreRule,
        detail: operation({
          id: "scoring.rules.create",
          summary: "Make a scoring rule",
          description:
            'Up to 100. Points for an event are given as it happens, from now on; points for an attribute or a custom field count for every contact, for as long as it is so: `{"attribute": "email", "op": "is_set"}`, `{"attribute": "tag", "op": "equals", "value": "vip"}`, `{"field": "seats", "op": "at_least", "value": 10}`.',
          tag,
          scope: "write:contacts",
          example: newRuleExample,
          answers: { 201: { description: "The rule.", schema: ScoreRule, example } },
          errors: ["conflict"],
        }),
      },
    )
    .patch(
      "/v1/scoring/rules/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await scoring.patch(tx, principal, params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: ScoreRulePatch,
        detail: operation({
          id: "scoring.rules.patch",
          summary: "Change a scoring rule",
          description:
            "Points that contacts have got for events stay, and fade, as they were given. What a rule is about can't be changed.",
          tag,
          scope: "write:contacts",
          example: { points: 15 },
          answers: { 200: { description: "The rule.", schema: ScoreRule, example } },
          errors: ["precondition_failed"],
        }),
      },
    )
    .delete(
      "/v1/scoring/rules/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => {
          await scoring.remove(tx, principal, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "scoring.rules.delete",
          summary: "Delete a scoring rule",
          description: "With the points that contacts have got by it.",
          tag,
          scope: "write:contacts",
          answers: { 204: { description: "Deleted." } },
          errors: ["precondition_failed"],
        }),
      },
    );
}
