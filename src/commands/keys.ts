import type { Command } from "commander";
import { AppError } from "#src/core/errors.ts";
import { scopes } from "#src/core/principal.ts";
import { type CreatedKey, type Key, NewKey, RotateKey } from "#src/modules/keys/model.ts";
import type { Services } from "#src/services.ts";
import { checkFlags, commaList, wholeNumber } from "./check-flags.ts";
import { createCommand, createGroup, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { environmentOptions, environmentsOf, findEnvironment, type Place, type PlaceFlags, workspaceOption } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { renderFields, renderTable } from "./table.ts";

type Flags = SettingFlags &
  JsonFlag &
  PlaceFlags & { name?: string; scopes?: string; rateLimit?: string; expires?: string; accounts?: string; overlap?: string };

export function keysCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Make, list, rotate and revoke API keys.",
    examples: ["keys create --name ci --scopes write:messages --test", "keys list"],
  };
  return createGroup(terminal, "keys", texts, [createOne(terminal), list(terminal), rotate(terminal), revoke(terminal)]);
}

function createOne(terminal: Terminal): Command {
  const texts = {
    summary: "Make a key, and print it this once.",
    details: `Scopes: ${scopes.join(", ")}.`,
    examples: [
      "keys create --name production --scopes write:messages,read:messages",
      "keys create --name ci --scopes write:messages --test --json",
      "keys create --name temp --scopes read:messages --env staging --expires 2030-01-01T00:00:00Z",
    ],
  };
  const command = createCommand(terminal, "create", texts)
    .requiredOption("--name <name>", "what you will know it by")
    .requiredOption("--scopes <list>", "what it may do, separated by commas")
    .option("--rate-limit <number>", "requests a minute; default: the plan's")
    .option("--expires <time>", "when it ends, such as 2030-01-01T00:00:00Z; default: never")
    .option("--accounts <list>", "ids of the accounts that it is bound to; default: all");
  for (const option of environmentOptions()) command.addOption(option);
  return withCommonOptions(command).action((flags: Flags) =>
    withData(terminal, flags, async ({ db, services }) => {
      const ask = checkFlags(NewKey, {
        name: flags.name,
        scopes: commaList(flags.scopes),
        rate_limit: wholeNumber("--rate-limit", flags.rateLimit),
        expires_at: flags.expires,
        account_ids: commaList(flags.accounts)?.map((id) => wholeNumber("--accounts", id)),
      });
      const place = await findEnvironment(services, flags);
      const key = await db.write((tx) => services.keys.create(tx, { ...place, scopes: null }, ask));
      printKey(terminal, flags, key);
    }),
  );
}

function list(terminal: Terminal): Command {
  const texts = { summary: "List the keys of a workspace.", examples: ["keys list", "keys list --env live", "keys list --json"] };
  const command = createCommand(terminal, "list", texts).option("--env <name>", "of this environment alone").addOption(workspaceOption());
  return withCommonOptions(command).action((flags: Flags) =>
    withData(terminal, flags, async ({ services }) => {
      const places = flags.env === undefined ? await environmentsOf(services, flags) : [await findEnvironment(services, flags)];
      const items: Key[] = [];
      for (const place of places) items.push(...(await allKeys(services, place)));
      printResult(terminal, flags, { items }, () => renderTable(titles, items.map(toRow), "There is no key."));
    }),
  );
}

function rotate(terminal: Terminal): Command {
  const texts = {
    summary: "Make a successor of a key, and print it this once. The old key works until the overlap ends.",
    examples: ["keys rotate key_01HKQ9R2X3ABCDEFGHJKMNPQRS", "keys rotate key_01HKQ9R2X3ABCDEFGHJKMNPQRS --overlap 0"],
  };
  const command = createCommand(terminal, "rotate", texts)
    .argument("<id>", "the key's id, as keys list shows it")
    .option("--overlap <seconds>", "how long the old key still works; default: a day");
  return withCommonOptions(command).action((id: string, flags: Flags) =>
    withData(terminal, flags, async ({ db, services }) => {
      const ask = checkFlags(RotateKey, { overlap_seconds: wholeNumber("--overlap", flags.overlap) });
      const place = await placeOfKey(services, id);
      printKey(terminal, flags, await db.write((tx) => services.keys.rotate(tx, { ...place, scopes: null }, id, ask)));
    }),
  );
}

function revoke(terminal: Terminal): Command {
  const texts = { summary: "End a key at once.", examples: ["keys revoke key_01HKQ9R2X3ABCDEFGHJKMNPQRS"] };
  const command = createCommand(terminal, "revoke", texts).argument("<id>", "the key's id, as keys list shows it");
  return withCommonOptions(command).action((id: string, flags: Flags) =>
    withData(terminal, flags, async ({ db, services }) => {
      const place = await placeOfKey(services, id);
      await db.write((tx) => services.keys.revoke(tx, { ...place, scopes: null }, id));
      const key = await services.keys.get(place, id);
      printResult(terminal, flags, key, () => `revoked ${key.id} (${key.name})`);
    }),
  );
}

function withCommonOptions(command: Command): Command {
  for (const option of [jsonOption(), ...dataOptions()]) command.addOption(option);
  return command;
}

const PAGE = 200;

async function allKeys({ keys }: Services, place: Place): Promise<Key[]> {
  const items: Key[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await keys.list(place, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

/** Ids are unique, so the environment needn't be given. @throws AppError `not_found` */
async function placeOfKey(services: Services, id: string): Promise<Place> {
  for (const { public_id } of await services.workspaces.all())
    for (const place of await environmentsOf(services, { workspace: public_id })) if (await hasKey(services, place, id)) return place;
  throw new AppError("not_found", `There is no key ${id}; posthouse keys list shows those that there are.`);
}

async function hasKey({ keys }: Services, place: Place, id: string): Promise<boolean> {
  try {
    await keys.get(place, id);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return false;
    throw error;
  }
}

function printKey(terminal: Terminal, flags: Flags, key: CreatedKey): void {
  const { id, name, environment, scopes, rate_limit, expires_at } = key;
  printResult(terminal, flags, key, () =>
    [
      key.key,
      "",
      renderFields({
        id,
        name,
        environment,
        scopes: scopes.join(","),
        rate_limit: `${rate_limit} a minute`,
        expires_at: expires_at ?? "never",
      }),
    ].join("\n"),
  );
  terminal.err("Keep the key now: it is never shown again.\n");
}

const titles = ["ID", "NAME", "ENVIRONMENT", "HINT", "SCOPES", "STATE", "LAST USED"];

function toRow({ id, name, environment, mode, hint, scopes, revoked_at, expires_at, last_used_at }: Key): string[] {
  const state = revoked_at === null ? (expires_at === null ? "works" : `until ${expires_at}`) : "revoked";
  return [id, name, environment, `cs_${mode}_${hint}_…`, scopes.join(","), state, last_used_at ?? "never"];
}
