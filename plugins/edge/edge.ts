import { newId } from "#src/core/ids.ts";
import type { Log } from "#src/core/log.ts";
import { type RequestContext, setContext } from "#src/core/request.ts";
import { corsHeaders, preflight } from "./cors.ts";

interface Needs {
  handle(request: Request): Promise<Response> | Response;
  log: Log;
  cors_origins: readonly string[];
  /** The client's address, behind trusted proxies the forwarded one. */
  addressOf(request: Request, peer: string): string;
  tellStranger(address: string, headers: Record<string, string | number>): void;
  onRequest?(operation: string, status: number, seconds: number): void;
}

/** The outermost layer: request ids, second names of addresses, one wide log line a request. */
export type Edge = (request: Request, peer?: string, server?: Patient) => Promise<Response>;

/** What holds the connection: a server of Bun, which cuts what is idle. */
interface Patient {
  /** @param seconds 0 is for ever */
  timeout(request: Request, seconds: number): void;
}

export function createEdge({ handle, log, cors_origins, addressOf, tellStranger, onRequest }: Needs): Edge {
  return async (original, peer = "127.0.0.1", server) => {
    const request = toCanonical(original);
    const context: RequestContext = { id: newId("req"), startedAt: performance.now(), address: addressOf(original, peer) };
    if (server !== undefined) context.allowIdle = (seconds) => server.timeout(original, seconds);
    setContext(request, context);
    const origin = original.headers.get("origin");
    const allowed = origin !== null && (cors_origins.includes(origin) || cors_origins.includes("*")) ? origin : null;
    const response = allowed !== null && original.method === "OPTIONS" ? preflight() : await handle(request);
    if (context.streams === true) context.allowIdle?.(0);
    finish(response.headers, context, allowed);
    const milliseconds = performance.now() - context.startedAt;
    onRequest?.(context.operation ?? "none", response.status, milliseconds / 1000);
    logLine(original, context, response.status, milliseconds);
    if (original.method !== "HEAD") return response;
    // What would have been sent bit by bit is not even begun.
    await response.body?.cancel();
    return new Response(null, response);
  };

  function finish(headers: Headers, context: RequestContext, origin: string | null): void {
    headers.set("x-request-id", context.id);
    if (!headers.has("x-ratelimit-limit")) {
      const limits: Record<string, string> = {};
      tellStranger(context.address, limits);
      for (const name in limits) headers.set(name, limits[name]!);
    }
    if (origin === null) return;
    for (const [name, value] of corsHeaders(origin)) headers.set(name, value);
    headers.append("vary", "Origin");
  }

  function logLine({ method }: Request, context: RequestContext, status: number, milliseconds: number): void {
    log.info("request", {
      request_id: context.id,
      method,
      operation: context.operation,
      status,
      ms: Math.round(milliseconds * 10) / 10,
      address: context.address,
      key_id: context.principal?.key_id,
      env_id: context.principal?.env_id,
      problem: context.problem,
      replayed: context.replayed,
    });
  }
}

/** Second spellings of paths: `/api/v1` is `/v1`, `/v1/crm/contacts` is `/v1/contacts`, `/me` is `/v1/me`, a HEAD is a GET whose body stays here. */
function toCanonical(request: Request): Request {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const isApi = url.startsWith("/api/v1", start);
  const at = isApi ? start + "/api".length : start;
  const isCrm = url.startsWith("/v1/crm/contacts", at);
  const isMe = url.startsWith("/me", start) && /^\/me\/?(\?|$)/.test(url.slice(start));
  if (!isApi && !isCrm && !isMe && request.method !== "HEAD") return request;
  const path = isMe ? `/v1${url.slice(start)}` : isCrm ? `/v1${url.slice(at + "/v1/crm".length)}` : url.slice(at);
  const init = request.method === "HEAD" ? { method: "GET", headers: request.headers } : request;
  return new Request(url.slice(0, start) + path, init);
}
