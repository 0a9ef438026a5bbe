import { createHmac, timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import express, { type Request } from "express";

/** Receivers that verify as the sources show it: the same header, read the same way, the same comparison. */
export interface SeedReceivers extends AsyncDisposable {
  url(path: string): string;
  /** The secret that a path knows from now on. */
  know(path: string, secret: string): void;
  /** What was answered at a path. */
  answers(path: string): number[];
}

/** What the sources need to be told of the endpoint at each path. */
export const seedEndpoints = [
  // The first source: bare hexadecimal digits in the usual header.
  { path: "/landing", signature: { format: "hex" } },
  // The guide's step 7: as it is without a setting.
  { path: "/guide", signature: undefined },
  // The fourth source: a header of its own.
  { path: "/reference", signature: { header: "X-Solid-Signature", format: "hex" } },
] as const;

const verifiers: Record<string, (request: Request, secret: string) => boolean> = {
  "/landing"({ headers, body }, secret) {
    const sig = createHmac("sha256", secret)
      .update(body as Buffer)
      .digest("hex");
    return !(sig !== headers["x-signature"]);
  },
  "/guide"({ headers, body }, secret) {
    const sig = (headers["x-signature"] as string | undefined) || "";
    const hmac = createHmac("sha256", secret).update(body as Buffer);
    // Throws where the lengths differ, which Express answers with 500.
    return timingSafeEqual(Buffer.from(sig), Buffer.from(`sha256=${hmac.digest("hex")}`));
  },
  "/reference"({ headers, body }, secret) {
    const sig = headers["x-solid-signature"];
    const expected = createHmac("sha256", secret)
      .update(body as Buffer)
      .digest("hex");
    return !(sig !== expected);
  },
};

export async function openSeedReceivers(secret: string): Promise<SeedReceivers> {
  const secrets = new Map(Object.keys(verifiers).map((path) => [path, secret]));
  const answers = new Map(Object.keys(verifiers).map((path) => [path, [] as number[]]));
  const app = express();
  for (const [path, isSigned] of Object.entries(verifiers))
    app.post(path, express.raw({ type: "application/json" }), (request, response) => {
      response.on("finish", () => answers.get(path)!.push(response.statusCode));
      if (isSigned(request, secrets.get(path)!)) response.status(200).send("ok");
      else response.status(401).send("invalid signature");
    });
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = app.listen(0, "127.0.0.1", () => resolve());
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    know: (path, known) => void secrets.set(path, known),
    answers: (path) => answers.get(path)!,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
