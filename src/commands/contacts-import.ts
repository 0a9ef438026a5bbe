import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type Command, Option } from "commander";
import { type ImportFormat, type ImportMode, importModes, type Mapping } from "#src/modules/imports/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import { createCommand, ExitError, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { environmentOptions, findEnvironment, type PlaceFlags } from "./find-environment.ts";
import { followTask } from "./follow-task.ts";
import { type Data, dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { AppError } from "#src/core/errors.ts";
import { renderFields, renderTable } from "./table.ts";

type Flags = SettingFlags & JsonFlag & PlaceFlags & { mode: ImportMode; dryRun?: true; map?: Mapping; format?: ImportFormat };

const FAILURES_SHOWN_MAX = 20;

interface Result {
  created: number;
  updated: number;
  skipped: number;
  failed: number;
  sample?: string;
}

export function contactsImportCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Import contacts from a CSV or NDJSON file; - is stdin.",
    details:
      "The first line of a CSV names the columns; POST /v1/imports says more. A running `posthouse serve` does the work, or else the command.",
    examples: [
      "contacts import contacts.csv --dry-run",
      "contacts import contacts.csv --mode create",
      'contacts import people.csv --map "Mail=email" --map "Tier=fields.plan" --map "Notes="',
      "contacts import - --format ndjson --test --json",
    ],
  };
  const command = createCommand(terminal, "import", texts)
    .argument("<file>", "the file, or - for stdin")
    .addOption(
      new Option("--mode <mode>", "who is written: those who are not here, those who are, or both").choices(importModes).default("upsert"),
    )
    .option("--dry-run", "write nothing, and tell what would be written")
    .option("--map <column=member>", "what a column is; with nothing after the = it is left out. May be repeated", gatherMapping)
    .addOption(
      new Option("--format <format>", "what the file is; default: ndjson where its name ends in .ndjson or .jsonl").choices([
        "csv",
        "ndjson",
      ]),
    );
  for (const option of [...environmentOptions(), jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((file: string, flags: Flags) =>
    withData(terminal, flags, async (data) => {
      const { env_id } = await findEnvironment(data.services, flags);
      const body = await openFile(terminal, file);
      const format = flags.format ?? (/\.(ndjson|jsonl)$/i.test(file) ? "ndjson" : "csv");
      const ask = { format, mode: flags.mode, dry_run: flags.dryRun === true, mapping: flags.map ?? {} };
      const upload = await data.services.imports.receive(env_id, body, ask).catch((error: unknown) => {
        throw error instanceof AppError ? withFlags(error) : error;
      });
      const { id } = await data.db.write((tx) => data.services.imports.start(tx, { env_id, actor: "command" }, upload));
      const task = await followTask(terminal, data, env_id, id, { scope: "read:contacts", what: "The import", unit: "rows" });
      await report(terminal, flags, data, env_id, task);
    }),
  );
}

function gatherMapping(text: string, before: Mapping = {}): Mapping {
  const equals = text.lastIndexOf("=");
  if (equals < 1) throw new ExitError(`--map takes a column and a member, such as "Mail=email": ${text} has no =`, 2);
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) || null };
}

/** The same refusal with the flags that mend it. */
function withFlags(error: AppError): AppError {
  const unknown = (error.details ?? []).filter((fault) => fault.error === "unknown_field").map(({ field }) => `--map "${field}="`);
  return unknown.length === 0 ? error : new AppError(error.code, `${error.message} Here: ${unknown.join(" ")}`);
}

/** @throws ExitError where there is no such file */
async function openFile(terminal: Terminal, file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === "-") {
    if (terminal.input === undefined) throw new ExitError("there is nothing on stdin", 2);
    return terminal.input();
  }
  const found = await stat(file).catch(() => null);
  if (found?.isFile() !== true) throw new ExitError(`there is no file ${file}`, 2);
  return createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
}

async function report(terminal: Terminal, flags: Flags, { services }: Data, env_id: number, task: Task): Promise<void> {
  const { id, status, error } = task;
  const { created, updated, skipped, failed, sample } = task.result as unknown as Result;
  const counts = { job: id, created: String(created), updated: String(updated), skipped: String(skipped), failed: String(failed) };
  printResult(terminal, flags, task, () => renderFields(counts));
  if (sample !== undefined && flags.json !== true) await tellSample(terminal, services, env_id, id);
  if (failed > 0) {
    const lines = (await services.imports.report(env_id, id, "ndjson")).split("\n").slice(0, FAILURES_SHOWN_MAX);
    const rows = lines
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { line: number; field: string | null; message: string });
    const table = rows.map(({ line, field, message }) => [String(line), field ?? "", message]);
    terminal.err(`${renderTable(["LINE", "FIELD", "REASON"], table, "").trimEnd()}\n`);
    if (failed > rows.length) terminal.err(`${failed - rows.length} more: GET /v1/imports/${id}/report has them\n`);
  }
  if (status !== "done") throw new ExitError(error === null ? `the job ${id} is ${status}` : `failed: ${error.message}`);
}

async function tellSample(terminal: Terminal, services: Data["services"], env_id: number, id: string): Promise<void> {
  const { items } = await services.imports.sample(env_id, id);
  const rows = items.flatMap(({ line, change, members }) =>
    Object.entries(members).map(([name, { before, after }]) => [String(line), change, name, textOf(before), textOf(after)]),
  );
  terminal.out(`${renderTable(["LINE", "CHANGE", "MEMBER", "BEFORE", "AFTER"], rows, "Nothing would change.").trimEnd()}\n`);
}

function textOf(value: unknown): string {
  return value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}
