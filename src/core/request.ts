import type { Principal } from "./principal.ts";

/** What is known of a request while it runs: for the log line, the limits and the routes. */
export interface RequestContext {
  id: string;
  /** Milliseconds of `performance.now()`. */
  startedAt: number;
  /** Address of the client, behind trusted proxies the one that they forward. */
  address: string;
  /** `messages.send`; undefined until a route has matched. */
  operation?: string;
  principal?: Principal;
  /** Code of the problem that was answered. */
  problem?: string;
  replayed?: boolean;
  /** The media types of the file that the operation reads by itself. */
  uploadTypes?: readonly string[];
  /** The answer goes out bit by bit, for as long as the client takes: it must not be cut for being idle. */
  streams?: boolean;
  /** Lets the connection be idle for so many seconds before it is cut, for a body that arrives as slowly as its client likes. */
  allowIdle?(seconds: number): void;
}

const key = Symbol("context");

/** A member of the request itself: a WeakMap of all requests is work for the garbage collector on each. */
type Known = Request & { [key]?: RequestContext };

export function setContext(request: Request, context: RequestContext): void {
  (request as Known)[key] = context;
}

/** @throws Error when the request did not come through the edge */
export function contextOf(request: Request): RequestContext {
  const context = (request as Known)[key];
  if (context === undefined) throw new Error("the request has no context: it did not pass the edge plugin");
  return context;
}

/** @throws Error when the operation is public, or the auth plugin is missing */
export function principalOf(request: Request): Principal {
  const { principal } = contextOf(request);
  if (principal === undefined) throw new Error("the request has no principal: the operation is public or auth is not wired");
  return principal;
}

/** What a body is said to be, without parameters and in lower case; empty where nothing is said. */
export function mediaTypeOf({ headers }: Request): string {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}
