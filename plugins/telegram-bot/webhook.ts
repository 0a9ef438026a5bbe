import { createHmac, timingSafeEqual } from "node:crypto";
import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import { operation } from "#src/core/operation.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import { readBatch } from "./batch.ts";

const SECRET_HEADER = "x-telegram-bot-api-secret-token";

/** What Telegram shows with the updates of an account: https://core.telegram.org/bots/api#setwebhook */
export type WebhookSecrets = (env_id: number, id: number) => string;

/** Each account's own, the same on every copy, and nothing that would have to be kept. */
export function createWebhookSecrets(secret: string): WebhookSecrets {
  const key = createHmac("sha256", secret).update("webhooks of Telegram's bots").digest();
  return (env_id, id) => createHmac("sha256", key).update(`${env_id}:${id}`).digest("base64url");
}

export const webhookPath = (env_id: number, id: number) => `/telegram/${env_id}/${id}`;

interface Needs {
  secretFor: WebhookSecrets;
  clock: Clock;
  log: Log;
  /** Keeps what has happened, each once. Resolves once it is on disk. @throws AppError when it can't be */
  take(env_id: number, id: number, items: readonly Inbound[]): Promise<void>;
}

const Body = Type.Object({ update_id: Type.Integer() }, { additionalProperties: true });
/** A call that Telegram makes on receiving it: https://core.telegram.org/bots/api#making-requests-when-getting-updates */
const Answer = Type.Object({ method: Type.Optional(Type.String()), callback_query_id: Type.Optional(Type.String()) });

/** Where Telegram posts the updates of bots. What is answered with 200 is on disk; else Telegram repeats it. */
export function telegramWebhook({ secretFor, clock, log, take }: Needs) {
  return new Elysia({ name: "telegram-webhook" }).post(
    "/telegram/:env_id/:account_id",
    async ({ params, request, body }): Promise<Static<typeof Answer>> => {
      const whose = { env_id: Number(params.env_id), id: Number(params.account_id) };
      if (!isSame(request.headers.get(SECRET_HEADER) ?? "", secretFor(whose.env_id, whose.id))) throw nothingHere();
      const { items, presses } = readBatch([body], whose, clock.now(), log);
      if (items.length > 0) await take(whose.env_id, whose.id, items);
      const [callback_query_id] = presses;
      return callback_query_id === undefined ? {} : { method: "answerCallbackQuery", callback_query_id };
    },
    {
      params: Type.Object({ env_id: Type.String(), account_id: Type.String() }),
      body: Body,
      detail: {
        hide: true,
        ...operation({
          id: "telegram.update",
          summary: "Take an update of a bot",
          description: "Telegram's alone: it shows the secret that it was given with the address.",
          tag: "Service",
          scope: null,
          idempotent: true,
          example: { update_id: 1 },
          answers: { 200: { description: "It is kept.", schema: Answer, example: {} } },
          errors: ["not_found", "unavailable"],
        }),
      },
    },
  );
}

/** As for any address that there isn't: whoever has no secret learns nothing. */
const nothingHere = () => new AppError("not_found", "There is nothing at this address.");

function isSame(shown: string, expected: string): boolean {
  const [a, b] = [Buffer.from(shown), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
