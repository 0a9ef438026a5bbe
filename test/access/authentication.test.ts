import { describe, expect, test } from "bun:test";
import { scopes as allScopes, type Scope } from "#src/core/principal.ts";
import { makeKey as makeUnknownKey } from "#src/modules/keys/secret.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import type { Operation } from "#test/support/openapi.ts";
import { addressOf, exampleOf } from "./examples.ts";

const NOBODY = "msg_00000000000000000000000000";

function ask({ client }: TestApp, operation: Operation, authorization: string | null) {
  const { method } = operation;
  const headers = { ...(authorization === null ? {} : { authorization }), "content-type": "application/json" };
  const body = operation.body === null ? null : JSON.stringify(exampleOf(operation, { mark: "asked" }));
  return client.send<{ code: string; required_scope?: string }>(
    new Request(`http://localhost${addressOf(operation, NOBODY)}`, { method, headers, body }),
  );
}

const guarded = (app: TestApp) => app.client.reference.operations.filter(({ scopes }) => scopes !== null);
const scoped = (app: TestApp) => guarded(app).filter(({ scopes }) => scopes !== "any");

describe.each(appEngines)("every operation of the reference on %s", (engine) => {
  test("is open without a key only where the reference says so", async () => {
    await using app = await setup({ engine });
    const seen = await Promise.all(
      app.client.reference.operations.map(async (operation) => ({ operation, answer: await ask(app, operation, null) })),
    );
    const refused = seen.filter(({ answer }) => answer.status === 401).map(({ operation }) => operation.id);
    expect(refused).toEqual(guarded(app).map(({ id }) => id));
    expect(refused.length).toBeGreaterThan(15);
  });

  test("takes no key that is mistyped, unknown, revoked, expired or in another form", async () => {
    await using app = await setup({ engine });
    const revoked = await app.makeKey(app.live);
    const expired = await app.makeKey(app.live, { expires_at: new Date(app.clock.now() + 1_000).toISOString() });
    await revoked.delete(`/v1/keys/${String((await revoked.get("/v1/me")).body.key_id)}`);
    app.clock.advance(1_000);
    const { key } = app.live;
    const mistyped = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    const unknown = makeUnknownKey("live").key;
    const headers = [
      "",
      "Bearer",
      "Bearer ",
      key,
      `Basic ${key}`,
      ...[mistyped, unknown, revoked.key, expired.key, `${key} ${key}`].map((bad) => `Bearer ${bad}`),
    ];
    for (const operation of guarded(app)) {
      const statuses = await Promise.all(headers.map(async (header) => (await ask(app, operation, header)).status));
      expect([operation.id, ...statuses]).toEqual([operation.id, ...headers.map(() => 401)]);
      // Strangers have so many tries a minute, however many operations there are.
      app.clock.advance(1_000);
    }
  });

  test("is refused to a key that has every scope but the ones that suffice", async () => {
    await using app = await setup({ engine });
    for (const operation of scoped(app)) {
      const others = allScopes.filter((scope) => !operation.scopes!.includes(scope));
      const { key } = await app.makeKey(app.live, { scopes: others });
      const { status, body } = await ask(app, operation, `Bearer ${key}`);
      expect([operation.id, status, body.code, operation.scopes!.includes(body.required_scope!)]).toEqual([
        operation.id,
        403,
        "forbidden",
        true,
      ]);
    }
  });

  test("lets in a key that has any single one of the scopes that suffice", async () => {
    await using app = await setup({ engine });
    for (const operation of scoped(app)) {
      for (const scope of operation.scopes as Scope[]) {
        const { key } = await app.makeKey(app.live, { scopes: [scope] });
        const { status, body } = await ask(app, operation, `bearer ${key}`);
        expect([operation.id, scope, status]).not.toEqual([operation.id, scope, 401]);
        // Making a key can still be refused for the scopes that the key is to have.
        expect([operation.id, body?.required_scope]).not.toEqual([operation.id, scope]);
      }
    }
  });

  test("has a place in the reference unless it is a part of the reference itself, or Telegram's or recipients' alone", async () => {
    await using app = await setup({ engine });
    const listed = new Set(app.client.reference.operations.map(({ id }) => id));
    const unlisted = [...(await routesOf(app))].filter((id) => !listed.has(id));
    expect(unlisted.filter((id) => !id.startsWith("reference."))).toEqual(["telegram.update", "links.open"]);
  });
});

async function routesOf(app: TestApp): Promise<Set<string>> {
  return new Set([...app.operations().values()].map(({ id }) => id));
}
