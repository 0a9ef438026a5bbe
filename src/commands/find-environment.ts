import { Option } from "commander";
import type { Mode } from "#src/core/principal.ts";
import type { Services } from "#src/services.ts";
import { ExitError } from "./command.ts";

export interface PlaceFlags {
  workspace?: string;
  env?: string;
  test?: true;
}

/** An environment with what a key of it has to know. */
export interface Place {
  env_id: number;
  environment: string;
  mode: Mode;
  workspace_id: number;
  workspace: string;
  plan: string | null;
}

export const workspaceOption = (): Option =>
  new Option("--workspace <name>", "name or id of the workspace; needed where there are several");

export const environmentOptions = (): Option[] => [
  new Option("--env <name>", "name or id of the environment; default: live"),
  new Option("--test", "in a test environment: sandbox, unless --env names another"),
  workspaceOption(),
];

/** @throws ExitError with code 2 when the flag is missing or names nothing */
export async function findWorkspace({ workspaces }: Services, { workspace }: PlaceFlags) {
  const all = await workspaces.all();
  if (all.length === 0)
    throw new ExitError("there is no workspace yet: posthouse serve makes the first, or posthouse workspaces create --name NAME");
  const found = workspace === undefined ? all : all.filter(({ name, public_id }) => name === workspace || public_id === workspace);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const names = all.map(({ name }) => name).join(", ");
  if (workspace === undefined) throw new ExitError(`there are several workspaces: add --workspace with one of ${names}`, 2);
  throw new ExitError(`there is no workspace ${workspace}; there is ${names}`, 2);
}

/** @throws ExitError with code 2 when the flags name nothing, or contradict each other */
export async function findEnvironment(services: Services, flags: PlaceFlags): Promise<Place> {
  const places = await environmentsOf(services, flags);
  const wanted = flags.env ?? (flags.test === true ? "sandbox" : "live");
  const found = places.find(({ environment, public_id }) => environment === wanted || public_id === wanted);
  if (found === undefined)
    throw new ExitError(
      `there is no environment ${wanted} in ${places[0]?.workspace}; there is ${places.map((place) => place.environment).join(", ")}`,
      2,
    );
  if (flags.test === true && found.mode !== "test")
    throw new ExitError(`${found.environment} is no test environment: leave out --test or --env`, 2);
  return found;
}

/** All environments of a workspace, oldest first. */
export async function environmentsOf(services: Services, flags: PlaceFlags): Promise<(Place & { public_id: string })[]> {
  const { id, name, plan } = await findWorkspace(services, flags);
  const rows = await services.workspaces.rows(id);
  return rows.map((row) => ({
    env_id: row.id,
    public_id: row.public_id,
    environment: row.name,
    mode: row.mode as Mode,
    workspace_id: id,
    workspace: name,
    plan,
  }));
}
