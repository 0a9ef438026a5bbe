import { readFileSync } from "node:fs";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

const DataCentre = Type.Object({
  main: Type.Object({ id: Type.Integer(), host: Type.String(), port: Type.Integer({ minimum: 1, maximum: 65_535 }) }),
  public_key_pem: Type.String(),
});

/**
 * Another data centre for user accounts, as TELEGRAM_DC_FILE names it.
 * @throws Error in words for the person who starts the program
 */
export function readDataCentre(path: string): Static<typeof DataCentre> {
  const accepted = 'accepted: a file with {"main":{"id":2,"host":"127.0.0.1","port":8443},"public_key_pem":"…"}';
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`TELEGRAM_DC_FILE ${path} can't be read (${(error as Error).message}); ${accepted}`, { cause: error });
  }
  if (!Value.Check(DataCentre, content)) throw new Error(`TELEGRAM_DC_FILE ${path} does not have that form; ${accepted}`);
  return content;
}
