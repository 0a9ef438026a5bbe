import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Environment, EnvironmentPatch, NewEnvironment, Workspace, WorkspacePatch } from "./model.ts";
import type { WorkspaceService } from "./service.ts";

const tag = "Workspace";
const scope = "manage:keys";
const times = { created_at: "2026-05-06T14:32:18.000Z", updated_at: "2026-05-06T14:32:18.000Z" };
const workspaceExample = { id: "ws_01HKQ9R2X30000000000000000", name: "Acme", plan: null, currency: "USD", on_unknown: "fail", ...times };
const environmentExample = { id: "env_01HKQ9R2X30000000000000000", name: "sandbox", mode: "test", opt_out_replies: false, ...times };
const params = Type.Object({ id: Type.String({ pattern: idPattern("env"), description: "`env_…`" }) });

export function workspaceRoutes(workspaces: WorkspaceService, write: UnitOfWork) {
  return new Elysia()
    .get(
      "/v1/workspace",
      async ({ request, set }) => {
        const workspace = await workspaces.get(principalOf(request).workspace_id);
        set.headers.etag = etagOf(workspace);
        return workspace;
      },
      {
        detail: operation({
          id: "workspace.get",
          summary: "Get the workspace",
          tag,
          scope,
          answers: { 200: { description: "The key's workspace.", schema: Workspace, example: workspaceExample } },
        }),
      },
    )
    .patch(
      "/v1/workspace",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, { workspace_id, env_id, key_id: actor }) => ({
          status: 200,
          body: await workspaces.patch(tx, workspace_id, body, { actor, env_id }, preconditionOf(request)),
        })),
      {
        body: WorkspacePatch,
        detail: operation({
          id: "workspace.patch",
          summary: "Change the workspace",
          description: "The plan sets the default rate limit of its keys. A rise of plan is the event `subscription.upgraded`.",
          tag,
          scope,
          example: { plan: "professional" },
          answers: { 200: { description: "The workspace.", schema: Workspace, example: { ...workspaceExample, plan: "professional" } } },
          errors: ["precondition_failed"],
        }),
      },
    )
    .get("/v1/environments", ({ request, query }) => workspaces.environments(principalOf(request), query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "environments.list",
        summary: "List environments",
        description: "The live one and every test one of the key's workspace.",
        tag,
        scope,
        answers: {
          200: {
            description: "A page of environments, oldest first.",
            schema: pageSchema(Environment),
            example: pageExample(environmentExample),
          },
        },
      }),
    })
    .post(
      "/v1/environments",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, { workspace_id, env_id, key_id: actor }) => ({
          status: 201,
          body: await workspaces.createEnvironment(tx, workspace_id, body, { actor, env_id }),
        })),
      {
        body: NewEnvironment,
        detail: operation({
          id: "environments.create",
          summary: "Make a test environment",
          description: "With a sandbox account of its own. Keys for it are made with the command `posthouse keys create --env NAME`.",
          tag,
          scope,
          example: { name: "staging" },
          answers: { 201: { description: "The environment.", schema: Environment, example: { ...environmentExample, name: "staging" } } },
          errors: ["conflict"],
        }),
      },
    )
    .get(
      "/v1/environments/:id",
      async ({ request, params, set }) => {
        const environment = await workspaces.environment(principalOf(request), params.id);
        set.headers.etag = etagOf(environment);
        return environment;
      },
      {
        params,
        detail: operation({
          id: "environments.get",
          summary: "Get the key's environment",
          tag,
          scope,
          answers: { 200: { description: "The environment.", schema: Environment, example: environmentExample } },
        }),
      },
    )
    .patch(
      "/v1/environments/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await workspaces.patchEnvironment(tx, principal, params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: EnvironmentPatch,
        detail: operation({
          id: "environments.patch",
          summary: "Change the key's environment",
          description:
            "With `opt_out_replies` a person who answers STOP or its like in a private chat, with nothing else, is suppressed on that channel with the reason `reply`. START lifts that, and no other suppression.",
          tag,
          scope,
          example: { opt_out_replies: true },
          answers: {
            200: { description: "The environment.", schema: Environment, example: { ...environmentExample, opt_out_replies: true } },
          },
          errors: ["precondition_failed"],
        }),
      },
    );
}
