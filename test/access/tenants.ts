import { setup, type Tenant, type TestApp } from "#test/support/app.ts";
import { startBotApi } from "#test/support/bot-api/start.ts";
import type { TestEngine } from "#test/support/databases.ts";
import type { Operation } from "#test/support/openapi.ts";
import { upload } from "#test/support/filing.ts";
import { sendImport } from "#test/support/importing.ts";
import { countingKind, startCount } from "#test/support/tasks.ts";
import { movingOn } from "#test/support/test-clock.ts";
import { exampleOf, isRecord } from "./examples.ts";

/** What an environment holds, as its own key sees it. */
export interface Holdings {
  tenant: Tenant;
  /** Ids of the items of each list, by the list's path. */
  ids: Map<string, string[]>;
  /** Ids and texts by which its things are known. */
  marks: Set<string>;
  /** A cursor of each list that has two pages, by the list's path. */
  cursors: Map<string, string>;
}

export interface Town extends AsyncDisposable {
  app: TestApp;
  /** Two workspaces with two environments each, in all of which every example of the reference was posted. */
  holdings: readonly Holdings[];
}

/** Lists: what can be read without naming anything, and answers items. */
const isList = ({ method, parameters }: Operation) => method === "GET" && parameters.every((parameter) => parameter.in !== "path");
const isCreation = ({ method, path, body }: Operation) => method === "POST" && !path.includes("{") && body !== null;

export async function settleTown(engine: TestEngine): Promise<Town> {
  const telegram = await startBotApi();
  const app = await setup({ engine, apiRoot: telegram.url, taskKinds: (db) => [countingKind(db)] });
  const second = await app.makeWorkspace("Second");
  const holdings: Holdings[] = [];
  const tenants = [app.live, app.sandbox, second.live, second.sandbox];
  for (const [at, tenant] of tenants.entries()) await furnish(app, tenant, `of-tenant-${at}`, telegram.addBot);
  for (const [at, tenant] of tenants.entries()) holdings.push(await takeStock(app, tenant, `of-tenant-${at}`));
  return {
    app,
    holdings,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await telegram.stop();
    },
  };
}

type AddBot = (bot: { token: string }) => unknown;

/** Posts every example of the reference twice; what an environment can't have, such as a bot in a test one, it refuses. */
async function furnish(app: TestApp, tenant: Tenant, mark: string, addBot: AddBot): Promise<void> {
  const creations = app.client.reference.operations.filter(isCreation);
  for (const turn of [1, 2]) {
    for (const operation of creations) {
      const body = exampleOf(operation, { mark: `${mark}-${turn}`, account_id: tenant.mode === "test" ? 7421 : await someAccount(tenant) });
      if (typeof body.token === "string") addBot({ token: body.token });
      const answer = await tenant.post(operation.path, body, { "idempotency-key": `furnishing-${turn}` });
      if (answer.headers.has("idempotency-replayed")) throw new Error(`${tenant.name} got another's answer to ${operation.id}`);
    }
    await sendImport(app, tenant, `name,email\n${mark}-${turn},no address\n${mark}-${turn},\n`, "mode=upsert");
    await upload(app, tenant, `${mark}-${turn}`, `name=${mark}-${turn}`);
    // No operation of the reference begins one with a body of JSON.
    await startCount(app, tenant, { upTo: 2, mark: `${mark}-${turn}` });
    await mergeTwo(tenant, `${mark}-${turn}`);
    await sendTest(tenant);
  }
  // What moves the clock of a test environment looks now and then whether all is done.
  await movingOn(app.clock, app.settled(), 1);
}

/** A merge needs two contacts, of which an example can name none. */
async function mergeTwo(tenant: Tenant, mark: string): Promise<void> {
  const [stays, goes] = await Promise.all(
    ["one", "two"].map((name) => tenant.post<{ id: string }>("/v1/contacts", { name: `${name} ${mark}` })),
  );
  const { status } = await tenant.post(`/v1/contacts/${stays!.body.id}/merge`, { contact_id: goes!.body.id });
  if (status !== 200) throw new Error(`${tenant.name} could not merge two contacts`);
}

/** Deliveries come by what happens, or by asking for one. */
async function sendTest(tenant: Tenant): Promise<void> {
  const { body } = await tenant.get<{ items: { id: string }[] }>("/v1/webhooks?limit=1");
  const { status } = await tenant.post(`/v1/webhooks/${body.items[0]!.id}/test`, {});
  if (status !== 202) throw new Error(`${tenant.name} could not test a webhook`);
}

async function someAccount(tenant: Tenant): Promise<number> {
  const { body } = await tenant.get<{ items: { id: number }[] }>("/v1/accounts");
  return body.items[0]?.id ?? 1;
}

async function takeStock(app: TestApp, tenant: Tenant, mark: string): Promise<Holdings> {
  const holdings: Holdings = { tenant, ids: new Map(), marks: new Set([mark]), cursors: new Map() };
  for (const operation of app.client.reference.operations.filter(isList)) {
    const { body, text } = await tenant.get(operation.path);
    for (const [id] of text.matchAll(/\b[a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{26}\b/g)) holdings.marks.add(id);
    if (!isRecord(body) || !Array.isArray(body.items)) continue;
    const items = body.items as { id: unknown }[];
    holdings.ids.set(
      operation.path,
      items.map(({ id }) => String(id)),
    );
    if (!operation.parameters.some(({ name }) => name === "limit")) continue;
    const first = await tenant.get<{ next_cursor: string | null }>(`${operation.path}?limit=1`);
    if (first.body.next_cursor !== null) holdings.cursors.set(operation.path, first.body.next_cursor);
  }
  return holdings;
}

/** What must not be seen by one of them: everything of the other that is not its own too, as a workspace's own id is. */
export function foreignMarks(own: Holdings, other: Holdings): string[] {
  return [...other.marks].filter((mark) => !own.marks.has(mark));
}

/** The ids of the list that a path with `{id}` belongs to, such as `/v1/messages` for `/v1/messages/{id}/cancel`, or of the jobs. */
export function idsFor(operation: Operation, { ids }: Holdings): string[] {
  if (operation.path.includes("{job_id}")) return ids.get("/v1/jobs") ?? [];
  return ids.get(operation.path.slice(0, operation.path.indexOf("/{"))) ?? [];
}
