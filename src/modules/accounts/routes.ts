import { Elysia, t } from "elysia";
import { AppError, notFound } from "#src/core/errors.ts";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { mayUse, type Principal, type Scope } from "#src/core/principal.ts";
import { principalOf } from "#src/core/request.ts";
import type { Tx } from "#src/core/tx.ts";
import type { UnitOfWork, UnitOfWorkAsking } from "#src/core/write.ts";
import { accountExample } from "./examples.ts";
import { Account, AccountPatch, NewAccount } from "./model.ts";
import { settingsOf } from "./present.ts";
import type { AccountService, KnownBot } from "./service.ts";

const readScopes: readonly Scope[] = ["read:messages", "write:messages", "manage:accounts"];
export const params = t.Object({ id: t.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "Number of the account." }) });

/** @throws AppError `not_found` for an account that the key is not bound to */
export function reached(principal: Principal, id: number): number {
  if (!mayUse(principal, id)) throw notFound("account");
  return id;
}

export function accountRoutes(accounts: AccountService, write: UnitOfWork, writeAsking: UnitOfWorkAsking) {
  return new Elysia()
    .post(
      "/v1/accounts",
      ({ request, body, set }) =>
        writeAsking(
          { request, body, set },
          (principal) => {
            if (principal.account_ids !== null) throw new AppError("forbidden", "A key that is bound to accounts can't connect another.");
            return accounts.ask(principal, body);
          },
          async (tx, principal, bot) => ({ status: 201, body: await accounts.create(tx, principal.env_id, body, bot, principal.key_id) }),
        ),
      {
        body: NewAccount,
        detail: operation({
          id: "accounts.create",
          summary: "Connect a bot, or take a user account in",
          description:
            "Of a bot Telegram is asked whose token it is. A user account waits as `login_required` for its login by code or QR. Tokens, sessions and proxies are kept encrypted. Live environments have live accounts; each test environment has the sandbox account 7421.",
          tag: "Accounts",
          scope: "manage:accounts",
          example: { kind: "telegram_bot", token: "5000000001:AAE-example-token-of-a-bot-1234567", name: "Acme Support" },
          answers: { 201: { description: "The account.", schema: Account, example: accountExample } },
          errors: ["conflict"],
        }),
      },
    )
    .get("/v1/accounts", ({ request, query }) => accounts.list(principalOf(request).env_id, query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "accounts.list",
        summary: "List accounts",
        tag: "Accounts",
        scope: readScopes,
        answers: { 200: { description: "A page of accounts.", schema: pageSchema(Account), example: pageExample(accountExample) } },
      }),
    })
    .get(
      "/v1/accounts/:id",
      async ({ request, params, set }) => {
        const account = await accounts.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(settingsOf(account));
        return account;
      },
      {
        params,
        detail: operation({
          id: "accounts.get",
          summary: "Get an account",
          tag: "Accounts",
          scope: readScopes,
          answers: { 200: { description: "The account.", schema: Account, example: accountExample } },
        }),
      },
    )
    .patch(
      "/v1/accounts/:id",
      ({ request, params, body, set }) => {
        const check = preconditionOf(request);
        const patch = async (tx: Tx, principal: Principal, bot: KnownBot | null) => ({
          status: 200,
          body: await accounts.patch(tx, principal.env_id, reached(principal, params.id), body, bot, principal.key_id, check),
        });
        if (body.token === undefined) return write({ request, body, set }, (tx, principal) => patch(tx, principal, null));
        const ask = (principal: Principal) => accounts.askAgain(principal, reached(principal, params.id), body, check);
        return writeAsking({ request, body, set }, ask, patch);
      },
      {
        params,
        body: AccountPatch,
        detail: operation({
          id: "accounts.patch",
          summary: "Change an account",
          description: "A paused account keeps its queue. A new token of the same bot brings a disconnected account back.",
          tag: "Accounts",
          scope: "manage:accounts",
          example: { paused: true },
          answers: { 200: { description: "The account.", schema: Account, example: accountExample } },
          errors: ["precondition_failed"],
        }),
      },
    )
    .delete(
      "/v1/accounts/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => {
          await accounts.remove(tx, principal.env_id, reached(principal, params.id), principal.key_id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "accounts.delete",
          summary: "Remove an account",
          description: "What is queued on it ends as `account_unauthorized`.",
          tag: "Accounts",
          scope: "manage:accounts",
          answers: { 204: { description: "Removed." } },
          errors: ["precondition_failed", "conflict"],
        }),
      },
    );
}
