import { Type } from "@sinclair/typebox";
import { type AnyElysia, Elysia, t } from "elysia";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "bun:test";
import { operation } from "#src/core/operation.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { sampleApp, withDocs } from "./docs-sample.ts";

interface Operation {
  operationId: string;
  description: string;
  security: object[];
  "x-scope"?: unknown;
  parameters: { $ref?: string; name?: string; schema?: object }[];
  requestBody: { content: Record<string, unknown> };
  responses: Record<string, { $ref?: string; headers?: object; content?: Record<string, { schema: object; example: unknown }> }>;
}

interface Reference {
  openapi: string;
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, unknown>;
    responses: Record<string, { content: Record<string, { examples: Record<string, { value: Record<string, unknown> }> }> }>;
  };
}

const get = (app: AnyElysia, path: string, headers: Record<string, string> = {}) =>
  app.handle(new Request(`http://localhost${path}`, { headers }));

async function reference(app: AnyElysia = sampleApp()): Promise<Reference> {
  const answer = await get(app, "/openapi.json");
  expect(answer.status).toBe(200);
  return (await answer.json()) as Reference;
}

/** What building the reference of these routes raises. */
async function fault(add: (app: Elysia) => AnyElysia): Promise<string> {
  let message = "";
  const app = add(new Elysia().onError(({ error }) => void (message = error instanceof Error ? error.message : "")));
  await get(withDocs(app), "/openapi.json");
  return message;
}

const doc = (id: string, schema?: object, tag = "Letters") =>
  operation({ id, summary: id, tag, scope: null, answers: { 200: { description: "Well.", ...(schema && { schema }) } } });

describe("the document", () => {
  test("passes the linter's recommended rules without a warning", async () => {
    using folder = tempFolder();
    const file = join(folder.path, "openapi.json");
    await Bun.write(file, JSON.stringify(await reference()));
    const cli = fileURLToPath(import.meta.resolve("@redocly/cli/bin/cli.js"));
    const config = join(import.meta.dir, "..", "..", ".redocly.yaml");
    const lint = Bun.spawn([process.execPath, cli, "lint", "--config", config, "--format=json", file], {
      stdout: "pipe",
      stderr: "ignore",
    });
    const { totals } = (await new Response(lint.stdout).json()) as { totals: object };
    expect(totals).toEqual({ errors: 0, warnings: 0, ignored: 0 });
  });

  test("has what receivers are sent, with the headers that a delivery carries", async () => {
    const { webhooks } = (await reference()) as unknown as { webhooks: Record<string, { post: Operation }> };
    const { operationId, requestBody, responses, parameters } = webhooks["letter.read"]!.post;
    expect(operationId).toBe("webhook.letter.read");
    expect(requestBody.content["application/json"]).toMatchObject({ schema: { type: "object" }, example: { id: "msg_1" } });
    expect(Object.keys(responses)).toEqual(["2XX", "4XX"]);
    expect(parameters.map(({ $ref }) => $ref)).toEqual(
      ["webhook-id", "webhook-timestamp", "webhook-signature", "X-Signature"].map((name) => `#/components/parameters/${name}`),
    );
  });

  test("is the same at /swagger/json", async () => {
    const app = sampleApp();
    expect(await (await get(app, "/swagger/json")).json()).toEqual(await reference(app));
  });

  test("is sent again only when it has changed", async () => {
    const app = sampleApp();
    const etag = (await get(app, "/openapi.json")).headers.get("etag") ?? "";
    const again = await get(app, "/openapi.json", { "if-none-match": `"other", W/${etag}` });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
    expect((await get(app, "/openapi.json", { "if-none-match": '"other"' })).status).toBe(200);
  });

  test("writes path parameters in braces and leaves hidden routes out", async () => {
    const { openapi, paths } = await reference();
    expect(openapi).toBe("3.1.1");
    expect(Object.keys(paths)).toEqual(["/health", "/v1/letters", "/v1/letters/{id}", "/openapi.json"]);
  });

  test("names the scope of each operation, and that a public one needs no key", async () => {
    const { paths } = await reference();
    const send = paths["/v1/letters"]?.post;
    expect(send?.description).toBe("It leaves at once.\n\nScope: `write:messages`");
    expect(send?.security).toEqual([{ apiKey: [] }]);
    expect(send?.["x-scope"]).toEqual(["write:messages"]);
    expect(paths["/v1/letters"]?.get?.description).toBe("Scope: `read:messages` or `manage:sequences`");
    expect(paths["/v1/letters/{id}"]?.get?.["x-scope"]).toBe("any");
    expect(paths["/health"]?.get?.security).toEqual([]);
    expect(paths["/health"]?.get).not.toHaveProperty("x-scope");
  });

  test("gives every operation the errors of its kind", async () => {
    const { paths } = await reference();
    const statuses = (path: string, method: string) => Object.keys(paths[path]?.[method]?.responses ?? {}).join(" ");
    expect(statuses("/health", "get")).toBe("200 500 503");
    expect(statuses("/v1/letters", "get")).toBe("200 401 403 422 429 500 503");
    expect(statuses("/v1/letters", "post")).toBe("201 400 401 403 404 409 413 415 422 429 500 503");
    expect(statuses("/v1/letters/{id}", "get")).toBe("200 401 404 429 500 503");
    expect(statuses("/v1/letters/{id}", "delete")).toBe("204 401 403 404 412 429 500 503");
  });

  test("shows codes that share a status as examples of one answer", async () => {
    const { paths, components } = await reference();
    const name = paths["/v1/letters"]?.post?.responses["429"]?.$ref?.split("/").at(-1) ?? "";
    const examples = components.responses[name]?.content["application/problem+json"]?.examples ?? {};
    expect(Object.keys(examples)).toEqual(["daily_send_limit_reached", "rate_limit_exceeded"]);
    expect(examples.rate_limit_exceeded?.value).toMatchObject({
      type: "http://127.0.0.1:5110/errors/rate_limit_exceeded",
      title: "Too many requests with this key",
      status: 429,
      code: "rate_limit_exceeded",
    });
  });

  test("offers the idempotency key on writes that keep their answer, and If-Match where a write can be refused for it", async () => {
    const { paths } = await reference();
    const references = (path: string, method: string) => paths[path]?.[method]?.parameters.flatMap(({ $ref }) => $ref ?? []);
    expect(references("/v1/letters", "post")).toEqual(["#/components/parameters/IdempotencyKey"]);
    expect(references("/v1/letters/{id}", "delete")).toEqual(["#/components/parameters/IfMatch"]);
    expect(references("/v1/letters", "get")).toEqual([]);
  });

  test("shows an answer with its schema, example and headers", async () => {
    const { paths } = await reference();
    const answer = paths["/v1/letters/{id}"]?.get?.responses["200"];
    expect(answer?.content).toEqual({
      "application/json": { schema: { $ref: "#/components/schemas/Letter" }, example: { id: "msg_1", status: "sent", read_at: null } },
    });
    expect(Object.keys(answer?.headers ?? {})).toEqual([
      "ETag",
      "X-Request-Id",
      "X-RateLimit-Limit",
      "X-RateLimit-Remaining",
      "X-RateLimit-Reset",
    ]);
    expect(paths["/v1/letters/{id}"]?.delete?.responses["204"]).not.toHaveProperty("content");
  });

  test("shows a request body as JSON alone, with its example", async () => {
    const { paths } = await reference();
    expect(paths["/v1/letters"]?.post?.requestBody.content).toEqual({
      "application/json": { schema: { $ref: "#/components/schemas/NewLetter" }, example: { to: "O'Hara" } },
    });
  });

  test("says what unions mean, and keeps properties that are named like keywords", async () => {
    const { paths, components } = await reference();
    expect(components.schemas.Letter).toEqual({
      type: "object",
      required: ["id", "status", "read_at"],
      properties: {
        id: { type: "string" },
        status: { type: "string", enum: ["queued", "sent"] },
        read_at: { type: ["string", "null"], format: "date-time" },
        default: { $ref: "#/components/schemas/Nickname" },
      },
    });
    expect(paths["/v1/letters"]?.get?.parameters[0]?.schema).toMatchObject({ type: "integer", minimum: 1, maximum: 200, default: 50 });
  });

  test("describes the tags that are used, each with a call that can be pasted", async () => {
    const { tags } = await reference();
    expect(tags.map(({ name }) => name)).toEqual(["Letters", "Service"]);
    expect(tags[0]?.description).toContain(String.raw`-d '{"to":"O'\''Hara"}'`);
    expect(tags[1]?.description).toContain("curl 'http://127.0.0.1:5110/health'");
  });
});

describe("a fault in a description is raised, not shown", () => {
  test("a route that has none", async () => {
    expect(await fault((app) => app.get("/bare", () => ""))).toBe("GET /bare has no operation({…}) in its detail");
  });

  test("an operation id that is used twice", async () => {
    const twice = await fault((app) => app.get("/a", () => "", { detail: doc("a") }).get("/b", () => "", { detail: doc("a") }));
    expect(twice).toBe("two operations are named a");
  });

  test("two different schemas with one $id", async () => {
    const [one, other] = [Type.String({ $id: "Thing" }), Type.Integer({ $id: "Thing" })];
    const differ = await fault((app) =>
      app.get("/a", () => "", { detail: doc("a", one) }).get("/b", () => "", { detail: doc("b", other) }),
    );
    expect(differ).toBe("two different schemas of the reference are named Thing");
  });

  test("a reference to a schema that nothing holds", async () => {
    const dangling = await fault((app) => app.get("/a", () => "", { detail: doc("a", Type.Array(Type.Unsafe({ $ref: "Gone" }))) }));
    expect(dangling).toBe("the reference refers to schemas that no operation holds: Gone");
  });

  test("a tag without a description", async () => {
    const tagless = await fault((app) => app.get("/a", () => "", { detail: doc("a", undefined, "Lost") }));
    expect(tagless).toBe("the reference has no description of the tags Lost");
  });

  test("query parameters that could not be listed", async () => {
    const unlisted = await fault((app) => app.get("/a", () => "", { query: t.Record(t.String(), t.String()), detail: doc("a") }));
    expect(unlisted).toBe("GET /a has a query schema without properties, which the reference can't show");
  });
});

describe("the pages", () => {
  for (const path of ["/swagger", "/redoc"]) {
    test(`${path} has no script of its own in it and loads nothing from elsewhere`, async () => {
      const app = sampleApp();
      const page = await get(app, path);
      const html = await page.text();
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; connect-src 'self';/);
      expect(html).toContain("<title>Posthouse &lt;API&gt;</title>");
      const scripts = [...html.matchAll(/<script[^>]*>/g)];
      const loaded = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, address]) => address ?? "");
      expect(scripts.every(([tag]) => tag.includes(` src="${path}/`))).toBe(true);
      expect(html).not.toMatch(/https?:/);
      for (const address of loaded) expect((await get(app, address)).status).toBe(200);
      expect(loaded.length).toBeGreaterThan(scripts.length);
    });
  }

  test("their files are kept by the browser and compared by ETag", async () => {
    const app = sampleApp();
    const script = await get(app, "/swagger/library.js");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(script.headers.get("cache-control")).toBe("public, max-age=3600");
    expect(await script.text()).toContain("SwaggerUIBundle");
    const etag = script.headers.get("etag") ?? "";
    expect((await get(app, "/swagger/library.js", { "if-none-match": etag })).status).toBe(304);
  });

  test("Redoc's bundle has lost the one address that it would load by itself", async () => {
    const bundle = await (await get(sampleApp(), "/redoc/library.js")).text();
    expect(bundle).toContain('alt:"redocly logo",onError:()=>t(!1),src:"data:image/svg+xml,');
    expect(bundle).not.toMatch(/src:"https?:/);
    expect(bundle).not.toContain("cdn.");
  });
});
