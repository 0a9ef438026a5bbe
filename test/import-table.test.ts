import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tempFolder } from "#test/support/temp-folder.ts";

const root = join(import.meta.dir, "..");

/** What each kind of file may import. What is not named here it may not. */
const table: Record<string, string[]> = {
  "src/core/clock.ts": ["./x.ts", "#src/core/ids.ts", "ulid", "node:crypto"],
  "db/open.ts": ["./x.ts", "#db/schema.ts", "#src/core/ids.ts", "ulid", "node:crypto", "node:fs", "kysely", "bun:sqlite"],
  "db/sqlite/open.ts": ["./x.ts", "#db/schema.ts", "#src/core/ids.ts", "ulid", "node:crypto", "node:fs", "kysely", "bun:sqlite"],
  "src/jobs/loop.ts": ["./x.ts", "#db/schema.ts", "#src/core/ids.ts", "#src/jobs/job.ts", "ulid", "node:crypto", "node:fs", "kysely"],
  "src/schedule/tick.ts": ["./x.ts", "#db/schema.ts", "#src/core/ids.ts", "#src/jobs/job.ts", "ulid", "node:crypto", "node:fs", "kysely"],
  "src/modules/keys/service.ts": [
    "./x.ts",
    "#src/core/ids.ts",
    "#src/jobs/job.ts",
    "#src/modules/accounts/model.ts",
    "ulid",
    "node:crypto",
    "node:fs",
  ],
  "src/modules/keys/routes.ts": [
    "./x.ts",
    "#src/core/ids.ts",
    "#src/jobs/job.ts",
    "#src/modules/accounts/model.ts",
    "ulid",
    "node:crypto",
    "node:fs",
    "elysia",
  ],
  "src/modules/keys/key-routes.ts": [
    "./x.ts",
    "#src/core/ids.ts",
    "#src/jobs/job.ts",
    "#src/modules/accounts/model.ts",
    "ulid",
    "node:crypto",
    "node:fs",
    "elysia",
  ],
  "src/modules/keys/store.ts": [
    "./x.ts",
    "#db/schema.ts",
    "#src/core/ids.ts",
    "#src/jobs/job.ts",
    "#src/modules/accounts/model.ts",
    "ulid",
    "node:crypto",
    "node:fs",
    "kysely",
  ],
  "plugins/auth/plugin.ts": [
    "./x.ts",
    "#src/core/ids.ts",
    "#src/modules/accounts/model.ts",
    "#src/modules/messages/channel.ts",
    "#src/modules/webhooks/sender.ts",
    "ulid",
    "node:crypto",
    "node:fs",
    "elysia",
  ],
};

const imports = [
  ...new Set(Object.values(table).flat()),
  "../x.ts",
  "./../x.ts",
  "#src/app.ts",
  "#src/config.ts",
  "#src/commands/serve.ts",
  "#src/modules/accounts/service.ts",
  "#src/modules/accounts/store.ts",
  "#plugins/errors/plugin.ts",
  "#test/support/x.ts",
];

/** Lints files with the project's own rules. @returns lines such as `src/a.ts:3:1: …` */
async function lint(files: Record<string, string>): Promise<string[]> {
  using folder = tempFolder();
  const rules = await Bun.file(join(root, ".oxlintrc.json")).text();
  writeFileSync(join(folder.path, ".oxlintrc.json"), rules.replace('"typeAware": true', '"typeAware": false'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder.path, dirname(path)), { recursive: true });
    writeFileSync(join(folder.path, path), text);
  }
  const oxlint = Bun.spawn([join(root, "node_modules/.bin/oxlint"), "--format", "unix"], { cwd: folder.path, stdout: "pipe" });
  return (await oxlint.stdout.text()).split("\n");
}

test("the linter lets each kind of file import what the import table allows, and nothing else", async () => {
  const text = imports.map((name, index) => `import { a as a${index} } from "${name}";`).join("\n");
  const found = await lint(Object.fromEntries(Object.keys(table).map((path) => [path, text])));
  for (const [path, allowed] of Object.entries(table)) {
    const refused = new Set(
      found.flatMap((line) => (line.startsWith(`${path}:`) ? (/'([^']+)' import is restricted/.exec(line)?.[1] ?? []) : [])),
    );
    expect({ path, allowed: imports.filter((name) => !refused.has(name)) }).toEqual({
      path,
      allowed: imports.filter((name) => allowed.includes(name)),
    });
  }
});

test("only the clock takes the time, and only what the terminal is made of reads the environment", async () => {
  const text = "export const now = Date.now();\nexport const home = process.env.HOME;\n";
  const found = await lint({ "src/modules/keys/service.ts": text, "src/core/clock.ts": text, "plugins/a/b.ts": text });
  const flagged = (rule: string) => new Set(found.filter((line) => line.includes(rule)).map((line) => line.split(":")[0]));
  expect(flagged("no-restricted-globals")).toEqual(new Set(["plugins/a/b.ts", "src/modules/keys/service.ts"]));
  expect(flagged("no-process-env")).toEqual(new Set(["plugins/a/b.ts", "src/core/clock.ts", "src/modules/keys/service.ts"]));
});
