import { expect, test } from "bun:test";
import { version } from "#package.json";
import { runCommand } from "#test/support/terminal.ts";

test("the version is that of the package", async () => {
  for (const argv of [["version"], ["--version"], ["-V"]])
    expect(await runCommand(argv)).toEqual({ code: 0, out: `posthouse ${version}\n`, err: "" });
});

test("--json gives one document and nothing else", async () => {
  const { code, out, err } = await runCommand(["version", "--json"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toMatchObject({ version, bun: Bun.version });
});
