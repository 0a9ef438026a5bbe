import { expect, test } from "bun:test";
import type { Event } from "#src/modules/events/model.ts";
import { type CommandLine, commandLine } from "#test/support/command-line.ts";

/** A workspace in whose sandbox messages were queued. */
async function setup(...texts: string[]): Promise<CommandLine> {
  const at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  for (const text of texts) await at.json("send", "--test", "--to", "@sarah_miller", "--text", text);
  return at;
}

const tail = (at: CommandLine, ...flags: string[]) => at.json<{ items: Event[] }>("events", "tail", "--test", ...flags);

test("the last events are told, in the order in which they happened", async () => {
  using at = await setup("one", "two", "three");
  const { items } = await tail(at, "--lines", "2");
  expect(items.map(({ event, actor, text }) => ({ event, actor, text }))).toEqual([
    { event: "message.queued", actor: "command", text: "two" },
    { event: "message.queued", actor: "command", text: "three" },
  ]);
  expect((await tail(at)).items).toHaveLength(3);
  expect((await tail(at, "--lines", "0")).items).toEqual([]);
});

test("it begins after a given event", async () => {
  using at = await setup("one", "two", "three");
  const [first] = (await tail(at)).items;
  expect((await tail(at, "--after", first!.id)).items.map(({ text }) => text)).toEqual(["two", "three"]);
  expect(await at.run("events", "tail", "--test", "--after", "evt_x", "--no-follow")).toMatchObject({ code: 1, out: "" });
});

test("only events of the names that are asked for are told", async () => {
  using at = await setup("one", "two");
  await at.json("workspaces", "set", "--plan", "starter");
  const { items } = await tail(at, "--type", "subscription.*,message.failed");
  expect(items.map(({ event }) => event)).toEqual(["subscription.upgraded"]);
  expect((await tail(at, "--type", "message.*", "--lines", "1")).items.map(({ text }) => text)).toEqual(["two"]);
  const refused = await at.run("events", "tail", "--test", "--type", "message.snet");
  expect(refused).toMatchObject({ code: 2, out: "" });
  expect(refused.err).toContain("message.sent, ");
});

test("people get an event in a line", async () => {
  using at = await setup('say "hi"');
  const { out } = await at.run("events", "tail", "--test", "--no-follow");
  expect(out).toMatch(/^20\S+Z {2}message\.queued +msg_\w+ {2}@sarah_miller {2}"say \\"hi\\""\n$/);
  expect((await at.run("events", "tail", "--no-follow")).out).toBe("");
});

test("new events come as they happen, until it is interrupted", async () => {
  using at = await setup("one");
  const main = `${import.meta.dir}/../../src/main.ts`;
  const child = Bun.spawn([process.execPath, main, "events", "tail", "--test", "--data-dir", at.dataDir], { stdout: "pipe" });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  expect((await lines.read()).value).toContain('"one"');
  await at.json("send", "--test", "--to", "@sarah_miller", "--text", "two");
  expect((await lines.read()).value).toContain('"two"');
  child.kill("SIGINT");
  expect(await child.exited).toBe(0);
});
