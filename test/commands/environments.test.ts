import { expect, test } from "bun:test";
import { commandLine } from "#test/support/command-line.ts";

test("a further environment is a test one, with a name of its own", async () => {
  using at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  expect(await at.json("environments", "create", "--name", "staging")).toMatchObject({
    id: expect.stringMatching(/^env_/),
    name: "staging",
    mode: "test",
  });
  const { items } = await at.json<{ items: { name: string; mode: string }[] }>("environments", "list");
  expect(items.map(({ name, mode }) => `${name} ${mode}`)).toEqual(["live live", "sandbox test", "staging test"]);
  expect((await at.run("environments", "create", "--name", "staging")).code).toBe(1);
  expect(await at.run("environments", "create", "--name", "Not This")).toMatchObject({ code: 2, err: expect.stringContaining("--name") });
});

test("its sandbox account is there at once", async () => {
  using at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  await at.json("environments", "create", "--name", "ci");
  expect(await at.json("send", "--env", "ci", "--test", "--to", "@sarah_miller", "--text", "hi")).toMatchObject({ status: "queued" });
});
