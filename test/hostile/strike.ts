import { setup, type TestApp } from "#test/support/app.ts";
import type { Answer } from "#test/support/client.ts";
import type { TestEngine } from "#test/support/databases.ts";
import { isRecord } from "#test/access/examples.ts";
import type { Operation } from "#test/support/openapi.ts";
import { upload } from "#test/support/filing.ts";
import { queue } from "#test/support/sending.ts";
import { countingKind, startCount } from "#test/support/tasks.ts";
import { makeWebhook } from "#test/support/webhooks.ts";

interface Strike {
  path?: string;
  body?: RequestInit["body"];
  headers?: Record<string, string>;
}

export interface Range extends AsyncDisposable {
  app: TestApp;
  operations: readonly Operation[];
  /** Sends a request to an operation, with a key that may do everything. @throws Error when the answer breaks the contract */
  strike(operation: Operation, strike: Strike): Promise<Answer<unknown>>;
}

/** An app that has one of most things, to be struck at. */
export async function openRange(engine: TestEngine): Promise<Range> {
  const app = await setup({ engine, taskKinds: (db) => [countingKind(db)] });
  const { key } = app.sandbox;
  const ids: Record<string, string> = {
    "/v1/messages": await queue(app.sandbox, { schedule_at: "2999-01-01T00:00:00Z" }),
    "/v1/accounts": "7421",
    "/v1/templates": String((await app.sandbox.post("/v1/templates", { name: "Reminder", body: "Hey {{ name }}" })).body.id),
    "/v1/fields": String((await app.sandbox.post("/v1/fields", { key: "plan", type: "text" })).body.id),
    "/v1/segments": String((await app.sandbox.post("/v1/segments", { name: "VIPs", filter: { tag: "vip" } })).body.id),
    "/v1/keys": String((await (await app.makeKey(app.sandbox)).get("/v1/me")).body.key_id),
    "/v1/suppressions": String((await app.sandbox.post("/v1/suppressions", { to: "@john_doe" })).body.id),
    "/v1/files": await upload(app, app.sandbox, "Kept for a while"),
    ...(await webhookIds(app)),
    "/v1/jobs": await startCount(app, app.sandbox, { upTo: 2 }),
  };
  return {
    app,
    operations: app.client.reference.operations,
    strike(operation, { path = pathOf(operation, ids), body = null, headers = {} }) {
      const all = { authorization: `Bearer ${key}`, ...(body === null ? {} : { "content-type": "application/json" }), ...headers };
      return app.client.send(new Request(`http://localhost${path}`, { method: operation.method, headers: all, body }));
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

async function webhookIds({ sandbox }: TestApp): Promise<Record<string, string>> {
  const { id } = await makeWebhook(sandbox);
  const { body } = await sandbox.post(`/v1/webhooks/${id}/test`, {});
  return { "/v1/webhooks": id, "/v1/deliveries": String(body.id) };
}

/** A real thing's address, so that what is sent gets as far as it can. */
function pathOf({ path }: Operation, ids: Record<string, string>): string {
  return path.replace(/\/\{\w+\}/, (_, at: number) => `/${ids[path.slice(0, at)] ?? "unknown"}`);
}

/** The example with each of its members, at any depth, in turn replaced by a text of JSON. */
export function* withEachMember(example: unknown, json: string): Generator<string> {
  const marker = "\u0001marker\u0001";
  for (const changed of replaced(example, marker)) yield JSON.stringify(changed).replace(JSON.stringify(marker), () => json);
}

function* replaced(value: unknown, marker: string): Generator<unknown> {
  yield marker;
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) for (const changed of replaced(item, marker)) yield value.with(at, changed);
  } else if (isRecord(value)) {
    for (const [name, member] of Object.entries(value)) for (const changed of replaced(member, marker)) yield { ...value, [name]: changed };
    yield { ...value, an_unknown_member: marker };
  }
}
