/** https://core.telegram.org/bots/api#responseparameters */
export interface Parameters {
  retry_after?: number;
  migrate_to_chat_id?: number;
}

/** A call that the Bot API refuses. Descriptions are those of https://github.com/tdlib/telegram-bot-api */
export class BotApiFailure extends Error {
  constructor(
    readonly error_code: number,
    readonly description: string,
    readonly parameters?: Parameters,
  ) {
    super(description);
    this.name = "BotApiFailure";
  }

  toResponse(): Response {
    const { error_code, description, parameters } = this;
    const headers = parameters?.retry_after === undefined ? {} : { "retry-after": String(parameters.retry_after) };
    return Response.json({ ok: false, error_code, description, parameters }, { status: error_code, headers });
  }
}

export const notFound = () => new BotApiFailure(404, "Not Found");
export const unauthorized = () => new BotApiFailure(401, "Unauthorized");
export const badRequest = (what: string) => new BotApiFailure(400, `Bad Request: ${what}`);
export const forbidden = (what: string) => new BotApiFailure(403, `Forbidden: ${what}`);
export const conflict = (what: string) => new BotApiFailure(409, `Conflict: ${what}`);

export const tooManyRequests = (retryAfter: number) =>
  new BotApiFailure(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter });

export const migrated = (to: number) =>
  new BotApiFailure(400, "Bad Request: group chat was upgraded to a supergroup chat", { migrate_to_chat_id: to });
