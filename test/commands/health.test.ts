import { expect, test } from "bun:test";
import { certificateKeyPem, certificatePem } from "#test/support/certificate.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { runCommand } from "#test/support/terminal.ts";

const respond = (status: number) => (request: Request) =>
  new Response("", { status: new URL(request.url).pathname === "/health" ? status : 404 });

async function ask(port: number | undefined, env: Record<string, string> = {}) {
  return runCommand(["health", "--port", String(port)], env);
}

test("a server that is well is alive", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: respond(200) });
  expect(await ask(server.port)).toEqual({ code: 0, out: "alive\n", err: "" });
  // In a container it listens on all addresses.
  expect((await ask(server.port, { HOST: "0.0.0.0" })).code).toBe(0);
  await server.stop(true);
});

test("a server that is not well, or is not there, is a failure in one line", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: respond(503) });
  const sick = await ask(server.port);
  expect(sick).toMatchObject({ code: 1, out: "" });
  expect(sick.err).toBe(`http://127.0.0.1:${server.port}/health is not healthy: it answers 503\n`);
  await server.stop(true);
  expect((await ask(server.port)).err).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/health is not healthy: [^\n]*\n$/);
});

test("with a certificate it asks by HTTPS, whatever name the certificate is for", async () => {
  using folder = tempFolder();
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: respond(200), tls: { cert: certificatePem, key: certificateKeyPem } });
  const files = { TLS_CERT_FILE: `${folder.path}/cert.pem`, TLS_KEY_FILE: `${folder.path}/key.pem` };
  expect((await ask(server.port, files)).code).toBe(0);
  await server.stop(true);
});
