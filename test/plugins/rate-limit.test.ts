import { describe, expect, test } from "bun:test";
import { setup } from "#test/support/app.ts";
import type { Answer, Caller } from "#test/support/client.ts";

const told = ({ headers }: Answer<unknown>) => ["limit", "remaining", "reset"].map((name) => Number(headers.get(`x-ratelimit-${name}`)));
const me = (caller: Caller) => caller.get<{ code?: string }>("/v1/me");

describe("a key's requests", () => {
  test("are counted in windows of a minute, each begun by its first request", async () => {
    await using app = await setup();
    const key = await app.makeKey(app.live, { rate_limit: 3 });
    expect(told(await me(key))).toEqual([3, 2, 60]);
    app.clock.advance(30_400);
    expect(told(await me(key))).toEqual([3, 1, 30]);
    expect(told(await me(key))).toEqual([3, 0, 30]);
    const over = await me(key);
    expect([over.status, over.body.code, over.headers.get("retry-after"), ...told(over)]).toEqual([
      429,
      "rate_limit_exceeded",
      "30",
      3,
      0,
      30,
    ]);
    app.clock.advance(29_599);
    expect((await me(key)).status).toBe(429);
    app.clock.advance(1);
    expect(told(await me(key))).toEqual([3, 2, 60]);
  });

  test("that are refused for another reason count too, and those of another key do not", async () => {
    await using app = await setup();
    const [key, other] = [
      await app.makeKey(app.live, { rate_limit: 2, scopes: ["read:messages"] }),
      await app.makeKey(app.live, { rate_limit: 2 }),
    ];
    expect((await key.post("/v1/messages/send", {})).status).toBe(403);
    expect(told(await key.get("/v1/messages/none"))).toEqual([2, 0, 60]);
    expect((await me(key)).status).toBe(429);
    expect(told(await me(other))).toEqual([2, 1, 60]);
  });

  test("leave the window alone that they are told to wait for", async () => {
    await using app = await setup();
    const key = await app.makeKey(app.live, { rate_limit: 1 });
    await me(key);
    app.clock.advance(10_000);
    for (let at = 0; at < 5; at++) expect(told(await me(key))).toEqual([1, 0, 50]);
    app.clock.advance(50_000);
    expect((await me(key)).status).toBe(200);
  });

  test("go on when the clock goes back", async () => {
    await using app = await setup();
    const key = await app.makeKey(app.live, { rate_limit: 1 });
    await me(key);
    app.clock.turnBack(3_600_000);
    expect(told(await me(key))).toEqual([1, 0, 60]);
  });
});

describe("requests without a valid key", () => {
  test("are limited by address, beside those with one", async () => {
    await using app = await setup();
    const nobody = app.client.as(null);
    for (let at = 0; at < 600; at++) expect((await me(nobody)).status).toBe(401);
    const over = await me(nobody);
    expect([over.status, over.headers.get("retry-after")]).toEqual([429, "60"]);
    expect((await me(app.live)).status).toBe(200);
    const elsewhere = await app.client.send(new Request("http://localhost/v1/me"), "203.0.113.9");
    expect(elsewhere.status).toBe(401);
  });

  test("to what is open to all are told the limit and never stopped by it", async () => {
    await using app = await setup();
    const nobody = app.client.as(null);
    for (let at = 0; at < 700; at++) await nobody.get("/health");
    expect(told(await nobody.get("/health"))).toEqual([600, 600, 60]);
  });
});
