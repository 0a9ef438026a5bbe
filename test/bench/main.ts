import { parseArgs } from "node:util";
import { contacts } from "./contacts.ts";
import { inbound } from "./inbound.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { postgres } from "./postgres.ts";
import { type Figure, type Skipped, toJson, toTable } from "./report.ts";
import { progress } from "./rounds.ts";
import { jobs } from "./jobs.ts";
import { sends } from "./sends.ts";
import { sequences } from "./sequences.ts";
import { webhooks } from "./webhooks.ts";

const benches: Record<string, () => Promise<Figure | Skipped | (Figure | Skipped)[]>> = {
  sends,
  postgres,
  jobs,
  memory,
  latency,
  contacts,
  webhooks,
  inbound,
  sequences,
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "boolean", default: false } } });
const unknown = positionals.find((name) => benches[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(`There is no bench ${unknown}: give some of ${Object.keys(benches).join(" ")}, or nothing for all.\n`);
  process.exit(2);
}

const results: (Figure | Skipped)[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
  progress(name);
  results.push(...[await benches[name]!()].flat());
}
process.stdout.write(values.json ? toJson(results) : toTable(results));
