import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, type Posthouse, run } from "#test/e2e/posthouse.ts";

/** Of util-linux, which not every machine has; the last on the PATH, so that a real one goes first. */
const UUIDGEN = "#!/bin/sh\ncat /proc/sys/kernel/random/uuid\n";

/** Runs a script of this folder in a shell, as somebody does who pastes it. */
export async function paste(script: string, { url, folder }: Pick<Posthouse, "url" | "folder">, key: string): Promise<Ended> {
  const shim = join(folder, "uuidgen");
  writeFileSync(shim, UUIDGEN);
  chmodSync(shim, 0o700);
  const env = { PATH: `${process.env["PATH"]}:${folder}`, POSTHOUSE_URL: url, POSTHOUSE_KEY: key };
  return run(["sh", join(import.meta.dir, script)], { cwd: folder, env });
}
