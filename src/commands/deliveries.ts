import { type Command, Option } from "commander";
import { PAGE_MAX } from "#src/core/page.ts";
import { type Delivery, type DeliveryQuery, deliveryStatuses } from "#src/modules/webhooks/delivery-model.ts";
import type { DeliveryService } from "#src/modules/webhooks/deliveries.ts";
import { wholeNumber } from "./check-flags.ts";
import { createCommand, createGroup, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { deliveriesReplayCommand } from "./deliveries-replay.ts";
import { environmentOptions, findEnvironment, type PlaceFlags } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { renderTable } from "./table.ts";

type Flags = SettingFlags & JsonFlag & PlaceFlags & { status?: Delivery["status"]; webhook?: string; event?: string; limit: string };

export function deliveriesCommand(terminal: Terminal): Command {
  const texts = {
    summary: "See what webhooks have got, and send it again.",
    examples: ["deliveries list --status dead_letter", "deliveries replay dlv_01HKQ9R2X30000007Q3XR5TA2B"],
  };
  return createGroup(terminal, "deliveries", texts, [list(terminal), deliveriesReplayCommand(terminal)]);
}

function list(terminal: Terminal): Command {
  const texts = {
    summary: "List the deliveries of an environment, the newest event first.",
    examples: [
      "deliveries list",
      "deliveries list --status dead_letter --limit 200",
      "deliveries list --webhook wh_01HKQ9R2X30000000000000000 --event contact.created --test --json",
    ],
  };
  const command = createCommand(terminal, "list", texts)
    .addOption(new Option("--status <status>", "only these").choices(deliveryStatuses))
    .option("--webhook <id>", "only of this webhook")
    .option("--event <name>", "only of events of this name")
    .option("--limit <number>", "how many at most", "50");
  for (const option of [...environmentOptions(), jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((flags: Flags) =>
    withData(terminal, flags, async ({ services }) => {
      const { env_id } = await findEnvironment(services, flags);
      const { status, webhook: webhook_id, event } = flags;
      const query: DeliveryQuery = {
        ...(status === undefined ? {} : { status }),
        ...(webhook_id === undefined ? {} : { webhook_id }),
        ...(event === undefined ? {} : { event }),
      };
      const most = wholeNumber("--limit", flags.limit) ?? 0;
      const { items, total, total_capped } = await read(services.webhooks.deliveries, env_id, query, most);
      const document = { items, total, ...(total_capped ? { total_capped } : {}) };
      printResult(terminal, flags, document, () => renderTable(titles, items.map(toRow), "There is no delivery."));
      if (flags.json === true || items.length === total) return;
      terminal.err(`${items.length} of ${total_capped ? "more than " : ""}${total}: --limit shows more.\n`);
    }),
  );
}

/** Reads page by page, since a page has fewer than may be asked for. */
async function read(deliveries: DeliveryService, env_id: number, query: DeliveryQuery, most: number) {
  const items: Delivery[] = [];
  for (let cursor: string | undefined; ;) {
    const limit = Math.max(1, Math.min(PAGE_MAX, most - items.length));
    const page = await deliveries.list(env_id, { ...query, limit, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items.slice(0, most - items.length));
    if (page.next_cursor === null || items.length >= most) return { items, total: page.total, total_capped: page.total_capped === true };
    cursor = page.next_cursor;
  }
}

const titles = ["ID", "WEBHOOK", "EVENT", "STATUS", "TRIES", "ANSWER", "NEXT ATTEMPT"];

function toRow({ id, webhook_id, event, status, tries, response_status, next_attempt_at }: Delivery): string[] {
  return [id, webhook_id, event, status, String(tries), response_status === null ? "" : String(response_status), next_attempt_at ?? ""];
}
