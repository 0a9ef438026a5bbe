import { type Command, Option } from "commander";
import { type Plan, planLimits, type Workspace, WorkspacePatch } from "#src/modules/workspaces/model.ts";
import { checkFlags } from "./check-flags.ts";
import { createCommand, createGroup, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { findWorkspace, type PlaceFlags, workspaceOption } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { renderFields, renderTable } from "./table.ts";

type Flags = SettingFlags & JsonFlag & PlaceFlags & { name?: string; plan?: string; currency?: string; onUnknown?: string };

const plans = Object.keys(planLimits);

export function workspacesCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Make, list and change workspaces.",
    examples: ["workspaces list", "workspaces create --name acme --plan builder"],
  };
  return createGroup(terminal, "workspaces", texts, [createOne(terminal), list(terminal), set(terminal)]);
}

function createOne(terminal: Terminal): Command {
  const texts = {
    summary: "Make a workspace, with a live environment and a test one named sandbox.",
    examples: ["workspaces create --name acme", "workspaces create --name acme --plan professional --json"],
  };
  return withCommonOptions(createCommand(terminal, "create", texts))
    .requiredOption("--name <name>", "its name; no two workspaces have the same")
    .addOption(new Option("--plan <plan>", "the plan, which sets how many requests a minute a key may make").choices(plans))
    .action((flags: Flags) =>
      withData(terminal, flags, async ({ db, services }) => {
        const { name } = checkFlags(WorkspacePatch, { name: flags.name });
        const made = await db.write((tx) => services.workspaces.create(tx, name!, (flags.plan ?? null) as Plan | null));
        const workspace = await services.workspaces.get(made.workspace.id);
        const environments = await services.workspaces.allEnvironments(made.workspace.id);
        printResult(terminal, flags, { ...workspace, environments }, () => render(workspace));
      }),
    );
}

function list(terminal: Terminal): Command {
  const texts = { summary: "List the workspaces.", examples: ["workspaces list", "workspaces list --json"] };
  return withCommonOptions(createCommand(terminal, "list", texts)).action((flags: Flags) =>
    withData(terminal, flags, async ({ services }) => {
      const rows = await services.workspaces.all();
      const items = await Promise.all(rows.map(({ id }) => services.workspaces.get(id)));
      printResult(terminal, flags, { items }, () =>
        renderTable(
          ["ID", "NAME", "PLAN", "CREATED"],
          items.map(({ id, name, plan, created_at }) => [id, name, plan ?? "-", created_at]),
          "There is no workspace yet.",
        ),
      );
    }),
  );
}

function set(terminal: Terminal): Command {
  const texts = {
    summary: "Change a workspace.",
    examples: ["workspaces set --plan enterprise", "workspaces set --workspace acme --name acme-inc", "workspaces set --plan none"],
  };
  return withCommonOptions(createCommand(terminal, "set", texts))
    .addOption(workspaceOption())
    .option("--name <name>", "its new name")
    .addOption(new Option("--plan <plan>", "its new plan").choices([...plans, "none"]))
    .option("--currency <code>", "the currency of its amounts, as ISO 4217 has it")
    .addOption(new Option("--on-unknown <what>", "what becomes of a send whose outcome Telegram never told").choices(["fail", "retry"]))
    .action((flags: Flags) =>
      withData(terminal, flags, async ({ db, services }) => {
        const { name, plan, currency, onUnknown: on_unknown } = flags;
        const patch = checkFlags(WorkspacePatch, { name, plan: plan === "none" ? null : plan, currency, on_unknown });
        const { id } = await findWorkspace(services, flags);
        const workspace = await db.write((tx) => services.workspaces.patch(tx, id, patch));
        printResult(terminal, flags, workspace, () => render(workspace));
      }),
    );
}

function withCommonOptions(command: Command): Command {
  for (const option of [jsonOption(), ...dataOptions()]) command.addOption(option);
  return command;
}

function render({ id, name, plan, currency, on_unknown }: Workspace): string {
  return renderFields({ id, name, plan: plan ?? "none", currency, on_unknown });
}
