import type { Command } from "commander";
import type { Database } from "#db/database.ts";
import { AppError } from "#src/core/errors.ts";
import { scopes } from "#src/core/principal.ts";
import { type FilterAsk, readFilter } from "#src/modules/events/filter.ts";
import { type Event, eventTypes } from "#src/modules/events/model.ts";
import type { EventService } from "#src/modules/events/service.ts";
import { wholeNumber } from "./check-flags.ts";
import { createCommand, createGroup, ExitError, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { environmentOptions, findEnvironment, type PlaceFlags } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";

type Flags = SettingFlags & JsonFlag & PlaceFlags & { lines: string; after?: string; type?: string; follow: boolean };

const LOOK_EVERY_MS = 200;
const PAGE = 200;
const allScopes: ReadonlySet<string> = new Set(scopes);

export function eventsCommand(terminal: Terminal): Command {
  const texts = { summary: "Watch what happens.", examples: ["events tail", "events tail --test"] };
  return createGroup(terminal, "events", texts, [tail(terminal)]);
}

function tail(terminal: Terminal): Command {
  const texts = {
    summary: "Print the last events of an environment, and new ones as they come, until it is interrupted.",
    details: "With --json it prints those that are there, as one document, and ends.",
    examples: ["events tail", "events tail --test --type message.failed,contact.*", "events tail --no-follow --json"],
  };
  const command = createCommand(terminal, "tail", texts)
    .option("--lines <number>", "how many of those that are there to begin with", "10")
    .option("--after <id>", "begin after this event instead")
    .option("--type <names>", "only these, separated by commas; all of a kind as message.*")
    .option("--no-follow", "end after those that are there");
  for (const option of [...environmentOptions(), jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((flags: Flags) =>
    withData(terminal, flags, async ({ db, services }) => {
      const { env_id } = await findEnvironment(services, flags);
      const ask = flags.type === undefined ? {} : { type: flags.type };
      const types = readTypes(ask);
      const start = flags.after ?? (await eventBefore(db, env_id, types, wholeNumber("--lines", flags.lines) ?? 0));
      const read = (after: string | undefined) => readAll(services.events, env_id, ask, after);
      const { items, last } = await read(start);
      if (flags.json === true) return printResult(terminal, flags, { items }, () => "");
      for (const event of items) terminal.out(renderLine(event));
      if (flags.follow) await follow(terminal, read, last);
    }),
  );
}

/** @throws ExitError with code 2 for a name that is not known, with those that are */
function readTypes(ask: FilterAsk): readonly string[] {
  try {
    return readFilter(ask, allScopes).types;
  } catch (error) {
    throw error instanceof AppError ? new ExitError(`error: --type ${JSON.stringify(ask.type)}: ${error.message}`, 2) : error;
  }
}

/** The place in the log that has so many events of these types behind it; undefined is its beginning. */
async function eventBefore(db: Database, env_id: number, types: readonly string[], count: number): Promise<string | undefined> {
  const row = await db.read
    .selectFrom("events")
    .select("id")
    .where("env_id", "=", env_id)
    // Before none of them is the log's end, whatever stands there.
    .where("type", "in", count === 0 ? eventTypes : types)
    .orderBy("tx_id", "desc")
    .orderBy("seq", "desc")
    .offset(count)
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

interface Read {
  items: Event[];
  last: string | undefined;
}

async function readAll(events: EventService, env_id: number, ask: FilterAsk, after: string | undefined): Promise<Read> {
  const items: Event[] = [];
  let last = after;
  for (let more = true; more;) {
    const page = await events.list(env_id, allScopes, { ...ask, limit: PAGE, ...(last === undefined ? {} : { after: last }) });
    items.push(...page.items);
    last = page.next_cursor ?? undefined;
    more = page.has_more;
  }
  return { items, last };
}

async function follow(terminal: Terminal, read: (after: string | undefined) => Promise<Read>, after: string | undefined): Promise<void> {
  const interrupted = new Promise<true>((resolve) => {
    process.once("SIGINT", () => resolve(true)).once("SIGTERM", () => resolve(true));
  });
  let place = after;
  do {
    const { items, last } = await read(place);
    for (const event of items) terminal.out(renderLine(event));
    place = last;
  } while (!(await Promise.race([interrupted, Bun.sleep(LOOK_EVERY_MS)])));
}

function renderLine({ created_at, event, subject, data }: Event): string {
  const { to, text, status_reason, error } = data as {
    to?: string;
    text?: string;
    status_reason?: string;
    error?: { code: string } | null;
  };
  const words = [to, text === undefined ? undefined : JSON.stringify(text), error?.code, status_reason];
  return `${[created_at, event.padEnd(21), subject, ...words.filter(Boolean)].join("  ")}\n`;
}
