import { Elysia } from "elysia";
import { operation } from "#src/core/operation.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import type { PreflightService } from "./preflight.ts";
import { AskPreflight, Preflight } from "./preflight-model.ts";

const example = { to: "@sarah_miller" };
const at = "2026-05-06T14:32:18.000Z";
const answer = {
  contact_id: "ct_01HKQ9R2X90000000000000000",
  best_account_id: 10_001,
  accounts: [
    { account_id: 10_001, kind: "telegram_user", reachable: true, eta: at, reason: null, message: null, link: null },
    {
      account_id: 10_000,
      kind: "telegram_bot",
      reachable: false,
      eta: null,
      reason: "recipient_not_started",
      message: "They have not started the bot, and a bot can't write first.",
      link: "https://t.me/acme_bot",
    },
  ],
};

export function preflightRoutes(messages: PreflightService, write: UnitOfWork) {
  return new Elysia().post(
    "/v1/messages/preflight",
    ({ request, body, set }) =>
      write({ request, body, set }, async (tx, principal) => ({ status: 200, body: await messages.preflight(tx, principal, body) })),
    {
      body: AskPreflight,
      detail: operation({
        id: "messages.preflight",
        summary: "Ask who can reach somebody",
        description:
          "For each account whether it can write to them, when a send would leave under today's caps and pace, or why it can't, with the link to hand over. Nothing is sent or counted, and Telegram is not asked.",
        tag: "Messages",
        scope: "write:messages",
        example,
        answers: { 200: { description: "Who can, the soonest first.", schema: Preflight, example: answer } },
        errors: ["not_found"],
      }),
    },
  );
}
