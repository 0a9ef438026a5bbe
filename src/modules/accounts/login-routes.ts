import { Elysia } from "elysia";
import { operation } from "#src/core/operation.ts";
import type { UnitOfWorkAsking } from "#src/core/write.ts";
import { accountExample } from "./examples.ts";
import type { LoginService } from "./login.ts";
import { Account, CodeSent, ConfirmLogin, LoginPassword, QrLogin } from "./model.ts";
import { params, reached } from "./routes.ts";

const userExample = { ...accountExample, kind: "telegram_user", name: "Sarah Miller", username: "sarah_miller", phone: "+447700900123" };
const qrExample = { status: "login_required", url: "tg://login?token=AQIDBAUGBwg", expires_at: "2026-05-06T14:32:48.000Z" };

export function loginRoutes(logins: LoginService, writeAsking: UnitOfWorkAsking) {
  return new Elysia()
    .post(
      "/v1/accounts/:id/login/code",
      ({ request, params, set }) =>
        writeAsking(
          { request, body: null, set },
          (principal) => logins.sendCode(principal.env_id, reached(principal, params.id)),
          async (tx, principal, step) => ({ status: 200, body: await logins.sent(tx, step, principal.key_id) }),
        ),
      {
        params,
        detail: operation({
          id: "accounts.login.code",
          summary: "Have a login code sent",
          description: "Telegram sends it to the account's apps, or to its phone. Asking again begins the login anew.",
          tag: "Accounts",
          scope: "manage:accounts",
          answers: { 200: { description: "It is on its way.", schema: CodeSent, example: { type: "app", timeout: 60 } } },
          errors: ["conflict", "validation_error"],
        }),
      },
    )
    .post(
      "/v1/accounts/:id/login/confirm",
      ({ request, params, body, set }) =>
        writeAsking(
          // What was given is no part of what is kept of the request.
          { request, body: null, set },
          (principal) => logins.confirm(principal.env_id, reached(principal, params.id), body.code),
          async (tx, principal, step) => ({ status: 200, body: await logins.advance(tx, step, principal.key_id) }),
        ),
      {
        params,
        body: ConfirmLogin,
        detail: operation({
          id: "accounts.login.confirm",
          summary: "Log in with the code",
          description: "Where the `status` is then `password_required`, the two-step password comes next. A wrong code can be given again.",
          tag: "Accounts",
          scope: "manage:accounts",
          example: { code: "12345" },
          answers: { 200: { description: "The account.", schema: Account, example: userExample } },
          errors: ["conflict"],
        }),
      },
    )
    .post(
      "/v1/accounts/:id/login/password",
      ({ request, params, body, set }) =>
        writeAsking(
          { request, body: null, set },
          (principal) => logins.password(principal.env_id, reached(principal, params.id), body.password),
          async (tx, principal, step) => ({ status: 200, body: await logins.advance(tx, step, principal.key_id) }),
        ),
      {
        params,
        body: LoginPassword,
        detail: operation({
          id: "accounts.login.password",
          summary: "Log in with the two-step password",
          description: "It proves itself to Telegram without leaving this machine, and is not kept.",
          tag: "Accounts",
          scope: "manage:accounts",
          example: { password: "correct horse battery staple" },
          answers: { 200: { description: "The account.", schema: Account, example: userExample } },
          errors: ["conflict"],
        }),
      },
    )
    .post(
      "/v1/accounts/:id/login/qr",
      ({ request, params, set }) =>
        writeAsking(
          { request, body: null, set },
          (principal) => logins.qr(principal.env_id, reached(principal, params.id)),
          async (tx, principal, step) => ({ status: 200, body: await logins.scanned(tx, step, principal.key_id) }),
        ),
      {
        params,
        detail: operation({
          id: "accounts.login.qr",
          summary: "Log in by QR code",
          description:
            "Show `url` as a QR code and ask again every second or two: the address is renewed before `expires_at`, and once it was scanned the `status` is `connected`, or `password_required`.",
          tag: "Accounts",
          scope: "manage:accounts",
          answers: { 200: { description: "What to show, or how it ended.", schema: QrLogin, example: qrExample } },
          errors: ["conflict"],
        }),
      },
    );
}
