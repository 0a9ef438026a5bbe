import { beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificateKeyPem, certificatePem, otherKeyPem } from "#test/support/certificate.ts";
import { executable } from "#test/support/executable.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { makeLiveKey } from "./api.ts";
import { startTelegram } from "./live.ts";
import { type Posthouse, runPosthouse, startPosthouse } from "./posthouse.ts";
import { secondCertificatePem, secondKeyPem } from "./second-certificate.ts";

beforeAll(() => executable(), 60_000);

const env = { TLS_CERT_FILE: "cert.pem", TLS_KEY_FILE: "key.pem" };

function write(folder: string, cert: string, key: string): void {
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key);
}

/** Whether a new connection is shown a certificate that this one vouches for. */
async function shows({ url }: Posthouse, ca: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { tls: { ca }, keepalive: false })).ok;
  } catch (error) {
    if ((error as { code?: unknown }).code === "DEPTH_ZERO_SELF_SIGNED_CERT") return false;
    throw error;
  }
}

test("with a certificate it serves HTTPS, and says so in what it prints", async () => {
  using folder = tempFolder();
  write(folder.path, certificatePem, certificateKeyPem);
  await using posthouse = await startPosthouse({ folder: folder.path, env });
  await posthouse.sandboxKey();
  expect(posthouse.url).toStartWith("https://127.0.0.1:");
  expect(posthouse.out()).toContain(`Posthouse is at ${posthouse.url}\n`);
  expect(await shows(posthouse, certificatePem)).toBe(true);
  expect(await shows(posthouse, secondCertificatePem)).toBe(false);
});

test("SIGHUP reads the certificate again, without a restart", async () => {
  using folder = tempFolder();
  write(folder.path, certificatePem, certificateKeyPem);
  await using posthouse = await startPosthouse({ folder: folder.path, env });
  write(folder.path, secondCertificatePem, secondKeyPem);
  expect(await shows(posthouse, secondCertificatePem)).toBe(false);
  posthouse.signal("SIGHUP");
  await posthouse.logged("read the certificate again");
  expect(await shows(posthouse, secondCertificatePem)).toBe(true);
  expect(await shows(posthouse, certificatePem)).toBe(false);
});

test("a request that is under way when the certificate changes is answered", async () => {
  using folder = tempFolder();
  await using telegram = await startTelegram();
  write(folder.path, certificatePem, certificateKeyPem);
  await using posthouse = await startPosthouse({ folder: folder.path, env: { ...env, TELEGRAM_API_ROOT: telegram.url } });
  const key = await makeLiveKey(posthouse);
  telegram.fault({ kind: "slow", ms: 300 }, { method: "getMe" });
  const answer = fetch(`${posthouse.url}/v1/accounts`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ kind: "telegram_bot", token: telegram.addBot().token }),
    tls: { ca: certificatePem },
  });
  await telegram.waitFor(() => telegram.requests.by_method["getme"] === 1);
  write(folder.path, secondCertificatePem, secondKeyPem);
  posthouse.signal("SIGHUP");
  await posthouse.logged("read the certificate again");
  expect(await shows(posthouse, secondCertificatePem)).toBe(true);
  expect((await answer).status).toBe(201);
});

test.each([
  ["is none", "no certificate", certificateKeyPem],
  ["has another one's key", secondCertificatePem, otherKeyPem],
])("after SIGHUP with a certificate that %s the one before stays, and the log says why", async (_what, cert, key) => {
  using folder = tempFolder();
  write(folder.path, certificatePem, certificateKeyPem);
  await using posthouse = await startPosthouse({ folder: folder.path, env });
  write(folder.path, cert, key);
  posthouse.signal("SIGHUP");
  expect(await posthouse.logged("the certificate can't be read again; the one before stays")).toMatchObject({ level: "error" });
  expect(await shows(posthouse, certificatePem)).toBe(true);
});

test("SIGHUP without a certificate changes nothing", async () => {
  await using posthouse = await startPosthouse();
  posthouse.signal("SIGHUP");
  await posthouse.logged("there is no certificate to read again");
  expect((await fetch(`${posthouse.url}/ready`)).status).toBe(200);
});

test.each([
  ["is none", "no certificate", certificateKeyPem],
  ["is empty", "", ""],
  ["has another one's key", certificatePem, otherKeyPem],
])("a start whose certificate %s is refused in one line that names the files", async (_what, cert, key) => {
  using folder = tempFolder();
  write(folder.path, cert, key);
  const refused = await runPosthouse(folder.path, ["serve"], env);
  expect(refused).toEqual({ code: 1, out: "", err: expect.stringMatching(/^[^\n]+\n$/) });
  for (const file of Object.values(env)) expect(refused.err).toContain(join(folder.path, file));
});

test("so is one whose certificate is missing", async () => {
  using folder = tempFolder();
  const refused = await runPosthouse(folder.path, ["serve"], env);
  expect(refused).toEqual({ code: 1, out: "", err: expect.stringMatching(/^[^\n]+\n$/) });
  expect(refused.err).toContain(join(folder.path, "cert.pem"));
});
