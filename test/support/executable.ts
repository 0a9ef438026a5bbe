import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..");
const path = join(root, "dist", "posthouse");
const sources = ["src", "plugins", "db", "package.json", "bun.lock"];

let built: Promise<string> | undefined;

/**
 * The path of the compiled executable, which is built first where it is missing or older than what it is made of.
 * Takes some seconds then: ask for it in `beforeAll` with a timeout.
 */
export function executable(): Promise<string> {
  built ??= isFresh() ? Promise.resolve(path) : build();
  return built;
}

/** Builds beside and renames, so that processes which build at the same time do not meet. */
async function build(): Promise<string> {
  const draft = join(root, "dist", `draft-${process.pid}`);
  mkdirSync(draft, { recursive: true });
  const script = Bun.spawn([process.execPath, "run", "build", "--outfile", join(draft, "posthouse")], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors] = await Promise.all([script.stdout.text(), script.stderr.text()]);
  if ((await script.exited) !== 0) throw new Error(`the executable can't be built:\n${output}${errors}`);
  renameSync(join(draft, "posthouse"), path);
  rmSync(draft, { recursive: true });
  return path;
}

function isFresh(): boolean {
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.every((source) => newest(join(root, source)) < made);
}

/** When the file, or the last file below the folder, was changed. */
function newest(path: string): number {
  const own = statSync(path);
  if (!own.isDirectory()) return own.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), own.mtimeMs);
}
