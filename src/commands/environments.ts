import type { Command } from "commander";
import { type Environment, NewEnvironment } from "#src/modules/workspaces/model.ts";
import { checkFlags } from "./check-flags.ts";
import { createCommand, createGroup, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { findWorkspace, type PlaceFlags, workspaceOption } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { renderTable } from "./table.ts";

type Flags = SettingFlags & JsonFlag & PlaceFlags & { name?: string };

export function environmentsCommand(terminal: Terminal): Command {
  const texts = { summary: "Make and list test environments.", examples: ["environments list", "environments create --name staging"] };
  return createGroup(terminal, "environments", texts, [createOne(terminal), list(terminal)]);
}

function createOne(terminal: Terminal): Command {
  const texts = {
    summary: "Make a test environment, with a sandbox account of its own.",
    examples: ["environments create --name staging", "environments create --name ci --workspace acme --json"],
  };
  return withCommonOptions(createCommand(terminal, "create", texts))
    .requiredOption("--name <name>", "its name: lower-case letters, digits and hyphens")
    .action((flags: Flags) =>
      withData(terminal, flags, async ({ db, services }) => {
        const ask = checkFlags(NewEnvironment, { name: flags.name });
        const { id } = await findWorkspace(services, flags);
        const environment = await db.write((tx) => services.workspaces.createEnvironment(tx, id, ask));
        printResult(terminal, flags, environment, () => render([environment]));
      }),
    );
}

function list(terminal: Terminal): Command {
  const texts = {
    summary: "List the environments of a workspace.",
    examples: ["environments list", "environments list --workspace acme --json"],
  };
  return withCommonOptions(createCommand(terminal, "list", texts)).action((flags: Flags) =>
    withData(terminal, flags, async ({ services }) => {
      const { id } = await findWorkspace(services, flags);
      const items = await services.workspaces.allEnvironments(id);
      printResult(terminal, flags, { items }, () => render(items));
    }),
  );
}

function withCommonOptions(command: Command): Command {
  for (const option of [jsonOption(), workspaceOption(), ...dataOptions()]) command.addOption(option);
  return command;
}

function render(environments: Environment[]): string {
  const rows = environments.map(({ id, name, mode, created_at }) => [id, name, mode, created_at]);
  return renderTable(["ID", "NAME", "MODE", "CREATED"], rows, "There is no environment.");
}
