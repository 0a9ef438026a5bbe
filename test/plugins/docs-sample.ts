import { Type } from "@sinclair/typebox";
import { type AnyElysia, Elysia, t } from "elysia";
import { docs } from "#plugins/docs/plugin.ts";
import { operation } from "#src/core/operation.ts";

const letter = Type.Object(
  {
    id: Type.String(),
    status: Type.Union([Type.Literal("queued"), Type.Literal("sent")]),
    read_at: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
    default: Type.Optional(Type.String({ $id: "Nickname" })),
  },
  { $id: "Letter" },
);
const shown = { id: "msg_1", status: "sent", read_at: null };

/** An app with one operation of each kind, and the reference of it. */
export function sampleApp(serverUrl = "http://127.0.0.1:5110") {
  const app = new Elysia({ normalize: false })
    .get("/health", () => "ok", {
      detail: operation({
        id: "health",
        summary: "Live",
        tag: "Service",
        scope: null,
        answers: { 200: { description: "It lives.", type: "text/plain" } },
      }),
    })
    .get("/v1/letters", () => [], {
      query: t.Object({ limit: t.Optional(t.Integer({ minimum: 1, maximum: 200, default: 50, description: "How many." })) }),
      detail: operation({
        id: "letters.list",
        summary: "List letters",
        tag: "Letters",
        scope: ["read:messages", "manage:sequences"],
        answers: { 200: { description: "The letters.", schema: Type.Array(letter), example: [shown] } },
      }),
    })
    .get("/v1/letters/:id", () => shown, {
      detail: operation({
        id: "letters.get",
        summary: "Read a letter",
        tag: "Letters",
        scope: "any",
        answers: { 200: { description: "The letter.", schema: letter, example: shown, headers: { ETag: "Its version." } } },
      }),
    })
    .post("/v1/letters", () => shown, {
      parse: "json",
      body: Type.Object({ to: Type.String(), count: Type.Optional(Type.Integer()) }, { $id: "NewLetter", additionalProperties: false }),
      detail: operation({
        id: "letters.send",
        summary: "Send a letter",
        description: "It leaves at once.",
        tag: "Letters",
        scope: "write:messages",
        answers: { 201: { description: "Taken.", schema: letter, example: shown } },
        errors: ["daily_send_limit_reached", "not_found"],
        example: { to: "O'Hara" },
      }),
    })
    .delete("/v1/letters/:id", () => "", {
      detail: operation({
        id: "letters.delete",
        summary: "Delete a letter",
        tag: "Letters",
        scope: "write:messages",
        answers: { 204: { description: "Gone." } },
        errors: ["precondition_failed"],
        idempotent: false,
      }),
    })
    .get("/inner", () => "", {
      detail: { ...operation({ id: "inner", summary: "Inner", tag: "Nowhere", scope: null, answers: {} }), hide: true },
    });
  return withDocs(app, serverUrl);
}

/** Adds the reference to an app. */
export function withDocs(app: AnyElysia, serverUrl = "http://127.0.0.1:5110") {
  app.use(
    docs({
      title: "Posthouse <API>",
      version: "1.2.3",
      description: "A sample.",
      server_url: `${serverUrl}/`,
      webhooks: {
        "letter.read": {
          summary: "A letter was read",
          description: "By whom it was for.",
          tag: "Letters",
          schema: Type.Object({ id: Type.String() }),
          example: { id: "msg_1" },
        },
      },
      tags: { Letters: "What is sent.", Service: "The program itself.", Unused: "Nothing." },
      routes: () => app.routes,
    }),
  );
  return app;
}
