import type { Command } from "commander";
import { PAGE_MAX } from "#src/core/page.ts";
import type { Contact, ContactFilter } from "#src/modules/contacts/model.ts";
import type { ContactService } from "#src/modules/contacts/service.ts";
import { wholeNumber } from "./check-flags.ts";
import { createCommand, createGroup, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { type ContactFilterFlags, contactFilterOf, contactFilterOptions } from "./contact-filter.ts";
import { contactsExportCommand } from "./contacts-export.ts";
import { contactsImportCommand } from "./contacts-import.ts";
import { environmentOptions, findEnvironment, type PlaceFlags } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { renderTable } from "./table.ts";

type Flags = SettingFlags & JsonFlag & PlaceFlags & ContactFilterFlags & { limit: string };

export function contactsCommand(terminal: Terminal): Command {
  const texts = {
    summary: "List, import and export contacts.",
    examples: ["contacts list --search sarah", "contacts import contacts.csv", "contacts export --output contacts.csv"],
  };
  return createGroup(terminal, "contacts", texts, [list(terminal), contactsImportCommand(terminal), contactsExportCommand(terminal)]);
}

function list(terminal: Terminal): Command {
  const texts = {
    summary: "List the contacts of an environment, the newest first.",
    examples: [
      "contacts list",
      'contacts list --search "sarah mil"',
      'contacts list --segment "Trials to write to"',
      "contacts list --tag trial --limit 200 --test --json",
    ],
  };
  const command = createCommand(terminal, "list", texts).option("--limit <number>", "how many at most", "50");
  for (const option of [...contactFilterOptions(), ...environmentOptions(), jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((flags: Flags) =>
    withData(terminal, flags, async ({ services }) => {
      const { env_id } = await findEnvironment(services, flags);
      const filter = await contactFilterOf(services.segments, env_id, flags);
      const most = wholeNumber("--limit", flags.limit) ?? 0;
      const { items, total, total_capped } = await read(services.contacts, env_id, filter, most);
      const document = { items, total, ...(total_capped ? { total_capped } : {}) };
      printResult(terminal, flags, document, () => renderTable(titles, items.map(toRow), "There is no contact."));
      if (flags.json === true || items.length === total) return;
      terminal.err(`${items.length} of ${total_capped ? "more than " : ""}${total}: --limit shows more.\n`);
    }),
  );
}

/** Reads page by page, since a page has fewer than may be asked for. */
async function read(contacts: ContactService, env_id: number, filter: ContactFilter, most: number) {
  const items: Contact[] = [];
  for (let cursor: string | undefined; ;) {
    const limit = Math.max(1, Math.min(PAGE_MAX, most - items.length));
    const page = await contacts.list(env_id, filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items.slice(0, most - items.length));
    if (page.next_cursor === null || items.length >= most) return { items, total: page.total, total_capped: page.total_capped === true };
    cursor = page.next_cursor;
  }
}

const titles = ["ID", "NUMBER", "NAME", "USERNAME", "EMAIL", "PHONE", "TAGS"];

function toRow({ id, number, name, username, email, phone, tags }: Contact): string[] {
  const cells = [id, String(number), name, username === null ? null : `@${username}`, email, phone, tags.join(", ")];
  return cells.map((cell) => cell ?? "");
}
