import { Api, GrammyError, HttpError } from "grammy";
import { createExchange, type ExchangeLimits, type Trace } from "./exchange.ts";
import type { FormFile } from "./form.ts";

export interface WireOptions extends ExchangeLimits {
  /** `https://api.telegram.org`, a Bot API server of one's own or an emulator. */
  apiRoot: string;
}

/** What became of one call. */
export type Answer<T> = { kind: "ok"; result: T } | Refused | NoAnswer;

/** Telegram answered 4xx: it was not done. */
export interface Refused {
  kind: "refused";
  status: number;
  description: string;
  retry_after_s: number | null;
  migrate_to_chat_id: number | null;
}

/** `unreached` when certainly no byte of the call's content left, `unknown` when it may have been done. */
export interface NoAnswer {
  kind: "unreached" | "unknown";
  reason: string;
}

/**
 * Calls one method, once: neither grammY nor Bun repeats it. Never throws, and no text of an answer holds the token.
 * @param ask makes exactly one call, and takes from its result what is needed
 * @param files go with it, where it names them as `attach://…`
 */
export type Wire = <T>(
  token: string,
  signal: AbortSignal,
  ask: (api: Api) => Promise<T>,
  files?: readonly FormFile[],
) => Promise<Answer<T>>;

export function createWire({ apiRoot, ...limits }: WireOptions): Wire {
  const root = apiRoot.replace(/\/+$/, "");
  return async (token, signal, ask, files) => {
    const { trace, fetch } = createExchange(limits, signal, files);
    try {
      return { kind: "ok", result: await ask(new Api(token, { apiRoot: root, fetch })) };
    } catch (error) {
      return explain(error, trace, token, limits.timeoutMs);
    }
  };
}

function explain(error: unknown, trace: Trace, token: string, timeoutMs: number): Refused | NoAnswer {
  const told = error instanceof GrammyError ? error : null;
  const httpStatus = trace.status ?? 0;
  const status = httpStatus >= 400 ? httpStatus : (told?.error_code ?? httpStatus);
  if (status < 400 || status >= 500) {
    return { kind: trace.isWritten ? "unknown" : "unreached", reason: reasonOf(error, trace, timeoutMs) };
  }
  const description = typeof told?.description === "string" ? told.description : `HTTP ${status} without a reason`;
  return {
    kind: "refused",
    status,
    description: description.replaceAll(token, "<token>"),
    retry_after_s: numberOf(told?.parameters.retry_after),
    migrate_to_chat_id: numberOf(told?.parameters.migrate_to_chat_id),
  };
}

const numberOf = (value: unknown) => (Number.isSafeInteger(value) ? Number(value) : null);

/** Made of our own words alone, since an error of fetch names the address, and the address holds the token. */
function reasonOf(error: unknown, { isWritten, status, end }: Trace, timeoutMs: number): string {
  if (end === "stopped") return "Stopped before Telegram answered.";
  if (end === "timeout") return isWritten ? `No answer within ${timeoutMs} ms.` : `No connection to Telegram within ${timeoutMs} ms.`;
  if (status !== null && (status < 200 || status >= 300)) return `Telegram answered with HTTP ${status}.`;
  if (status !== null) return "Telegram's answer could not be read.";
  const code = errorCode(error);
  return isWritten ? `The connection broke before Telegram answered${code}.` : `There is no connection to Telegram${code}.`;
}

function errorCode(error: unknown): string {
  const cause: unknown = error instanceof HttpError ? error.error : error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : null;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code) ? ` (${code})` : "";
}
