import { Elysia } from "elysia";
import { operation } from "#src/core/operation.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Message } from "#src/modules/messages/model.ts";
import { inboundExample, receivedExample } from "./examples.ts";
import { NewInbound } from "./model.ts";
import type { SandboxService } from "./service.ts";

export function sandboxRoutes(sandbox: SandboxService, write: UnitOfWork) {
  return new Elysia().post(
    "/v1/sandbox/inbound",
    ({ request, body, set }) =>
      write({ request, body, set }, async (tx, principal) => {
        const { message, created } = await sandbox.inbound(tx, principal, body);
        return { status: created ? 201 : 200, body: message };
      }),
    {
      body: NewInbound,
      detail: operation({
        id: "sandbox.inbound",
        summary: "Play a message that somebody writes",
        description:
          "As if this person had written to the account in a private chat: the message is received, the contact is found or made and was seen just now, and STOP is an opt-out where the environment's `opt_out_replies` says so. `@sarah_miller` is Sarah Miller, whose id is made up unless a contact tells it.",
        tag: "Sandbox",
        scope: "write:messages",
        example: inboundExample,
        answers: {
          201: { description: "The message.", schema: Message, example: receivedExample },
          200: { description: "The message with this `message_id` that was there before.", schema: Message, example: receivedExample },
        },
        errors: ["conflict", "not_found"],
      }),
    },
  );
}
