import { Elysia } from "elysia";
import { Type } from "@sinclair/typebox";
import { AppError } from "#src/core/errors.ts";
import { operation } from "#src/core/operation.ts";

const tag = "Service";
const Health = Type.Object({ status: Type.Literal("ok"), version: Type.String() });

/** @param check resolves when requests can be served; what it throws is why not */
export function health({ version, check }: { version: string; check: () => Promise<void> }) {
  return new Elysia({ name: "health" })
    .get("/health", () => ({ status: "ok", version }), {
      detail: operation({
        id: "health.live",
        summary: "Is the program alive",
        tag,
        scope: null,
        answers: { 200: { description: "It is.", schema: Health, example: { status: "ok", version } } },
      }),
    })
    .get(
      "/ready",
      async () => {
        try {
          await check();
        } catch (error) {
          throw new AppError("unavailable", "Not ready: the database does not answer, or the program is starting or stopping.", {
            retryAfter: 1,
            cause: error,
          });
        }
        return { status: "ok", version };
      },
      {
        detail: operation({
          id: "health.ready",
          summary: "Can it serve requests",
          description: "The database answers and the loops run.",
          tag,
          scope: null,
          answers: { 200: { description: "It can.", schema: Health, example: { status: "ok", version } } },
        }),
      },
    );
}
