import { describe, expect, test } from "bun:test";
import type { TestApp } from "#test/support/app.ts";
import { appEngines } from "#test/support/app.ts";
import type { Answer } from "#test/support/client.ts";
import type { Operation } from "#test/support/openapi.ts";
import { addressOf, exampleOf } from "./examples.ts";
import { foreignMarks, type Holdings, idsFor, settleTown, type Town } from "./tenants.ts";

/** Who asks, and whose things are asked for: another environment of the same workspace, and those of another. */
function pairs({ holdings }: Town): [Holdings, Holdings][] {
  return holdings.flatMap((own) => holdings.filter((other) => other !== own).map((other): [Holdings, Holdings] => [own, other]));
}

function ask({ client }: TestApp, { tenant }: Holdings, operation: Operation, address: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${tenant.key}`, "content-type": "application/json" };
  const body = operation.body === null ? null : JSON.stringify(exampleOf(operation, { mark: "intruder" }));
  return client.send(new Request(`http://localhost${address}`, { method: operation.method, headers, body }));
}

/** What the environments of one workspace share; who made an environment is told in the audit of the live one too. */
const ofTheWorkspace = new Set(["workspace.get", "environments.list", "audit.list"]);

/** What a key of a live environment is refused. */
const ofTestEnvironments = new Set(["clock.get"]);

/** What of the other's an answer shows, apart from what the request itself said. */
function leaks(own: Holdings, other: Holdings, address: string, answer: Answer): string[] {
  return foreignMarks(own, other).filter((mark) => !address.includes(mark) && answer.text.includes(mark));
}

/** All rows of an environment, but for what a request itself leaves: its key's last use and its kept answer. */
async function rowsOf({ db }: TestApp, { tenant }: Holdings): Promise<unknown> {
  const tables = [
    "messages",
    "accounts",
    "jobs",
    "lanes",
    "events",
    "chats",
    "suppressions",
    "contacts",
    "contact_tags",
    "contact_values",
    "fields",
    "score_rules",
    "score_settings",
    "contact_points",
    "segments",
    "merges",
    "merge_messages",
    "audit",
    "tasks",
    "templates",
    "template_versions",
    "imports",
    "import_chunks",
    "import_failures",
    "import_changes",
    "webhooks",
    "webhook_states",
    "webhook_hours",
    "deliveries",
    "files",
    "clocks",
  ] as const;
  const rows = await Promise.all(
    tables.map((table) => db.read.selectFrom(table).selectAll().where("env_id", "=", tenant.env_id).execute()),
  );
  const keys = await db.read
    .selectFrom("keys")
    .select(["id", "name", "scopes", "revoked_at", "expires_at"])
    .where("env_id", "=", tenant.env_id)
    .execute();
  // Without an order of their own: PostgreSQL gives rows in the order in which it happens to read them.
  const lists = rows.map((list, at) => list.map((row) => JSON.stringify(tables[at] === "lanes" ? { ...row, lease_until: null } : row)));
  return [...lists, keys.map((row) => JSON.stringify(row))].map((list) => list.toSorted());
}

describe.each(appEngines)("environments never meet on %s:", (engine) => {
  test("another's id in a path is a 404, and changes nothing", async () => {
    await using town = await settleTown(engine);
    const named = town.app.client.reference.operations.filter(({ path, scopes }) => path.includes("{") && scopes !== null);
    const before = await Promise.all(town.holdings.map((one) => rowsOf(town.app, one)));
    for (const operation of named) {
      expect([operation.id, town.holdings.some((one) => idsFor(operation, one).length > 0)]).toEqual([operation.id, true]);
      for (const [own, other] of pairs(town)) {
        // Every test environment has an account 7421 of its own.
        const foreign = idsFor(operation, other).filter((id) => !idsFor(operation, own).includes(id));
        for (const id of foreign) {
          const address = addressOf(operation, id);
          const answer = await ask(town.app, own, operation, address);
          expect([operation.id, id, answer.status]).toEqual([operation.id, id, 404]);
          expect(answer.text.replaceAll(address, "")).not.toContain(id);
          expect(leaks(own, other, address, answer)).toEqual([]);
        }
      }
    }
    expect(await Promise.all(town.holdings.map((one) => rowsOf(town.app, one)))).toEqual(before);
  });

  test("no answer shows anything of another's, whatever a list is filtered by", async () => {
    await using town = await settleTown(engine);
    const readable = town.app.client.reference.operations.filter(({ method, path }) => method === "GET" && !path.includes("{"));
    for (const operation of readable) {
      for (const [own, other] of pairs(town)) {
        if (own.tenant.workspace_id === other.tenant.workspace_id && ofTheWorkspace.has(operation.id)) continue;
        const values = [...[...other.ids.values()].flatMap((ids) => ids.slice(0, 2)), ...other.cursors.values(), "@sarah_miller"];
        const filters = operation.parameters.filter((parameter) => parameter.in === "query");
        const queries = filters.flatMap(({ name }) => values.map((value) => `?${name}=${encodeURIComponent(value)}`));
        const addresses = ["", ...queries].map((query) => operation.path + query);
        const answers = await Promise.all(addresses.map((address) => ask(town.app, own, operation, address)));
        for (const [at, address] of addresses.entries()) {
          expect(own.tenant.mode === "live" && ofTestEnvironments.has(operation.id) ? [403] : [200, 422]).toContain(answers[at]!.status);
          expect([address, ...leaks(own, other, address, answers[at]!)]).toEqual([address]);
        }
      }
    }
    // Every list by every filter with every id of three others: long on a machine that does other things too.
  }, 60_000);

  test("another's cursor is a bad cursor", async () => {
    await using town = await settleTown(engine);
    for (const [own, other] of pairs(town)) {
      for (const [path, cursor] of other.cursors) {
        const follow = path === "/v1/events" ? "after" : "cursor";
        const answer = await own.tenant.get<{ code: string; details: { field: string }[] }>(`${path}?${follow}=${cursor}`);
        expect([path, answer.status, answer.body.code, answer.body.details[0]!.field]).toEqual([path, 422, "validation_error", follow]);
      }
    }
    expect(town.holdings.flatMap(({ cursors }) => [...cursors.keys()])).toContain("/v1/messages");
  });

  test("an id of another's in a body names nothing", async () => {
    await using town = await settleTown(engine);
    for (const [own, other] of pairs(town)) {
      const account = other.ids.get("/v1/accounts")!.find((id) => id !== "7421");
      if (account !== undefined) {
        const sent = await own.tenant.post("/v1/messages/send", { account_id: Number(account), to: "@sarah_miller", text: "intruding" });
        expect(sent.status).toBe(404);
      }
      const [message] = other.ids.get("/v1/messages")!;
      const [mine] = own.ids.get("/v1/accounts")!;
      const reply = await own.tenant.post("/v1/messages/send", {
        account_id: Number(mine),
        to: "@sarah_miller",
        text: "intruding",
        reply_to: message,
      });
      expect(reply.status).toBe(422);
      const [template] = other.ids.get("/v1/templates")!;
      const by = { account_id: Number(mine), to: "@sarah_miller", template_id: template, variables: { invoice: "4711", due: "Friday" } };
      expect((await own.tenant.post("/v1/messages/send", by)).status).toBe(404);
    }
  });
});
