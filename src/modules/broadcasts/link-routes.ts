import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { isUnavailable, notFound } from "#src/core/errors.ts";
import type { Log } from "#src/core/log.ts";
import { operation } from "#src/core/operation.ts";
import type { Tracking } from "./tracking.ts";

/** Telegram fetches a link for its preview, which is nobody's opening it. */
const PREVIEWER = /TelegramBot/i;

/** Where tracked links of broadcasts lead first. */
export function linkRoutes(tracking: Pick<Tracking, "find" | "clicked">, log: Log) {
  return new Elysia({ name: "links" }).get(
    "/l/:token",
    async ({ params, request }): Promise<Response> => {
      const link = await tracking.find(params.token);
      if (link === undefined) throw notFound("link");
      if (!PREVIEWER.test(request.headers.get("user-agent") ?? ""))
        await tracking.clicked(link).catch((error: unknown) => {
          // Whoever has opened it is not to stand there because it can't be counted.
          if (!isUnavailable(error)) throw error;
          log.warn("an opened link could not be counted", { env_id: link.env_id, broadcast: link.broadcast_id, error });
        });
      const headers = { location: link.address, "cache-control": "no-store", "referrer-policy": "no-referrer" };
      return new Response(null, { status: 302, headers });
    },
    {
      params: Type.Object({ token: Type.String() }),
      detail: {
        hide: true,
        ...operation({
          id: "links.open",
          summary: "Open a tracked link",
          description: "For recipients of broadcasts: leads on to where the link was meant to.",
          tag: "Service",
          scope: null,
          answers: { 302: { description: "Goes on to the link's own address." } },
          errors: ["not_found", "unavailable"],
        }),
      },
    },
  );
}
