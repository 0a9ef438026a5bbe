import { AppError } from "#src/core/errors.ts";
import { scopes } from "#src/core/principal.ts";
import type { CreatedKey } from "#src/modules/keys/model.ts";
import type { RunningServer } from "#src/server.ts";

const FIRST_WORKSPACE = "default";

/** @returns the sandbox key of a workspace that it made; null where there is a workspace already */
export async function makeFirstWorkspace({ db, services }: Pick<RunningServer, "db" | "services">): Promise<CreatedKey | null> {
  if ((await services.workspaces.all()).length > 0) return null;
  try {
    return await db.write(async (tx) => {
      const { environments } = await services.workspaces.create(tx, FIRST_WORKSPACE, null);
      const sandbox = environments.find(({ mode }) => mode === "test")!;
      const maker = { env_id: sandbox.id, mode: "test" as const, environment: sandbox.name, plan: null, scopes: null };
      return services.keys.create(tx, maker, { name: "first sandbox key", scopes: [...scopes] });
    });
  } catch (error) {
    // Another copy on the same database was first.
    if (error instanceof AppError && error.code === "conflict") return null;
    throw error;
  }
}

/** What the first start says, once. */
export function greetFirst(url: string, { key }: Pick<CreatedKey, "key">): string {
  return `
Posthouse is at ${url}

Your sandbox key, shown this once:

  ${key}

Send a first message. It stays in the sandbox and reaches nobody:

  curl -X POST ${url}/v1/messages/send \\
    -H "Authorization: Bearer ${key}" \\
    -H "Content-Type: application/json" \\
    -d '{"account_id": 7421, "to": "@sarah_miller", "text": "Hey {first_name}, your invite is ready"}'

Watch it land:

  curl ${url}/v1/messages -H "Authorization: Bearer ${key}"

For real messages, make a live key, and connect your bot with it (POST /v1/accounts):

  posthouse keys create --name production --scopes manage:accounts,write:messages,read:messages

Every operation is at ${url}/swagger

`;
}
