import { describe, expect, test } from "bun:test";
import { setup, type TestApp } from "#test/support/app.ts";
import { queue } from "#test/support/sending.ts";

function ask({ client, sandbox }: TestApp, method: string, path: string, headers: Record<string, string> = {}, peer?: string) {
  return client.send(
    new Request(`http://localhost${path}`, { method, headers: { authorization: `Bearer ${sandbox.key}`, ...headers } }),
    peer,
  );
}

describe("an address", () => {
  test("has second names, and means the same with a slash at its end", async () => {
    await using app = await setup();
    const id = await queue(app.sandbox);
    await app.settled();
    const spellings = [
      "/v1/messages",
      "/v1/messages/",
      "/api/v1/messages",
      "/api/v1/messages/",
      "/v1/messages?limit=50",
      "/api/v1/messages/?limit=50",
    ];
    const texts = await Promise.all(spellings.map(async (path) => (await ask(app, "GET", path)).text));
    expect(new Set(texts).size).toBe(1);
    for (const path of [`/v1/messages/${id}`, `/api/v1/messages/${id}/`]) expect((await ask(app, "GET", path)).body.id).toBe(id);
    for (const path of ["/me", "/me/", "/me?x", "/v1/me", "/api/v1/me"])
      expect([path, (await ask(app, "GET", path)).status]).toEqual([path, 200]);
  });

  test("that is none is a 404, with or without a key", async () => {
    await using app = await setup();
    for (const path of [
      "/",
      "/v1",
      "/v2/messages",
      "/api",
      "/api/v1",
      "/api/v1x/messages",
      "/mess",
      "/me/too",
      "/v1//messages",
      "/V1/messages",
      "/v1/messages/x/y/z",
      "/.env",
    ])
      for (const headers of [{}, { authorization: "" }]) expect([path, (await ask(app, "GET", path, headers)).status]).toEqual([path, 404]);
  });

  test("with another method is a 405 that names those it has", async () => {
    await using app = await setup();
    const cases: [string, string, string[]][] = [
      ["PUT", "/v1/messages", ["GET", "HEAD"]],
      ["PUT", "/api/v1/messages/send/", ["POST", "GET", "HEAD", "PATCH", "DELETE"]],
      ["POST", "/v1/keys/key_00000000000000000000000000", ["GET", "HEAD", "PATCH", "DELETE"]],
      ["GET", "/v1/messages/msg_00000000000000000000000000/cancel", ["POST"]],
      ["HEAD", "/v1/messages/batch/cancel", ["POST"]],
      ["OPTIONS", "/v1/keys", ["GET", "HEAD", "POST"]],
      ["TRACE", "/health", ["GET", "HEAD"]],
      ["POST", "/me", ["GET", "HEAD"]],
    ];
    for (const [method, path, allowed] of cases.filter(([method]) => method !== "TRACE")) {
      const { status, headers } = await ask(app, method, path);
      expect([method, path, status, headers.get("allow")?.split(", ").toSorted()]).toEqual([method, path, 405, allowed.toSorted()]);
    }
  });

  test("answers HEAD like GET, without the body", async () => {
    await using app = await setup();
    for (const path of ["/v1/messages", "/health", "/v1/me", "/v1/messages/none", "/openapi.json", "/nowhere"]) {
      const [head, get] = [await ask(app, "HEAD", path), await ask(app, "GET", path)];
      expect([path, head.status, head.text, head.headers.get("content-type")]).toEqual([
        path,
        get.status,
        "",
        get.headers.get("content-type"),
      ]);
    }
  });
});

describe("a page of another origin", () => {
  const ORIGIN = "https://panel.example";

  test("may call the API where it is allowed to", async () => {
    await using app = await setup({ corsOrigins: [ORIGIN] });
    const preflight = await app.client.send(
      new Request("http://localhost/v1/messages/send", {
        method: "OPTIONS",
        headers: { origin: ORIGIN, "access-control-request-method": "POST" },
      }),
    );
    expect([preflight.status, preflight.text]).toEqual([204, ""]);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
    const answer = await ask(app, "GET", "/v1/me", { origin: ORIGIN });
    expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(answer.headers.get("access-control-expose-headers")).toContain("X-Request-Id");
    const refused = await ask(app, "GET", "/v1/me", { origin: ORIGIN, authorization: "" });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, ORIGIN]);
  });

  test("may not otherwise, and is told nothing", async () => {
    await using app = await setup({ corsOrigins: [ORIGIN] });
    for (const origin of ["https://evil.example", "null", `${ORIGIN}.evil.example`, "http://panel.example"]) {
      const preflight = await ask(app, "OPTIONS", "/v1/me", { origin });
      const answer = await ask(app, "GET", "/v1/me", { origin });
      expect([origin, preflight.status, answer.status]).toEqual([origin, 405, 200]);
      for (const { headers } of [preflight, answer]) expect(headers.has("access-control-allow-origin")).toBe(false);
    }
  });

  test("and what prefers another form get answers of their own from a cache", async () => {
    await using app = await setup({ corsOrigins: [ORIGIN] });
    const { headers } = await ask(app, "GET", "/errors", { origin: ORIGIN });
    const vary = (headers.get("vary") ?? "").toLowerCase().split(/,\s*/);
    expect(vary.toSorted()).toEqual(["accept", "origin"]);
  });
});

describe("the address of a client", () => {
  const from = async (app: TestApp, forwarded: string, peer: string) => {
    await ask(app, "GET", "/health", { "x-forwarded-for": forwarded }, peer);
    return (JSON.parse(app.log.at(-1)!) as { address: string }).address;
  };

  test("is the peer's, whatever a header says", async () => {
    await using app = await setup();
    expect(await from(app, "203.0.113.1", "198.51.100.1")).toBe("198.51.100.1");
  });

  test("is what trusted proxies forward, and no more than they vouch for", async () => {
    await using app = await setup({ trustedProxies: ["10.0.0.0/8", "::1"] });
    expect(await from(app, "203.0.113.1", "10.1.2.3")).toBe("203.0.113.1");
    expect(await from(app, "1.1.1.1, 203.0.113.1, 10.9.9.9", "::ffff:10.1.2.3")).toBe("203.0.113.1");
    expect(await from(app, "1.1.1.1", "198.51.100.1")).toBe("198.51.100.1");
    expect(await from(app, "", "10.1.2.3")).toBe("10.1.2.3");
    expect(await from(app, "10.5.5.5", "::1")).toBe("10.5.5.5");
  });
});

describe("the log", () => {
  test("has one line a request, with what tells it from others and nothing that it carried", async () => {
    await using app = await setup();
    const id = await queue(app.sandbox, { text: "a private remark", metadata: { note: "another private remark" } });
    await app.sandbox.post("/v1/messages/send", { account_id: 7421, to: "?", text: "a refused private remark" });
    await app.settled();
    const lines = app.log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ operation }) => operation === "messages.send");
    const { key_id } = (await app.sandbox.get("/v1/me")).body;
    expect(lines).toMatchObject([
      { level: "info", message: "request", method: "POST", status: 200, address: "127.0.0.1", key_id, env_id: app.sandbox.env_id },
      { method: "POST", status: 422, problem: "validation_error", key_id },
    ]);
    expect(lines.every(({ request_id, ms }) => String(request_id).startsWith("req_") && typeof ms === "number")).toBe(true);
    expect(id).toStartWith("msg_");
    expect(app.log.join("")).not.toContain("private");
  });
});
