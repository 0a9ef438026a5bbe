import { expect, test } from "bun:test";
import type { CreatedKey, Key } from "#src/modules/keys/model.ts";
import { type CommandLine, commandLine } from "#test/support/command-line.ts";

async function setup(): Promise<CommandLine> {
  const at = commandLine();
  await at.json("workspaces", "create", "--name", "acme", "--plan", "builder");
  return at;
}

const make = (at: CommandLine, ...more: string[]) =>
  at.json<CreatedKey>("keys", "create", "--name", "ci", "--scopes", "write:messages,read:messages", ...more);
const list = async (at: CommandLine, ...more: string[]) => (await at.json<{ items: Key[] }>("keys", "list", ...more)).items;

test("a key is live unless it is asked for a test environment", async () => {
  using at = await setup();
  expect(await make(at)).toMatchObject({
    key: expect.stringMatching(/^cs_live_/),
    mode: "live",
    environment: "live",
    rate_limit: 120,
    expires_at: null,
  });
  expect(await make(at, "--test")).toMatchObject({ key: expect.stringMatching(/^cs_test_/), mode: "test", environment: "sandbox" });
  await at.json("environments", "create", "--name", "staging");
  expect(await make(at, "--env", "staging")).toMatchObject({ mode: "test", environment: "staging" });
});

test("what it may do, how often, how long and with which accounts is as asked", async () => {
  using at = await setup();
  const key = await make(at, "--rate-limit", "1000000000", "--expires", "2100-01-01T00:00:00Z", "--accounts", "10000,10001");
  expect(key).toMatchObject({
    scopes: ["write:messages", "read:messages"],
    rate_limit: 1_000_000_000,
    expires_at: "2100-01-01T00:00:00.000Z",
    account_ids: [10_000, 10_001],
  });
});

test("the key is printed once, alone in its line, and never in a list", async () => {
  using at = await setup();
  const { out, err, code } = await at.run("keys", "create", "--name", "ci", "--scopes", "read:messages");
  expect(code).toBe(0);
  const [key = ""] = out.split("\n");
  expect(key).toMatch(/^cs_live_\w{4}_\w+$/);
  expect(err).toContain("never shown again");
  for (const { out } of [await at.run("keys", "list"), await at.run("keys", "list", "--json")]) expect(out).not.toContain(key.slice(13));
  expect(await list(at)).toMatchObject([{ name: "ci", hint: key.slice(8, 12) }]);
});

test("a list has the keys of all environments, or of one", async () => {
  using at = await setup();
  await make(at);
  await make(at, "--test");
  expect((await list(at)).map(({ environment }) => environment)).toEqual(["live", "sandbox"]);
  expect((await list(at, "--env", "sandbox")).map(({ environment }) => environment)).toEqual(["sandbox"]);
});

test("a rotated key has a successor with its settings, and ends when the overlap does", async () => {
  using at = await setup();
  const old = await make(at, "--test", "--rate-limit", "7");
  const next = await at.json<CreatedKey>("keys", "rotate", old.id);
  expect(next).toMatchObject({ name: "ci", environment: "sandbox", rate_limit: 7, scopes: old.scopes });
  expect(next.key).not.toBe(old.key);
  expect((await list(at)).find(({ id }) => id === old.id)?.expires_at).not.toBeNull();
  await at.json("keys", "rotate", next.id, "--overlap", "0");
  expect((await list(at)).find(({ id }) => id === next.id)?.revoked_at).not.toBeNull();
});

test("a revoked key is shown as such, and revoking it again is no failure", async () => {
  using at = await setup();
  const { id } = await make(at);
  expect(await at.json("keys", "revoke", id)).toMatchObject({ id, revoked_at: expect.any(String) });
  expect((await at.run("keys", "revoke", id)).code).toBe(0);
  expect((await at.run("keys", "list")).out).toContain("revoked");
});

test("a key that there isn't is a failure", async () => {
  using at = await setup();
  for (const verb of ["revoke", "rotate"])
    expect(await at.run("keys", verb, "key_x")).toMatchObject({ code: 1, out: "", err: expect.stringContaining("key_x") });
});

test("what the API would refuse is wrong usage here, told by flag", async () => {
  using at = await setup();
  const create = (...flags: string[]) => at.run("keys", "create", ...flags);
  expect(await create("--name", "ci", "--scopes", "write:everything")).toEqual({
    code: 2,
    out: "",
    err: 'error: --scopes "write:everything": The value is not one of those that the field accepts.\n',
  });
  expect(await create("--name", "ci", "--scopes", "read:messages", "--rate-limit", "fast")).toMatchObject({
    code: 2,
    err: expect.stringContaining("--rate-limit"),
  });
  expect(await create("--name", "ci", "--scopes", "read:messages", "--expires", "soon")).toMatchObject({
    code: 2,
    err: expect.stringContaining("--expires"),
  });
  expect(await create("--name", "ci", "--scopes", "read:messages", "--env", "nowhere")).toMatchObject({
    code: 2,
    err: expect.stringContaining("live, sandbox"),
  });
  expect(await create("--name", "ci", "--scopes", "read:messages", "--env", "live", "--test")).toMatchObject({
    code: 2,
    err: expect.stringContaining("no test environment"),
  });
  expect(await create("--scopes", "read:messages")).toMatchObject({ code: 2, err: expect.stringContaining("--name") });
  expect(await list(at)).toEqual([]);
});

test("a server that runs beside takes the key at once, and drops it at once", async () => {
  using at = commandLine();
  await using server = await at.serve();
  const key = await make(at, "--test");
  const ask = () => fetch(`${server.url}/v1/me`, { headers: { authorization: `Bearer ${key.key}` } });
  expect((await ask()).status).toBe(200);
  await at.json("keys", "revoke", key.id);
  expect((await ask()).status).toBe(401);
});
