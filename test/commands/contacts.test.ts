import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { csvHeader } from "#src/core/csv.ts";
import { contactColumns } from "#src/modules/contacts/csv.ts";
import type { Contact, ContactInput } from "#src/modules/contacts/model.ts";
import { run } from "#src/commands/program.ts";
import { type CommandLine, commandLine } from "#test/support/command-line.ts";

const headerLine = new TextDecoder().decode(csvHeader(contactColumns(new Map())));

/** A workspace with these contacts in its sandbox. */
async function setup(...contacts: ContactInput[]): Promise<CommandLine> {
  const at = commandLine();
  await at.json("workspaces", "create", "--name", "acme");
  if (contacts.length === 0) return at;
  await using server = await at.serve();
  const [{ id: workspace } = { id: 0 }] = await server.services.workspaces.all();
  const sandbox = (await server.services.workspaces.rows(workspace)).find(({ name }) => name === "sandbox")!;
  const writer = { env_id: sandbox.id, actor: "command" };
  for (let first = 0; first < contacts.length; first += 100)
    await server.db.write((tx) => server.services.contacts.upsertBatch(tx, writer, { contacts: contacts.slice(first, first + 100) }));
  return at;
}

/** Adds a contact with a custom field to the sandbox, and a segment of those with its value. @returns the segment's id */
async function withSegment(at: CommandLine): Promise<string> {
  await using server = await at.serve();
  const [{ id: workspace } = { id: 0 }] = await server.services.workspaces.all();
  const { id: env_id } = (await server.services.workspaces.rows(workspace)).find(({ name }) => name === "sandbox")!;
  return await server.db.write(async (tx) => {
    await server.services.fields.create(tx, env_id, { key: "plan", type: "text" });
    await server.services.contacts.upsert(tx, { env_id, actor: "command" }, { name: "Ann", external_id: "ann", fields: { plan: "Pro" } });
    const filter = { field: "plan", op: "equals", value: "pro" };
    return (await server.services.segments.create(tx, { env_id, key_id: "command" }, { name: "Those on pro", filter })).id;
  });
}

const people = [
  { name: "Sarah Miller", username: "sarah_miller", email: "sarah@example.com", tags: ["trial", "vip"] },
  { name: "John Smith", phone: "+447700900123" },
];
const many = (count: number) => Array.from({ length: count }, (_, at) => ({ external_id: `p${at}` }));
const list = (at: CommandLine, ...flags: string[]) => at.json<{ items: Contact[]; total: number }>("contacts", "list", "--test", ...flags);

describe("contacts list", () => {
  test("tells those of an environment, the newest first", async () => {
    using at = await setup(...people);
    expect(await list(at)).toMatchObject({ items: [{ name: "John Smith" }, { name: "Sarah Miller", tags: ["trial", "vip"] }], total: 2 });
    expect(await at.json("contacts", "list")).toEqual({ items: [], total: 0 });
    expect((await list(at, "--search", "mil")).items.map(({ name }) => name)).toEqual(["Sarah Miller"]);
    expect((await list(at, "--tag", "vip")).items.map(({ name }) => name)).toEqual(["Sarah Miller"]);
    expect((await list(at, "--created-before", "2020-01-01T00:00:00Z")).items).toEqual([]);
  });

  test("is narrowed by a custom field, and by a segment that is named by its id or its name", async () => {
    using at = await setup(...people);
    const id = await withSegment(at);
    for (const flags of [
      ["--field", "plan:pro"],
      ["--segment", id],
      ["--segment", "Those on pro"],
    ]) {
      expect((await list(at, ...flags)).items.map(({ name }) => name)).toEqual(["Ann"]);
      const exported = await at.run("contacts", "export", "--test", "--format", "ndjson", ...flags);
      expect(JSON.parse(exported.out)).toMatchObject({ name: "Ann" });
    }
    expect(await at.run("contacts", "list", "--test", "--segment", "nobody")).toMatchObject({ code: 1, out: "" });
    expect(await at.run("contacts", "list", "--segment", id)).toMatchObject({ code: 1, out: "" });
    expect(await at.run("contacts", "export", "--test", "--field", "tier:pro")).toMatchObject({ code: 1, out: "" });
  });

  test("is a table for people, who are told that there are more", async () => {
    using at = await setup(...people);
    const { out, err } = await at.run("contacts", "list", "--test", "--limit", "1");
    expect(out).toMatch(/^ID +NUMBER +NAME +USERNAME +EMAIL +PHONE +TAGS\nct_\w+ +2 +John Smith +\+447700900123\n$/);
    expect(err).toBe("1 of 2: --limit shows more.\n");
    expect(await at.run("contacts", "list")).toMatchObject({ code: 0, out: "There is no contact.\n", err: "" });
  });

  test("reads as many as are asked for, page by page", async () => {
    using at = await setup(...many(405));
    const wanted = many(405).toReversed();
    for (const limit of [0, 1, 200, 201, 400, 405, 1_000])
      expect((await list(at, "--limit", `${limit}`)).items.map(({ external_id }) => ({ external_id }))).toEqual(wanted.slice(0, limit));
  });

  test("says what it can't understand", async () => {
    using at = await setup();
    expect(await at.run("contacts", "list", "--limit", "many")).toMatchObject({ code: 2, out: "" });
    expect(await at.run("contacts", "list", "--search", "?")).toMatchObject({ code: 1, out: "" });
    expect(await at.run("contacts", "list", "--env", "staging")).toMatchObject({ code: 2, out: "" });
  });
});

describe("contacts export", () => {
  test("writes to stdout and nothing else, in CSV or NDJSON", async () => {
    using at = await setup(...people);
    const csv = await at.run("contacts", "export", "--test");
    expect(csv).toMatchObject({ code: 0, err: "" });
    expect(csv.out).toStartWith(headerLine);
    expect(csv.out.match(/\r\n/g)).toHaveLength(3);
    const ndjson = await at.run("contacts", "export", "--test", "--format", "ndjson", "--tag", "vip");
    expect(JSON.parse(ndjson.out)).toMatchObject({ name: "Sarah Miller", tags: ["trial", "vip"] });
    expect((await at.run("contacts", "export")).out).toBe(headerLine);
  });

  test("writes a file for its owner alone, and replaces none", async () => {
    using at = await setup(...many(600));
    const file = `${at.dataDir}/out.ndjson`;
    const flags = ["--test", "--format", "ndjson", "--output", file];
    expect(await at.json("contacts", "export", ...flags)).toEqual({ file, contacts: 600 });
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as Contact).external_id)).toEqual(many(600).map(({ external_id }) => external_id));
    expect(statSync(file).mode & 0o077).toBe(0);
    writeFileSync(file, "mine");
    expect(await at.run("contacts", "export", ...flags)).toMatchObject({ code: 1, out: "", err: expect.stringContaining("there already") });
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  test("leaves no file behind that it could not finish", async () => {
    using at = await setup();
    const file = `${at.dataDir}/out.csv`;
    expect(await at.run("contacts", "export", "--output", file, "--search", "?")).toMatchObject({ code: 1, out: "" });
    expect(await at.run("contacts", "export", "--output", `${at.dataDir}/none/out.csv`)).toMatchObject({ code: 1, out: "" });
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
  });

  test("refuses a format that there isn't, and --json without a file", async () => {
    using at = commandLine();
    expect(await at.run("contacts", "export", "--format", "xlsx")).toMatchObject({ code: 2, out: "" });
    expect(await at.run("contacts", "export", "--json")).toMatchObject({ code: 2, out: "", err: expect.stringContaining("--output") });
  });

  test("writes no faster than it is read, and tells a person how far it is", async () => {
    using at = await setup(...many(120));
    const seen = { out: [] as string[], err: "", drained: 0 };
    const terminal = {
      env: { DATA_DIR: at.dataDir },
      isTerminal: true,
      out: (text: string) => void seen.out.push(text),
      err: (text: string) => void (seen.err += text),
      drained: () => Promise.resolve(void seen.drained++),
    };
    expect(await run(["contacts", "export", "--test"], terminal)).toBe(0);
    expect(seen.out.length).toBeGreaterThan(1);
    expect(seen.drained).toBe(seen.out.length);
    expect(seen.err).toEndWith("\r\u001b[K");
    const before = seen.err;
    expect(await run(["contacts", "export", "--test"], { ...terminal, isOutTerminal: true })).toBe(0);
    expect(seen.err).toBe(before);
  });
});
