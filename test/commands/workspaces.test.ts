import { expect, test } from "bun:test";
import { commandLine } from "#test/support/command-line.ts";

test("a workspace comes with a live environment and a sandbox", async () => {
  using at = commandLine();
  expect(await at.json("workspaces", "create", "--name", "acme", "--plan", "builder")).toMatchObject({
    id: expect.stringMatching(/^ws_/),
    name: "acme",
    plan: "builder",
    environments: [
      { name: "live", mode: "live" },
      { name: "sandbox", mode: "test" },
    ],
  });
  expect(await at.json("workspaces", "list")).toMatchObject({ items: [{ name: "acme", plan: "builder" }] });
});

test("people get a table, and a sentence where there is nothing", async () => {
  using at = commandLine();
  expect((await at.run("workspaces", "list")).out).toBe("There is no workspace yet.\n");
  await at.json("workspaces", "create", "--name", "acme");
  const { out, err } = await at.run("workspaces", "list");
  expect(err).toBe("");
  expect(out).toMatch(/^ID +NAME +PLAN +CREATED\nws_\w+ +acme +- +20\d\d-[^\n]+\n$/);
});

test("a workspace is changed by name, and the only one without naming it", async () => {
  using at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  expect(await at.json("workspaces", "set", "--plan", "enterprise", "--currency", "EUR")).toMatchObject({
    plan: "enterprise",
    currency: "EUR",
  });
  await at.json("workspaces", "create", "--name", "other");
  expect(
    await at.json("workspaces", "set", "--workspace", "acme", "--name", "acme-inc", "--plan", "none", "--on-unknown", "retry"),
  ).toMatchObject({
    name: "acme-inc",
    plan: null,
    on_unknown: "retry",
  });
});

test("among several workspaces one has to be named, and one that is there", async () => {
  using at = commandLine();
  const none = await at.run("workspaces", "set", "--plan", "none");
  expect(none).toMatchObject({ code: 1, out: "", err: expect.stringContaining("there is no workspace yet") });
  for (const name of ["acme", "other"]) await at.json("workspaces", "create", "--name", name);
  const unnamed = await at.run("workspaces", "set", "--plan", "none");
  expect(unnamed).toEqual({ code: 2, out: "", err: "there are several workspaces: add --workspace with one of acme, other\n" });
  const unknown = await at.run("workspaces", "set", "--workspace", "x", "--plan", "none");
  expect(unknown).toEqual({ code: 2, out: "", err: "there is no workspace x; there is acme, other\n" });
});

test("a name that is taken is a failure, a plan that there isn't wrong usage", async () => {
  using at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  expect(await at.run("workspaces", "create", "--name", "acme")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("acme already"),
  });
  expect(await at.run("workspaces", "create", "--name", "b", "--plan", "gold")).toMatchObject({
    code: 2,
    err: expect.stringContaining("starter, builder"),
  });
  expect(await at.run("workspaces", "create", "--name", "")).toMatchObject({ code: 2, err: expect.stringContaining("--name") });
  expect(await at.run("workspaces", "create")).toMatchObject({ code: 2, err: expect.stringContaining("--name") });
  expect(await at.run("workspaces", "set", "--currency", "euro")).toMatchObject({ code: 2, err: expect.stringContaining("--currency") });
});
