import { createPrivateKey, X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { type Config, localUrl } from "#src/config.ts";
import { secretKeyPath } from "#src/data-folder.ts";
import { askLocal } from "./ask-local.ts";
import type { Check } from "./doctor.ts";

const DISK_LOW_BYTES = 1024 ** 3;
const DISK_FULL_BYTES = 100 * 1024 ** 2;
const OTHERS_MAY_READ = 0o077;

export function checkDataFolder({ data_dir }: Config): Check {
  const name = "data folder";
  if (!existsSync(data_dir)) return { name, status: "ok", found: `${data_dir} is not there yet; the first posthouse serve makes it` };
  try {
    accessSync(data_dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return { name, status: "failed", found: (error as Error).message, advice: `let the user that runs posthouse write to ${data_dir}` };
  }
  if ((statSync(data_dir).mode & OTHERS_MAY_READ) === 0) return { name, status: "ok", found: data_dir };
  const found = `other users of this machine may read ${data_dir}`;
  return { name, status: "warning", found, advice: `chmod 700 ${data_dir}` };
}

export function checkDiskSpace({ data_dir }: Config): Check {
  const name = "disk";
  const { bavail, bsize } = statfsSync(nearestFolder(data_dir));
  const free = bavail * bsize;
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${data_dir}`;
  const advice = "make room, or move DATA_DIR to a larger disk; a full disk refuses sends until there is room";
  if (free < DISK_FULL_BYTES) return { name, status: "failed", found, advice };
  return free < DISK_LOW_BYTES ? { name, status: "warning", found, advice } : { name, status: "ok", found };
}

export function checkSecret({ secret, data_dir, database_url }: Config): Check {
  const name = "secret";
  if (secret !== null) return { name, status: "ok", found: "taken from POSTHOUSE_SECRET" };
  const path = secretKeyPath(data_dir);
  if (existsSync(path)) {
    if ((statSync(path).mode & OTHERS_MAY_READ) === 0) return { name, status: "ok", found: path };
    return { name, status: "failed", found: `other users of this machine may read ${path}`, advice: `chmod 600 ${path}` };
  }
  const isNew = database_url.startsWith("sqlite:") && !existsSync(database_url.slice("sqlite:".length));
  if (isNew) return { name, status: "ok", found: `${path} is not there yet; the first posthouse serve makes it` };
  const advice = "put the file back from a backup, or set POSTHOUSE_SECRET to what the database was used with";
  return { name, status: "failed", found: `${path} is missing although there is a database`, advice };
}

export function checkTls({ tls }: Config): Check[] {
  const name = "certificate";
  if (tls === null) return [];
  try {
    const certificate = new X509Certificate(readFileSync(tls.cert_file));
    const key = createPrivateKey(readFileSync(tls.key_file));
    if (certificate.checkPrivateKey(key)) return [{ name, status: "ok", found: `valid until ${certificate.validTo}` }];
    const found = `the key in ${tls.key_file} does not belong to the certificate in ${tls.cert_file}`;
    return [{ name, status: "failed", found, advice: "name the two files that were made together" }];
  } catch (error) {
    const found = (error as Error).message;
    return [{ name, status: "failed", found, advice: "set TLS_CERT_FILE and TLS_KEY_FILE to PEM files that posthouse may read" }];
  }
}

export async function checkPort({ host, port, tls }: Config): Promise<Check> {
  const name = "port";
  const code = await tryToListen(host, port);
  if (code === undefined) return { name, status: "ok", found: `${host}:${port} is free` };
  if (code === "EADDRINUSE") {
    if (await isPosthouse(`${localUrl(host, port, tls !== null)}/health`))
      return { name, status: "ok", found: `posthouse answers on ${host}:${port}` };
    const found = `another program listens on ${host}:${port}`;
    return { name, status: "failed", found, advice: "stop that program, or set another PORT" };
  }
  const advice =
    code === "EACCES" ? "take a PORT from 1024 up, or give posthouse CAP_NET_BIND_SERVICE" : "set HOST to an address of this machine";
  return { name, status: "failed", found: `${host}:${port} can't be listened on: ${code}`, advice };
}

/** @returns the error's code; undefined where it works */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Every answer of Posthouse carries a request id of its form. */
async function isPosthouse(address: string): Promise<boolean> {
  try {
    return (await askLocal(address)).header("x-request-id")?.startsWith("req_") === true;
  } catch {
    return false;
  }
}

function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path));
}
