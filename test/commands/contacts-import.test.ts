import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contact } from "#src/modules/contacts/model.ts";
import { commandLine } from "#test/support/command-line.ts";

interface Job {
  id: string;
  status: string;
  result: { created: number; updated: number; failed: number };
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, "..", name);
  writeFileSync(path, text);
  return path;
}

const rows = Array.from({ length: 400 }, (_, at) => `u${at},Person ${at},p${at}@example.com`);
const people = ["Key,name,email", ...rows, "bad,Bad,nonsense", ""].join("\n");

test("contacts import works where no serve runs, and tells what it refused", async () => {
  using at = commandLine();
  await at.run("workspaces", "create", "--name", "Own");
  const file = write(at.dataDir, "people.csv", people);
  const { code, out, err } = await at.run("contacts", "import", file, "--map", "Key=external_id");
  expect([code, out]).toMatchObject([0, expect.stringMatching(/created +400\n/)]);
  expect(err).toMatch(/LINE +FIELD +REASON\n402 +email +email is not an address/);
  const again = await at.json<Job>("contacts", "import", file, "--map", "Key=external_id", "--map", "email=", "--mode", "create");
  expect(again).toMatchObject({ status: "done", result: { created: 1, updated: 0, skipped: 400, failed: 0 } });
  const { items } = await at.json<{ items: Contact[] }>("contacts", "list", "--limit", "1");
  expect(items).toMatchObject([{ external_id: "bad", number: 401 }]);
});

test("contacts import leaves the work to a serve that runs", async () => {
  using at = commandLine();
  await using server = await at.serve();
  const file = write(at.dataDir, "people.ndjson", '{"external_id":"n1"}\n{"external_id":"n2"}\n');
  const job = await at.json<Job>("contacts", "import", file, "--test");
  expect(job).toMatchObject({ status: "done", result: { created: 2, failed: 0 } });
  expect(server.services.loop.isRunning()).toBe(true);
});

test("contacts import shows what a dry run would change", async () => {
  using at = commandLine();
  await at.run("workspaces", "create", "--name", "Own");
  const file = write(at.dataDir, "people.csv", "external_id,name\nu1,Sarah\n");
  const { code, out } = await at.run("contacts", "import", file, "--dry-run");
  expect(code).toBe(0);
  expect(out).toMatch(/2 +created +name +Sarah/);
  expect((await at.json<{ total: number }>("contacts", "list")).total).toBe(0);
});

test("contacts import says what is wrong with a file before anything is written", async () => {
  using at = commandLine();
  await at.run("workspaces", "create", "--name", "Own");
  const file = write(at.dataDir, "people.csv", "external_id,emial\nu1,x\n");
  const { code, err } = await at.run("contacts", "import", file);
  expect([code, err]).toMatchObject([1, expect.stringContaining("Is it email?")]);
  expect((await at.run("contacts", "import", "/nowhere.csv")).code).toBe(2);
  expect((await at.run("contacts", "import", file, "--map", "emial")).code).toBe(2);
});
