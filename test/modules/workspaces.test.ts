import { describe, expect, test } from "bun:test";
import type { Environment, Workspace } from "#src/modules/workspaces/model.ts";
import { appEngines, setup, type TestApp, type Tenant } from "#test/support/app.ts";

type Events = { items: { event: string; subject: string; actor: string; data: Record<string, unknown> }[] };

async function upgrades(tenant: Tenant): Promise<Events["items"]> {
  return (await tenant.get<Events>("/v1/events")).body.items.filter(({ event }) => event === "subscription.upgraded");
}

const limitOf = async (tenant: Pick<Tenant, "get">) => (await tenant.get("/v1/me")).headers.get("x-ratelimit-limit");

describe.each(appEngines)("a workspace on %s", (engine) => {
  test("has a live environment and a sandbox, which its keys see alike", async () => {
    await using app = await setup({ engine });
    const [live, sandbox] = await Promise.all([app.live, app.sandbox].map((tenant) => tenant.get<Workspace>("/v1/workspace")));
    expect(live!.body).toEqual(sandbox!.body);
    expect(live!.body).toMatchObject({ name: "First", plan: null, currency: "USD", on_unknown: "fail" });
    const { body } = await app.live.get<{ items: Environment[]; total: number }>("/v1/environments");
    expect([body.total, ...body.items.map(({ name, mode }) => [name, mode])]).toEqual([2, ["live", "live"], ["sandbox", "test"]]);
  });

  test("is changed field by field", async () => {
    await using app = await setup({ engine });
    const { body } = await app.live.patch<Workspace>("/v1/workspace", { name: "Renamed", currency: "EUR", on_unknown: "retry" });
    expect(body).toMatchObject({ name: "Renamed", currency: "EUR", on_unknown: "retry", plan: null });
    expect((await app.sandbox.get("/v1/workspace")).body).toEqual(body);
    expect((await app.live.get<{ workspace: object }>("/v1/me")).body.workspace).toMatchObject({ name: "Renamed" });
    for (const patch of [{ name: "" }, { plan: "free" }, { currency: "euro" }, { on_unknown: "ignore" }, { id: "ws_1" }, { name: null }])
      expect([patch, (await app.live.patch("/v1/workspace", patch)).status]).toEqual([patch, 422]);
  });

  test("has a name that no other has, however many ask at once", async () => {
    await using app = await setup({ engine });
    const others = await Promise.all(["Second", "Third", "Fourth", "Fifth"].map((name) => app.makeWorkspace(name)));
    const answers = await Promise.all(others.map(({ live }) => live.patch<{ details?: object[] }>("/v1/workspace", { name: "Wanted" })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 422, 422, 422]);
    const refused = answers.find(({ status }) => status === 422)!;
    expect(refused.body.details).toEqual([{ field: "name", error: "taken" }]);
  });

  test("gives its keys the limit of its plan at once, unless they have one of their own", async () => {
    await using app = await setup({ engine });
    const plain = await app.makeKey(app.live, { rate_limit: null });
    const own = await app.makeKey(app.live, { rate_limit: 5_000 });
    expect(await limitOf(plain)).toBe("600");
    for (const [plan, limit] of [
      ["starter", "60"],
      ["builder", "120"],
      ["professional", "300"],
      ["enterprise", "1000"],
      [null, "600"],
    ] as const) {
      await app.live.patch("/v1/workspace", { plan });
      expect([plan, await limitOf(plain), await limitOf(own)]).toEqual([plan, limit, "5000"]);
    }
  });

  test("tells each of its environments of a rise of plan, and of nothing else", async () => {
    await using app = await setup({ engine });
    const other = await app.makeWorkspace("Second", "enterprise");
    for (const plan of ["starter", "starter", "professional", "builder", null, "builder"]) await app.live.patch("/v1/workspace", { plan });
    await app.live.patch("/v1/workspace", { name: "Renamed" });
    const rises = [
      [null, "starter"],
      ["starter", "professional"],
      [null, "builder"],
    ];
    const { id } = (await app.live.get<Workspace>("/v1/workspace")).body;
    const { key_id } = (await app.live.get<{ key_id: string }>("/v1/me")).body;
    for (const tenant of [app.live, app.sandbox]) {
      const seen = await upgrades(tenant);
      expect(seen.map(({ data }) => [data.previous_plan, (data.workspace as Workspace).plan])).toEqual(rises);
      expect(seen.every(({ subject, actor }) => subject === id && actor === key_id)).toBe(true);
    }
    expect(await upgrades(other.live)).toEqual([]);
  });
});

describe.each(appEngines)("an environment on %s", (engine) => {
  test("has a name that no other of its workspace has, however many ask at once", async () => {
    await using app = await setup({ engine });
    const other = await app.makeWorkspace("Second");
    const make = async ({ live }: Pick<TestApp, "live">, name: string) => (await live.post("/v1/environments", { name })).status;
    const statuses = await Promise.all(Array.from({ length: 6 }, () => make(app, "staging")));
    expect(statuses.toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    expect([await make(other, "staging"), await make(app, "live"), await make(app, "sandbox")]).toEqual([201, 409, 409]);
    for (const name of ["", "Staging", "a b", "-x", "x".repeat(41), "ünder"]) expect([name, await make(app, name)]).toEqual([name, 422]);
  });
});
