import { existsSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { type ExportFormat, exportFormats, type ExportPart } from "#src/modules/contacts/export.ts";
import { createCommand, ExitError, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { type ContactFilterFlags, contactFilterOf, contactFilterOptions } from "./contact-filter.ts";
import { environmentOptions, findEnvironment, type PlaceFlags } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";

type Flags = SettingFlags & JsonFlag & PlaceFlags & ContactFilterFlags & { format: ExportFormat; output?: string };
type Parts = AsyncIterable<ExportPart>;

/** Between two lines of progress. */
const TELL_EVERY_MS = 200;

export function contactsExportCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Write the contacts of an environment to stdout or a file, the oldest first.",
    details: "In CSV an apostrophe stands before a text that a spreadsheet would run as a formula; GET /v1/contacts/export says more.",
    examples: [
      "contacts export --output contacts.csv",
      "contacts export --format ndjson --tag trial > trial.ndjson",
      "contacts export --test --output sandbox.csv --json",
    ],
  };
  const command = createCommand(terminal, "export", texts)
    .addOption(new Option("--format <format>", "what a line is").choices(exportFormats).default("csv"))
    .option("--output <file>", "where it goes; it must not be there yet. Default: stdout");
  for (const option of [...contactFilterOptions(), ...environmentOptions(), jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((flags: Flags) => {
    if (flags.json === true && flags.output === undefined) throw new ExitError("--json tells of the file: add --output", 2);
    return withData(terminal, flags, async ({ services }) => {
      const { env_id } = await findEnvironment(services, flags);
      const filter = await contactFilterOf(services.segments, env_id, flags);
      const parts = services.exportContacts(env_id, filter, flags.format);
      // A line of progress would stand amid the contacts.
      const isSilent = !terminal.isTerminal || (flags.output === undefined && terminal.isOutTerminal === true);
      const told = isSilent ? parts : withProgress(terminal, parts);
      if (flags.output === undefined) return printParts(terminal, told);
      const file = resolve(flags.output);
      const contacts = await writeParts(file, told);
      printResult(terminal, flags, { file, contacts }, () => `wrote ${file}, ${contacts} ${contacts === 1 ? "contact" : "contacts"}`);
    });
  });
}

/** No faster than they are read, so that they don't gather here. */
async function printParts(terminal: Terminal, parts: Parts): Promise<void> {
  for await (const { bytes } of parts) {
    terminal.out(bytes);
    await terminal.drained?.();
  }
}

/**
 * Under another name until it is whole, so that a part is never taken for all.
 * @returns how many contacts it holds
 * @throws ExitError when there is a file of this name, or none can be made
 */
async function writeParts(path: string, parts: Parts): Promise<number> {
  if (existsSync(path)) throw new ExitError(`${path} is there already: name another file, or take that one away`);
  const partial = `${path}.part`;
  const file = await openFile(partial);
  try {
    let contacts = 0;
    for await (const part of parts) {
      await file.write(part.bytes);
      contacts += part.contacts;
    }
    await file.sync();
    await rename(partial, path);
    return contacts;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "w", 0o600);
  } catch (error) {
    throw new ExitError(`${path} can't be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Tells a person how far it is, in one line that is gone in the end. */
async function* withProgress(terminal: Terminal, parts: Parts): AsyncGenerator<ExportPart, void, void> {
  let [contacts, toldAt] = [0, performance.now()];
  const clear = "\r\x1b[K";
  try {
    for await (const part of parts) {
      yield part;
      contacts += part.contacts;
      if (performance.now() - toldAt < TELL_EVERY_MS) continue;
      toldAt = performance.now();
      terminal.err(`${clear}${contacts} contacts`);
    }
  } finally {
    terminal.err(clear);
  }
}
