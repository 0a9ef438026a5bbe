import type { BotApi } from "./start.ts";

/** Verbs that can be called over HTTP: `POST /control/<verb>` with the JSON list of their arguments. */
export const remoteVerbs = [
  "addBot",
  "revokeToken",
  "addPrivateChat",
  "addPrivateChats",
  "addStranger",
  "addGroup",
  "setStanding",
  "deactivate",
  "history",
  "callbackAnswers",
  "routeWebhooks",
  "say",
  "pressStart",
  "edit",
  "shareLocation",
  "shareContact",
  "post",
  "sendFile",
  "sendAlbum",
  "react",
  "press",
  "addToGroup",
  "removeFromGroup",
  "memberJoins",
  "memberLeaves",
  "migrate",
  "createTopic",
  "renameTopic",
  "closeTopic",
  "reopenTopic",
  "startLoad",
  "loadState",
  "block",
  "unblock",
  "flood",
  "fault",
  "clearFaults",
  "closeIdleConnections",
] as const satisfies readonly (keyof BotApi)[];

export type RemoteVerb = (typeof remoteVerbs)[number];

/**
 * The emulator's own interface for tests in another process.
 * `GET /control/sent?after=N` gives the messages from the Nth on, `GET /control/requests` the counters,
 * `GET /control/wait?sent=N&timeout_ms=M` answers once N messages are sent, or 408.
 */
export async function control(request: Request, api: BotApi): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const name = pathname.slice("/control/".length);
  if (request.method === "POST") return callVerb(name, request, api);
  if (name === "sent") return Response.json(api.sent.slice(Number(searchParams.get("after") ?? 0)));
  if (name === "requests") return Response.json(api.requests);
  if (name === "wait") return waitForSent(Number(searchParams.get("sent")), Number(searchParams.get("timeout_ms")), api);
  return Response.json({ error: `no such thing: ${name}` }, { status: 404 });
}

async function callVerb(name: string, request: Request, api: BotApi): Promise<Response> {
  const verb = remoteVerbs.find((known) => known === name);
  if (verb === undefined) return Response.json({ error: `no such verb: ${name}` }, { status: 404 });
  const call = api[verb] as (...args: unknown[]) => unknown;
  const args = (await request.json()) as unknown[];
  try {
    return Response.json((await call(...args)) ?? null);
  } catch (error) {
    return Response.json({ error: String(error) }, { status: 400 });
  }
}

async function waitForSent(count: number, timeoutMs: number, api: BotApi): Promise<Response> {
  try {
    await api.waitFor(() => api.sent.length >= count, timeoutMs);
    return Response.json({ sent: api.sent.length });
  } catch {
    return Response.json({ error: `${api.sent.length} of ${count} messages after ${timeoutMs} ms` }, { status: 408 });
  }
}
