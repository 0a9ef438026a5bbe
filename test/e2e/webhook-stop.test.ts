import { beforeAll, expect, test } from "bun:test";
import type { WebhookStatistics } from "#src/modules/webhooks/model.ts";
import { executable } from "#test/support/executable.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { makeWebhook } from "#test/support/webhooks.ts";
import { connect, eventually } from "./api.ts";
import { startPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

const STOP_MS_MAX = 10_000;
const EVENTS = 40;

test("receivers that hang don't hold the stop over 10 s; what they had is delivered after the next start, the rest not again", async () => {
  using folder = tempFolder();
  await using receiver = openReceiver();
  const options = { folder: folder.path, env: { ALLOW_PRIVATE_WEBHOOKS: "true" } };
  await using first = await startPosthouse(options);
  const key = await first.sandboxKey();
  const caller = (await connect(first)).as(key);
  const paths = ["/hangs/1", "/hangs/2", "/good"];
  const ids: string[] = [];
  for (const path of paths) ids.push((await makeWebhook(caller, { url: receiver.url(path), events: ["contact.created"] })).id);
  for (const path of paths.slice(0, 2)) receiver.answer(path, () => new Promise(() => {}));
  for (let number = 0; number < EVENTS; number++) await caller.post("/v1/contacts", { external_id: `person-${number}` });
  await receiver.waitFor(EVENTS, "/good");
  await receiver.waitFor(10, "/hangs/2");
  const askedAt = performance.now();
  expect(await first.stop()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(STOP_MS_MAX);

  for (const path of paths) receiver.answer(path, () => 200);
  await using second = await startPosthouse(options);
  const again = (await connect(second)).as(key);
  for (const id of ids) {
    const left = async () => (await again.get<WebhookStatistics>(`/v1/webhooks/${id}/statistics`)).body;
    // A stop is no failure of the receiver: nothing of it is counted, and nothing waits for a second attempt.
    const { totals } = await eventually("something waits", left, ({ waiting, pending }) => waiting.events + pending === 0);
    expect(totals).toMatchObject({ attempts: EVENTS, failures: 0, delivered: EVENTS });
  }
  expect(receiver.ids("/good")).toHaveLength(EVENTS);
}, 30_000);
