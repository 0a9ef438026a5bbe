import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { type Child, freePort, run, start, until } from "./process.ts";

export const postgresMissing = "PostgreSQL is not installed: apt-get install postgresql";

const DEBIAN = "/usr/lib/postgresql";

/** The folder of the newest PostgreSQL's programs; undefined where there is none. */
export function findPostgres(): string | undefined {
  const versions = (() => {
    try {
      return readdirSync(DEBIAN);
    } catch {
      return [];
    }
  })();
  const newest = versions.map(Number).toSorted((a, b) => b - a)[0];
  return newest === undefined ? undefined : join(DEBIAN, String(newest), "bin");
}

export interface PostgresServer extends Child {
  /** Makes an empty database. @returns its URL */
  create(name: string): Promise<string>;
  readonly port: number;
}

/** A cluster of its own, in a temporary folder, as durable as PostgreSQL is by default. It refuses to run as root. */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "posthouse-bench-postgres-"));
  const port = await freePort();
  const unprivileged = await asPostgres(folder);
  await run([...unprivileged, join(programs, "initdb"), "-D", folder, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C"]);
  const settings = [`port=${port}`, "listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`].flatMap((setting) => [
    "-c",
    setting,
  ]);
  // SIGINT is the fast shutdown: https://www.postgresql.org/docs/current/server-shutdown.html
  const server = start([...unprivileged, join(programs, "postgres"), "-D", folder, ...settings], { signal: "SIGINT" });
  const psql = (command: string) => run(["psql", "-h", "127.0.0.1", "-p", String(port), "-U", "bench", "-d", "postgres", "-c", command]);
  await until("a start of PostgreSQL", () =>
    psql("select 1").then(
      () => true,
      () => false,
    ),
  );
  return {
    ...server,
    port,
    async create(name) {
      await psql(`create database ${name}`);
      return `postgres://bench@127.0.0.1:${port}/${name}`;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `setpriv` becomes the program that it starts, so that a signal reaches PostgreSQL itself. */
async function asPostgres(folder: string): Promise<string[]> {
  if (userInfo().uid !== 0) return [];
  const [uid = "", gid = ""] = ((await run(["id", "-u", "postgres"])) + (await run(["id", "-g", "postgres"]))).trim().split("\n");
  chownSync(folder, Number(uid), Number(gid));
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
}
