import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";
import { openReceiver } from "#test/support/receiver.ts";
import { addEndpoint } from "#test/support/webhooks.ts";

describe.each(appEngines)("delivering on %s", (engine) => {
  test("an event arrives with the form of the log", async () => {
    await using app = await setup({ engine });
    await using receiver = openReceiver();
    await addEndpoint(app, app.sandbox.env_id, receiver.url());
    await app.sandbox.post("/v1/messages/send", { account_id: 7421, to: "@sarah", text: "Hello" });
    await receiver.waitFor(2);
    await app.services.relay.settled();
    const rows = await app.db.read.selectFrom("deliveries").selectAll().execute();
    expect(rows.map((r) => [r.status, r.event_type])).toEqual([["delivered", "message.queued"], ["delivered", "message.sent"]]);
    console.log(rows[0], receiver.received[0]?.headers.toJSON(), receiver.received[0]?.body);
    console.log(await app.db.read.selectFrom("webhook_states").selectAll().execute(), await app.db.read.selectFrom("webhook_hours").selectAll().execute());
  });
});
