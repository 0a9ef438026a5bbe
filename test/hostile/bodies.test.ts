import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { appEngines } from "#test/support/app.ts";
import { openRange, withEachMember } from "./strike.ts";
import { anyJson, hostileBodies, hostileJson } from "./values.ts";

const writes = new Set(["POST", "PUT", "PATCH", "DELETE"]);

function chunked(body: string | Uint8Array): ReadableStream<Uint8Array> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, (at += 100_000)));
    },
  });
}

// An answer that is a 500, or no problem of the catalogue where it should be one, fails in the client.
describe.each(appEngines)("no body breaks an operation on %s:", (engine) => {
  test("not with a hostile value in the place of any member", async () => {
    await using range = await openRange(engine);
    let sent = 0;
    for (const operation of range.operations.filter(({ body }) => body !== null)) {
      for (const json of hostileJson) {
        for (const body of withEachMember(operation.body!.example, json)) {
          await range.strike(operation, { body });
          sent++;
        }
      }
    }
    expect(sent).toBeGreaterThan(1_000);
  }, 60_000);

  test("not with what is no body, too much of one, or of another type", async () => {
    await using range = await openRange(engine);
    for (const operation of range.operations.filter(({ method }) => writes.has(method))) {
      for (const body of hostileBodies) {
        await range.strike(operation, { body });
        await range.strike(operation, { body: chunked(body) });
      }
      for (const type of [
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/json;charset=utf-16",
        "x",
        "",
      ])
        await range.strike(operation, { body: "{}", headers: { "content-type": type } });
    }
  });

  test("not with any generated JSON", async () => {
    await using range = await openRange(engine);
    for (const operation of range.operations.filter(({ body }) => body !== null)) {
      const members = Object.keys(operation.body!.example as object);
      const nearly = fc.record(Object.fromEntries(members.map((name) => [name, anyJson])), { requiredKeys: [] });
      await fc.assert(
        fc.asyncProperty(fc.oneof(anyJson, nearly), async (value) => {
          const { status } = await range.strike(operation, { body: JSON.stringify(value) ?? "" });
          expect(status).toBeLessThan(500);
        }),
        { numRuns: 40 },
      );
    }
  });
});
