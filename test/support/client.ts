import type { App } from "#src/app.ts";
import { breachesOf } from "./conformance.ts";
import type { Schema } from "./json-schema.ts";
import { readReference, type Reference } from "./openapi.ts";

export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON; null without any. */
  body: Body;
}

type Extra = Record<string, string>;

/** Requests with one key. */
export interface Caller {
  key: string;
  get<Body = Record<string, unknown>>(path: string, headers?: Extra): Promise<Answer<Body>>;
  post<Body = Record<string, unknown>>(path: string, body?: unknown, headers?: Extra): Promise<Answer<Body>>;
  patch<Body = Record<string, unknown>>(path: string, body: unknown, headers?: Extra): Promise<Answer<Body>>;
  delete<Body = Record<string, unknown>>(path: string, headers?: Extra): Promise<Answer<Body>>;
}

export interface Client {
  reference: Reference;
  /** @param key null sends no Authorization */
  as(key: string | null): Caller;
  /** Any request; its answer is held against the contract and the reference. */
  send<Body = Record<string, unknown>>(request: Request, peer?: string): Promise<Answer<Body>>;
  /** What broke the contract, where the app is lenient. */
  breaches: readonly string[];
  /** @throws Error when a key, a token or a text of any request stands in the log */
  checkLog(lines: readonly string[]): void;
}

/** Members of bodies, both ways, that no log may hold. */
const unspoken = new Set(["text", "token", "key", "secret"]);
const SECRET_LENGTH_MIN = 8;

let reference: Promise<Reference> | undefined;

async function fetchReference(fetch: App["fetch"]): Promise<Reference> {
  const response = await fetch(new Request("http://localhost/openapi.json"));
  return readReference((await response.json()) as Schema);
}

export async function createClient(fetch: App["fetch"], { lenient }: { lenient: boolean }): Promise<Client> {
  // The same for every app, and a tenth of a second to make.
  const known = await (reference ??= fetchReference(fetch));
  const secrets = new Set<string>();
  const breaches: string[] = [];

  async function send<Body>(request: Request, peer?: string): Promise<Answer<Body>> {
    const { method, url } = request;
    const response = await fetch(request, peer);
    const { status, headers } = response;
    const text = await readBody(response);
    const { pathname } = new URL(url);
    const found = breachesOf({ method, pathname, status, headers, text }, known).map(
      (breach) => `${method} ${pathname} ${status}: ${breach}`,
    );
    if (found.length > 0 && !lenient) throw new Error(`${found.join("\n")}\n${text}`);
    breaches.push(...found);
    const isJson = /[/+]json\b/.test(headers.get("content-type") ?? "");
    const body = (isJson && text !== "" ? JSON.parse(text) : null) as Body;
    if (status < 400) gatherSecrets(body, secrets);
    return { status, headers, text, body };
  }

  function as(key: string | null): Caller {
    if (key !== null) secrets.add(key);
    function call<Body>(method: string, path: string, extra: Extra = {}, body?: unknown): Promise<Answer<Body>> {
      gatherSecrets(body, secrets);
      const headers = { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...extra };
      if (body === undefined) return send(new Request(`http://localhost${path}`, { method, headers }));
      const json = { "content-type": "application/json", ...headers };
      return send(new Request(`http://localhost${path}`, { method, headers: json, body: JSON.stringify(body) }));
    }
    return {
      key: key ?? "",
      get: (path, headers) => call("GET", path, headers),
      post: (path, body, headers) => call("POST", path, headers, body),
      patch: (path, body, headers) => call("PATCH", path, headers, body),
      delete: (path, headers) => call("DELETE", path, headers),
    };
  }

  return {
    reference: known,
    as,
    send,
    breaches,
    checkLog(lines) {
      const log = lines.join("");
      for (const secret of secrets) if (log.includes(secret)) throw new Error(`the log holds a key, a token or a text: ${secret}`);
    },
  };
}

/** Of a stream that has no end what comes at once. */
async function readBody(response: Response): Promise<string> {
  if (response.body === null || response.headers.get("content-type") !== "text/event-stream") return response.text();
  const reader = response.body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value as Uint8Array);
}

function gatherSecrets(value: unknown, secrets: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === "string" && unspoken.has(name) && member.length >= SECRET_LENGTH_MIN) secrets.add(member);
    else gatherSecrets(member, secrets);
  }
}
