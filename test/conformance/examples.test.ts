import { describe, expect, test } from "bun:test";
import { setup } from "#test/support/app.ts";
import { faultsOf, resolve, type Schema } from "#test/support/json-schema.ts";

/** Every schema of the document that stands beside examples of what it describes. */
function* described(part: unknown, path: string): Generator<{ path: string; schema: Schema; examples: unknown[] }> {
  if (typeof part !== "object" || part === null) return;
  const { schema, example, examples } = part as { schema?: Schema; example?: unknown; examples?: Record<string, { value: unknown }> };
  const shown = [...(example === undefined ? [] : [example]), ...Object.values(examples ?? {}).map(({ value }) => value)];
  if (schema !== undefined && shown.length > 0) yield { path, schema, examples: shown };
  for (const [name, member] of Object.entries(part)) yield* described(member, `${path}/${name}`);
}

describe("the reference", () => {
  test("shows no example that breaks its own schema", async () => {
    await using app = await setup();
    const { document } = app.client.reference;
    const shown = ["paths", "webhooks", "components"].flatMap((part) => [...described(document[part], part)]);
    for (const { path, schema, examples } of shown)
      for (const example of examples) expect([path, ...faultsOf(example, schema, document)]).toEqual([path]);
    expect(shown.length).toBeGreaterThan(20);
  });

  test("takes its own examples", async () => {
    await using app = await setup();
    const { operations } = app.client.reference;
    for (const operation of operations.filter(({ method, path, body }) => method === "POST" && body !== null && !path.includes("{"))) {
      const { status } = await app.sandbox.post(operation.path, operation.body!.example);
      // A bot has no place in a test environment: what is wrong with the request would be told before.
      expect([operation.id, status < 300 || (operation.id === "accounts.create" && status === 409)]).toEqual([operation.id, true]);
    }
  });

  test("names as errors only what its catalogue of problems holds", async () => {
    await using app = await setup();
    const { document } = app.client.reference;
    const problem = resolve<{ properties: { code: { enum: string[] } } }>("#/components/schemas/Problem", document);
    const catalogue = await app.client.as(null).get<{ problems: { code: string }[] }>("/errors", { accept: "application/json" });
    expect(catalogue.body.problems.map(({ code }) => code).toSorted()).toEqual(problem.properties.code.enum.toSorted());
  });
});
