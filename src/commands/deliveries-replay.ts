import type { Command } from "commander";
import type { Delivery } from "#src/modules/webhooks/delivery-model.ts";
import { ReplayDeliveries } from "#src/modules/webhooks/delivery-model.ts";
import { checkFlags } from "./check-flags.ts";
import { createCommand, ExitError, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { environmentOptions, findEnvironment, type PlaceFlags } from "./find-environment.ts";
import { followTask } from "./follow-task.ts";
import { type Data, dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { renderTable } from "./table.ts";

interface Many {
  webhook?: string;
  since?: string;
  until?: string;
  event?: string;
  contact?: string;
  all?: true;
}
type Flags = SettingFlags & JsonFlag & PlaceFlags & Many;

export function deliveriesReplayCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Send events to webhooks again: some deliveries, or all that failed since a time.",
    details: "Each event keeps its id. A running `posthouse serve` sends them; without one they wait for the next.",
    examples: [
      "deliveries replay dlv_01HKQ9R2X30000007Q3XR5TA2B",
      "deliveries replay --webhook wh_01HKQ9R2X30000000000000000 --since 2026-05-06T00:00:00Z",
      "deliveries replay --webhook wh_01HKQ9R2X30000000000000000 --since 2026-05-06T00:00:00Z --event contact.created --all --json",
    ],
  };
  const command = createCommand(terminal, "replay", texts)
    .argument("[deliveries...]", "ids of deliveries")
    .option("--webhook <id>", "instead: what failed of this webhook")
    .option("--since <time>", "of events that happened at this time or later, such as 2026-05-06T00:00:00Z")
    .option("--until <time>", "of events that happened before this time")
    .option("--event <name>", "only of events of this name")
    .option("--contact <id>", "only of events about this contact")
    .option("--all", "every event that the webhook asks for, delivered or not, also those that it never got");
  for (const option of [...environmentOptions(), jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((ids: string[], flags: Flags) => {
    const { webhook } = flags;
    if (ids.length > 0) {
      const other = (["webhook", "since", "until", "event", "contact", "all"] as const).find((name) => flags[name] !== undefined);
      if (other !== undefined) throw new ExitError(`--${other} chooses among many: leave out the ids, or the flag`, 2);
      return withData(terminal, flags, (data) => replaySome(terminal, flags, data, ids));
    }
    if (webhook === undefined) throw new ExitError("name deliveries by their ids, or a webhook with --webhook and --since", 2);
    if (flags.since === undefined) throw new ExitError("add --since with the time from which on it is done", 2);
    return withData(terminal, flags, (data) => replayMany(terminal, flags, data, webhook));
  });
}

async function replaySome(terminal: Terminal, flags: Flags, { db, services }: Data, ids: readonly string[]): Promise<void> {
  const { env_id } = await findEnvironment(services, flags);
  // All of them, or none where one can't be.
  const items = await db.write(async (tx) => {
    const replayed: Delivery[] = [];
    for (const id of ids) replayed.push(await services.webhooks.deliveries.replay(tx, env_id, id));
    return replayed;
  });
  const rows = items.map(({ id, webhook_id, event, event_id }) => [id, webhook_id, event, event_id]);
  printResult(terminal, flags, { items }, () => renderTable(["ID", "WEBHOOK", "EVENT", "EVENT ID"], rows, ""));
}

async function replayMany(terminal: Terminal, flags: Flags, data: Data, webhook_id: string): Promise<void> {
  const { db, services } = data;
  const { since, until, event, contact: contact_id, all } = flags;
  const ask = checkFlags(ReplayDeliveries, { since, until, event, contact_id, which: all === true ? "all" : "failed" });
  const { env_id } = await findEnvironment(services, flags);
  const { id } = await db.write((tx) => services.webhooks.deliveries.replayMany(tx, env_id, webhook_id, ask));
  const task = await followTask(terminal, data, env_id, id, { scope: "manage:webhooks", what: "The replay", unit: "events" });
  const { replayed } = task.result as { replayed: number };
  printResult(terminal, flags, task, () => `${replayed} ${replayed === 1 ? "event is" : "events are"} sent again`);
  if (task.status !== "done")
    throw new ExitError(task.error === null ? `the job ${id} is ${task.status}` : `failed: ${task.error.message}`);
}
