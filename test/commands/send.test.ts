import { expect, test } from "bun:test";
import { commandLine } from "#test/support/command-line.ts";

const hello = ["send", "--test", "--to", "@sarah_miller", "--text", "Hey {first_name}"];

test("a server that runs beside sends it at once", async () => {
  using at = commandLine();
  await using _server = await at.serve();
  expect(await at.json(...hello, "--wait", "10")).toMatchObject({ status: "sent", to: "@sarah_miller", text: "Hey Sarah" });
});

test("without a server it is queued, and waiting for it is a failure that asks for one", async () => {
  using at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  expect(await at.json(...hello)).toMatchObject({ id: expect.stringMatching(/^msg_/), status: "queued" });
  expect(await at.run(...hello, "--wait", "0")).toMatchObject({ code: 1, err: expect.stringContaining("is posthouse serve running?") });
});

test("a message that fails is a failure, with its code", async () => {
  using at = commandLine();
  await using _server = await at.serve();
  const { code, err } = await at.run("send", "--test", "--to", "@sandbox_blocked", "--text", "hi", "--wait", "10");
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("failed: recipient_blocked: ") });
});

test("live messages need an account, and an unknown one is a failure", async () => {
  using at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  expect(await at.run("send", "--to", "@sarah_miller", "--text", "hi")).toMatchObject({
    code: 1,
    err: expect.stringContaining("has no account yet"),
  });
  expect(await at.run(...hello, "--account", "10000")).toMatchObject({ code: 1, err: expect.stringContaining("no such account") });
});

test("an empty text, a bad time and a number that is none are wrong usage", async () => {
  using at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  const send = (...flags: string[]) => at.run("send", "--test", "--to", "@sarah_miller", ...flags);
  expect(await send("--text", "")).toMatchObject({ code: 2, err: expect.stringContaining("--text") });
  expect(await send("--text", "hi", "--schedule-at", "tomorrow")).toMatchObject({ code: 2, err: expect.stringContaining("--schedule-at") });
  expect(await send("--text", "hi", "--account", "x")).toMatchObject({ code: 2, err: expect.stringContaining("--account") });
  expect(await send()).toMatchObject({ code: 2, err: expect.stringContaining("--text") });
});
