import { expect, test } from "bun:test";
import { openDatabase } from "#db/open.ts";
import { silentLog } from "#src/core/log.ts";
import type { Delivery } from "#src/modules/webhooks/delivery-model.ts";
import { deliveryId } from "#src/modules/webhooks/delivery-id.ts";
import type { RunningServer } from "#src/server.ts";
import { type CommandLine, commandLine } from "#test/support/command-line.ts";
import { seed } from "#test/support/endpoints.ts";

interface Job {
  status: string;
  result: { replayed: number };
}

const author = (env_id: number) => ({ env_id, key_id: "command" });

/** Makes a webhook, three events, and what the first attempt at two of them came to. */
async function furnish({ db, services }: Pick<RunningServer, "db" | "services">) {
  const { id: env_id } = await db.read.selectFrom("environments").select("id").where("mode", "=", "test").executeTakeFirstOrThrow();
  const { id } = await db.write((tx) => services.webhooks.service.create(tx, author(env_id), { url: seed.url, events: ["contact.*"] }));
  for (const name of ["One", "Two", "Three"]) await db.write((tx) => services.contacts.upsert(tx, { env_id, actor: "command" }, { name }));
  const events = await db.read
    .selectFrom("events")
    .selectAll()
    .where("env_id", "=", env_id)
    .where("type", "=", "contact.created")
    .orderBy("seq")
    .execute();
  const rows = events.slice(0, 2).map(({ id: event_id, type, created_at }, at) => ({
    ...{ env_id, id: deliveryId(event_id, id), webhook_id: id, event_id, event_type: type, status: ["dead_letter", "delivered"][at]! },
    ...{ tries: 9, next_attempt_at: null, response_status: 500, is_test: 0, replayed_at: null, body: null, attempts: "[]" },
    ...{ created_at, updated_at: created_at },
  }));
  await db.write(async (tx) => {
    await db.in(tx).insertInto("deliveries").values(rows).execute();
    const { tx_id, seq } = events.at(-1)!;
    await db.in(tx).updateTable("webhook_states").set({ tx_id, seq }).where("webhook_id", "=", id).execute();
  });
  return { id, dead: rows[0]!.id, delivered: rows[1]!.id, contact: events[2]!.subject };
}

async function furnished(at: CommandLine) {
  await using server = await at.serve();
  return await furnish(server);
}

const since = ["--since", "2020-01-01T00:00:00Z"];

test("deliveries are listed, and narrowed by status", async () => {
  using at = commandLine();
  const { dead, delivered, id } = await furnished(at);
  const all = await at.json<{ items: Delivery[]; total: number }>("deliveries", "list", "--test");
  expect([all.items.map((one) => one.id), all.total]).toEqual([[delivered, dead], 2]);
  const few = await at.json<{ items: Delivery[] }>("deliveries", "list", "--test", "--status", "dead_letter", "--webhook", id);
  expect(few.items.map((one) => one.id)).toEqual([dead]);
  const { out } = await at.run("deliveries", "list", "--test", "--limit", "1");
  expect(out).toMatch(/^ID +WEBHOOK +EVENT +STATUS.*\ndlv_\w+ +wh_\w+ +contact\.created +delivered +9 +500/);
  expect((await at.run("deliveries", "list")).out).toBe("There is no delivery.\n");
});

test("deliveries replay takes ids, all of them or none", async () => {
  using at = commandLine();
  const { dead, delivered } = await furnished(at);
  expect(await at.run("deliveries", "replay", "--test", dead, "dlv_01HKQ9R2X30000000000000000")).toMatchObject({ code: 1, out: "" });
  expect((await at.json<{ items: Delivery[] }>("deliveries", "list", "--test", "--status", "pending")).items).toEqual([]);
  const { items } = await at.json<{ items: Delivery[] }>("deliveries", "replay", "--test", dead, delivered);
  expect(items).toMatchObject([
    { id: dead, status: "pending", tries: 0 },
    { id: delivered, status: "pending" },
  ]);
});

test("deliveries replay takes what failed since a time, or everything, where no serve runs", async () => {
  using at = commandLine();
  const { id, contact, dead } = await furnished(at);
  const replay = (...flags: string[]) => at.json<Job>("deliveries", "replay", "--test", "--webhook", id, ...since, ...flags);
  expect(await replay("--event", "contact.updated")).toMatchObject({ status: "done", result: { replayed: 0 } });
  expect(await replay()).toMatchObject({ result: { replayed: 1 } });
  expect((await at.json<{ items: Delivery[] }>("deliveries", "list", "--test", "--status", "pending")).items).toMatchObject([{ id: dead }]);
  expect(await replay("--all", "--contact", contact)).toMatchObject({ result: { replayed: 1 } });
  expect((await at.run("deliveries", "replay", "--test", "--webhook", id, ...since, "--all")).out).toBe("3 events are sent again\n");
});

test("deliveries replay leaves the work to a serve that runs", async () => {
  using at = commandLine();
  await using server = await at.serve();
  const { id } = await furnish(server);
  expect(await at.json<Job>("deliveries", "replay", "--test", "--webhook", id, ...since, "--all")).toMatchObject({
    status: "done",
    result: { replayed: 3 },
  });
});

test("deliveries replay says what is missing", async () => {
  using at = commandLine();
  const { id, dead } = await furnished(at);
  for (const [flags, words] of [
    [[], "--webhook"],
    [["--webhook", id], "--since"],
    [["--webhook", id, "--since", "yesterday"], "--since"],
    [[dead, "--all"], "--all"],
  ] as const)
    expect(await at.run("deliveries", "replay", "--test", ...flags)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining(words),
    });
  expect(await at.run("deliveries", "replay", "--webhook", id, ...since)).toMatchObject({ code: 1, out: "" });
  const db = openDatabase(`sqlite:${at.dataDir}/posthouse.db`, silentLog, {});
  await db.write((tx) => db.in(tx).updateTable("webhooks").set({ paused: 1 }).execute());
  await db.close();
  const paused = await at.run("deliveries", "replay", "--test", dead);
  expect(paused).toMatchObject({ code: 1, err: expect.stringContaining("paused: enable it first") });
});
