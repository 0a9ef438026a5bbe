import { Glob } from "bun";
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { sql } from "kysely";
import packageJson from "#package.json";
import { describeRecipients } from "#plugins/sandbox/describe.ts";
import { plays } from "#plugins/sandbox/recipients.ts";
import { greetFirst } from "#src/commands/first-start.ts";
import { createProgram } from "#src/commands/program.ts";
import { planLimits } from "#src/modules/workspaces/model.ts";
import { settings } from "#src/settings.ts";
import { freshDatabase } from "#test/support/databases.ts";
import { blocksOf, readDocument, readmePrograms, readmeReceivers, root, rowsOf, sectionOf } from "#test/support/documents.ts";

const documents = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "test/README.md", "test/support/bot-api/README.md"];
const readme = readDocument("README.md");
const silent = { env: {}, isTerminal: false, out() {}, err() {} };

/** Headings as they are linked to: https://github.com/gjtorikian/html-pipeline, its table of contents. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/^#{1,6} (.*)$/gm)];
  return new Set(
    headings.map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Those of the dependencies that a file of the program imports; the runtime itself comes without. */
function importedPackages(): Set<string> {
  const files = [...new Glob("{src,plugins,db}/**/*.ts").scanSync(root)].map(readDocument);
  const imported = files.flatMap((text) => [...text.matchAll(/\bfrom "([^".#][^"]*)"/g)].map(([, name]) => name!));
  const isOf = (name: string) => imported.some((one) => one === name || one.startsWith(`${name}/`));
  return new Set(Object.keys(packageJson.dependencies).filter((name) => name === "bun" || isOf(name)));
}

describe.each(documents)("in %s", (path) => {
  const text = readDocument(path);
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((target) => !/^https?:/.test(target));

  test("every relative link leads to a file, and to a heading of it", () => {
    const broken = links.filter((link) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(readDocument(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("every file and folder of the sources that it names is there", () => {
    const names = [...text.matchAll(/`((?:src|db|plugins|test)\/[\w./-]+)`/g)].map(([, name]) => name!);
    expect(names.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });
});

describe("README", () => {
  test("has the table of settings as the program has it", () => {
    const known = Object.values(settings).map(({ name, flag, byDefault, meaning }) => [
      `\`${name}\``,
      flag === null ? "none" : `\`${flag}\``,
      byDefault,
      meaning,
    ]);
    expect(rowsOf(sectionOf(readme, "## Settings"))).toEqual(known);
  });

  test("names every command that the help names", () => {
    const program = createProgram(silent);
    const shown = program
      .createHelp()
      .visibleCommands(program)
      .map((command) => command.name());
    const named = rowsOf(sectionOf(readme, "## Commands")).map(([name]) => name);
    expect(named).toEqual(shown.filter((name) => name !== "help").map((name) => `\`${name}\``));
  });

  test("has the table of the sandbox's magic recipients as the reference has it", () => {
    const table = describeRecipients();
    expect(readme).toContain(`\n${table}\n`);
    for (const name of plays.keys()) expect(table).toContain(`| \`${name}\` |`);
    expect(plays.size).toBeGreaterThan(0);
  });

  test("names the plans with their limits", () => {
    const section = sectionOf(readme, "## What an answer tells");
    for (const [plan, limit] of Object.entries(planLimits)) expect(section).toContain(`${limit.toLocaleString("en")} (\`${plan}\`)`);
  });

  test("shows what the first start prints", () => {
    const greeting = greetFirst("http://127.0.0.1:5110", { key: "cs_test_0vef_…" });
    expect(sectionOf(readme, "### The first message")).toContain(`$ posthouse\n${greeting.trimEnd()}\n`);
  });

  test("has a whole program in each language, and none beside those that the tests of the executable run", () => {
    const programs = readmePrograms().map(({ heading, language }) => [heading, language]);
    expect(programs).toEqual([
      ["curl", "sh"],
      ["TypeScript", "ts"],
      ["Python", "python"],
      ["Go", "go"],
    ]);
    const receivers = readmeReceivers();
    expect(receivers.map(({ heading, language }) => [heading, language])).toEqual([
      ["Express", "js"],
      ["The package standardwebhooks", "js"],
      ["Python, its standard library", "python"],
      ["Go, its standard library", "go"],
    ]);
    const run = [...readmePrograms(), ...receivers];
    const others = blocksOf(readme).filter(({ text }) => !run.some((program) => program.text === text));
    expect(others.map(({ language }) => language).filter((language) => ["ts", "js", "python", "go"].includes(language))).toEqual([]);
  });
});

describe("ARCHITECTURE", () => {
  const architecture = readDocument("ARCHITECTURE.md");

  test("says what each package is for that the sources import, and of no other", () => {
    const told = rowsOf(sectionOf(architecture, "## Dependencies")).flatMap(([names = ""]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    );
    expect(told.toSorted()).toEqual([...importedPackages()].toSorted());
  });

  test("says of every development dependency what it is for", () => {
    const section = sectionOf(architecture, "## Dependencies");
    expect(Object.keys(packageJson.devDependencies).filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
  });

  test("names every table without an environment, and every index that does not begin with it", async () => {
    await using fresh = await freshDatabase("sqlite");
    const { rows } = await sql<{ name: string }>`
      select name from pragma_table_list as t where schema = 'main' and type in ('table', 'virtual') and name not like 'sqlite\\_%' escape '\\' and not exists (select 1 from pragma_table_info(t.name) where name = 'env_id')
      union all
      select i.name from pragma_table_list as t join pragma_index_list(t.name) as i join pragma_index_info(i.name) as first on first.seqno = 0
      where t.schema = 'main' and t.type = 'table' and first.name <> 'env_id' and exists (select 1 from pragma_table_info(t.name) where name = 'env_id')
    `.execute(fresh.db.read);
    const [exceptions = ""] = /^- \*\*Exceptions\.\*\*.*$/m.exec(architecture) ?? [];
    const named = [...exceptions.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name!).filter((name) => name !== "env_id");
    expect(rows.map(({ name }) => name).toSorted()).toEqual(named.toSorted());
  });

  test("numbers its decisions without a gap", () => {
    const numbers = [...architecture.matchAll(/^### (\d+)\. /gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThan(0);
  });
});
