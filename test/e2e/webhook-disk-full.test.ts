import { beforeAll, describe, expect, test } from "bun:test";
import type { WebhookStatistics } from "#src/modules/webhooks/model.ts";
import { executable } from "#test/support/executable.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { makeWebhook } from "#test/support/webhooks.ts";
import { connect, eventually } from "./api.ts";
import { startPosthouse } from "./posthouse.ts";
import { smallDisks } from "./small-disk.ts";

beforeAll(() => executable(), 60_000);

const PEOPLE = 300;

describe.each(smallDisks)("when %s", (_title, makeDisk) => {
  test("outcomes of deliveries are kept until there is room, and nothing is delivered twice or lost", async () => {
    using disk = makeDisk();
    await using receiver = openReceiver();
    const env = { ALLOW_PRIVATE_WEBHOOKS: "true" };
    await using posthouse = await startPosthouse({ folder: disk.path, launcher: disk.launcher, env });
    const caller = (await connect(posthouse)).as(await posthouse.sandboxKey());
    const { id } = await makeWebhook(caller, { url: receiver.url(), events: ["contact.created"], retry: { schedule: [1] } });
    const gate = Promise.withResolvers<number>();
    receiver.answer("/hook", (_, earlier) => (earlier === 0 ? gate.promise : 200));
    const contacts = Array.from({ length: PEOPLE }, (_, number) => ({ external_id: `person-${number}` }));
    expect((await caller.post("/v1/contacts/batch", { contacts })).status).toBe(200);
    await receiver.waitFor(10);
    disk.fill(posthouse.pid);
    const upsert = () => caller.post("/v1/contacts", { external_id: crypto.randomUUID() });
    await eventually("contacts are still taken", upsert, ({ status }) => status === 503);
    const taken = (await caller.get<{ total: number }>("/v1/contacts?limit=1")).body.total;
    gate.resolve(200);
    // Delivering goes on meanwhile: there is room in memory for what comes of it.
    await receiver.waitFor(taken);
    await posthouse.logged("outcomes of deliveries could not be recorded; they are kept and written again");

    disk.makeRoom();
    const left = async () => (await caller.get<WebhookStatistics>(`/v1/webhooks/${id}/statistics`)).body;
    const isSettled = ({ waiting, pending }: WebhookStatistics) => waiting.events + pending === 0;
    const { totals } = await eventually("something waits", left, isSettled);
    expect(totals).toMatchObject({ attempts: taken, delivered: taken, failures: 0 });
    expect(receiver.ids()).toHaveLength(taken);
    expect(await posthouse.stop()).toBe(0);
  }, 40_000);
});
