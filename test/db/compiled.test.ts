import { Database as File } from "bun:sqlite";
import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { executable } from "#test/support/executable.ts";
import { tempFolder } from "#test/support/temp-folder.ts";

const BUILD_MS_MAX = 60_000;

beforeAll(() => executable(), BUILD_MS_MAX);

test("in the executable, too, long reads run in a thread of their own", async () => {
  using folder = tempFolder();
  const copy = join(folder.path, "copy.db");
  // A backup is such a read, and would fail if the executable did not find its thread's program.
  const backup = Bun.spawn([await executable(), "backup", copy, "--data-dir", folder.path], { env: {}, stdout: "ignore", stderr: "pipe" });
  const errors = await backup.stderr.text();
  expect({ code: await backup.exited, errors }).toMatchObject({ code: 0 });
  using file = new File(copy, { readonly: true });
  expect(file.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});
