import type { CallRecord } from "./cloud/cloud.ts";
import type { DataCenter } from "./start.ts";

/** Verbs that can be called over HTTP: `POST /control/<verb>` with the JSON list of their arguments. */
export const remoteVerbs = [
  "addUser",
  "addGroup",
  "addTopic",
  "closeTopic",
  "migrate",
  "addMember",
  "removeMember",
  "deactivate",
  "addSocksProxy",
  "addMtProxy",
  "proxyConnections",
  "stopProxy",
  "stopProxies",
  "edit",
  "remove",
  "react",
  "read",
  "typing",
  "block",
  "fileOf",
  "expireFileReferences",
  "rotateSalts",
  "codeFor",
  "acceptQr",
  "deliver",
  "history",
  "fail",
  "delay",
  "loseAnswers",
  "clearFaults",
  "refuse",
  "revoke",
  "moveHome",
  "limitDifference",
  "logins",
  "waitForCalls",
  "waitForHistory",
  "dcFile",
  "connections",
  "dropConnections",
  "goDown",
  "comeUp",
] as const satisfies readonly (keyof DataCenter)[];

export type RemoteVerb = (typeof remoteVerbs)[number];
/** A call without what it asked for, which is no plain data. */
export type PlainCall = Omit<CallRecord, "request">;

/** The data centre's own interface for tests in another process; `GET /control/calls?after=N` gives the calls from the Nth on. */
export function serveControl(dc: DataCenter): { url: string; stop(): Promise<void> } {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    reusePort: false,
    // A verb that waits stays open until its client goes.
    idleTimeout: 0,
    fetch(request): Promise<Response> | Response {
      const { pathname, searchParams } = new URL(request.url);
      const name = pathname.slice("/control/".length);
      if (request.method === "POST") return callVerb(name, request, dc);
      if (name !== "calls") return Response.json({ error: `no such thing: ${name}` }, { status: 404 });
      const calls = dc.calls.slice(Number(searchParams.get("after") ?? 0));
      return Response.json(calls.map(plainCall));
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

function plainCall({ at, method, userId, dcId, error }: CallRecord): PlainCall {
  return { at, method, dcId, ...(userId !== undefined && { userId }), ...(error !== undefined && { error }) };
}

async function callVerb(name: string, request: Request, dc: DataCenter): Promise<Response> {
  const verb = remoteVerbs.find((known) => known === name);
  if (verb === undefined) return Response.json({ error: `no such verb: ${name}` }, { status: 404 });
  const call = dc[verb] as (...args: unknown[]) => unknown;
  // JSON has no undefined: an argument that was left out comes as null.
  const args = ((await request.json()) as unknown[]).map((argument) => argument ?? undefined);
  try {
    return Response.json((await call(...args)) ?? null);
  } catch (error) {
    return Response.json({ error: String(error) }, { status: 400 });
  }
}
