import { expect, test } from "bun:test";
import { setup } from "#test/support/app.ts";
import { engines } from "#test/support/databases.ts";

test.each(engines())("a message reaches sent on %s", async (engine) => {
  await using app = await setup({ engine });
  const answer = await app.sandbox.post("/v1/messages/send", { account_id: 7421, to: "@sarah_miller", text: "Hey {first_name}, hello" });
  expect(answer.status).toBe(200);
  await app.settled();
  const message = await app.sandbox.get(`/v1/messages/${answer.body.id}`);
  expect(message.body).toMatchObject({ status: "sent", text: "Hey Sarah, hello" });
  const list = await app.sandbox.get("/v1/messages");
  console.log(list.body, app.log.slice(0,3));
});
