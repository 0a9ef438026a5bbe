import { beforeAll, describe, expect, test } from "bun:test";
import { connect, eventually, outcomeOf } from "#test/e2e/api.ts";
import { type Posthouse, run, startPosthouse } from "#test/e2e/posthouse.ts";
import { executable } from "#test/support/executable.ts";
import { paste } from "./shell.ts";

beforeAll(() => executable(), 60_000);

async function callerOf(posthouse: Posthouse) {
  return (await connect(posthouse)).as(await posthouse.sandboxKey());
}

describe("what the sources show is sent with curl as it stands there, host and key replaced", () => {
  test.each([
    ["hero.sh", "Hey Sarah, your invite is ready"],
    ["stack.sh", "Welcome aboard"],
    ["guide-send.sh", "Hey Sarah, your invite is ready - check your inbox."],
  ])("%s is answered with id, queued and eta, and arrives as: %s", async (script, text) => {
    await using posthouse = await startPosthouse();
    const caller = await callerOf(posthouse);
    const { code, out, err } = await paste(script, posthouse, caller.key);
    expect({ code, err: err.includes("curl: (") }).toEqual({ code: 0, err: false });
    const sent = JSON.parse(out) as { id: string; status: string; eta: string };
    expect(Object.keys(sent)).toEqual(["id", "status", "eta"]);
    expect(sent.status).toBe("queued");
    expect(sent.eta).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    expect(await outcomeOf(caller, sent.id)).toMatchObject({ status: "sent", to: "@sarah_miller", account_id: 7421, text });
  });

  test("the one with a fixed Idempotency-Key gives the same answer when it is pasted twice, and one message", async () => {
    await using posthouse = await startPosthouse();
    const caller = await callerOf(posthouse);
    const first = await paste("hero.sh", posthouse, caller.key);
    const second = await paste("hero.sh", posthouse, caller.key);
    expect(second.out).toBe(first.out);
    expect((await caller.get("/v1/messages")).body).toMatchObject({ total: 1 });
  });

  test("those with $(uuidgen) give a message each time", async () => {
    await using posthouse = await startPosthouse();
    const caller = await callerOf(posthouse);
    for (const _ of [1, 2]) await paste("stack.sh", posthouse, caller.key);
    expect((await caller.get("/v1/messages")).body).toMatchObject({ total: 2 });
  });
});

test("a contact is made as the guide makes it, found as the list example looks, and not doubled by a repeat", async () => {
  await using posthouse = await startPosthouse();
  const caller = await callerOf(posthouse);
  const first = JSON.parse((await paste("guide-contact.sh", posthouse, caller.key)).out) as { id: string; created: boolean };
  const second = JSON.parse((await paste("guide-contact.sh", posthouse, caller.key)).out) as { id: string; created: boolean };
  expect([first.created, second]).toEqual([true, { ...first, created: false }]);
  const found = await caller.get<{ items: { id: string }[]; total: number; limit: number; offset: number; has_more: boolean }>(
    "/api/v1/crm/contacts?limit=10&search=miller",
  );
  expect(found.body).toMatchObject({ items: [{ id: first.id }], total: 1, limit: 10, offset: 0, has_more: false });
  const paged = await caller.get("/api/v1/crm/contacts?limit=50&offset=0");
  expect(paged.body).toMatchObject({ total: 1, limit: 50, offset: 0, has_more: false });
});

test("GET /me tells whose key it is, GET /health needs none", async () => {
  await using posthouse = await startPosthouse();
  const key = await posthouse.sandboxKey();
  const curl = (...args: string[]) => run(["curl", "-sS", ...args], { cwd: posthouse.folder });
  const me = await curl("-H", `Authorization: Bearer ${key}`, `${posthouse.url}/me`);
  expect(JSON.parse(me.out)).toMatchObject({ mode: "test", environment: "sandbox", workspace: { name: "default" }, rate_limit: 600 });
  const health = await curl("-w", "%{http_code}", "-o", "/dev/null", `${posthouse.url}/health`);
  expect(health).toEqual({ code: 0, out: "200", err: "" });
});

test("a webhook is registered as the guide registers it, with the secret that it chooses", async () => {
  await using posthouse = await startPosthouse();
  const caller = await callerOf(posthouse);
  const made = JSON.parse((await paste("guide-webhook.sh", posthouse, caller.key)).out) as { id: string; secret: string };
  expect(made).toMatchObject({
    url: "https://your-app.example.com/webhooks/crm",
    events: ["message.received", "lead.scored", "sequence.completed", "contact.created"],
    secret: "your-chosen-signing-secret",
    status: "enabled",
  });
  expect((await caller.get("/v1/webhooks")).body).toMatchObject({ total: 1, items: [{ id: made.id }] });
});

test("a contact is enrolled as the guide enrolls it, by the contact_id alone, and the record is active", async () => {
  await using posthouse = await startPosthouse();
  const caller = await callerOf(posthouse);
  const contact = JSON.parse((await paste("guide-contact.sh", posthouse, caller.key)).out) as { id: string };
  const steps = [{ type: "send", text: "Welcome, {first_name}", account_id: 7421 }];
  const sequence = await caller.post<{ id: string }>("/v1/sequences", { name: "Welcome", steps });
  await caller.post(`/v1/sequences/${sequence.body.id}/activate`);
  const headers = [`Authorization: Bearer ${caller.key}`, "Idempotency-Key: 0b2f6c1e", "Content-Type: application/json"];
  const { out } = await run(
    [
      ...["curl", "-sS", "-X", "POST", `${posthouse.url}/v1/sequences/${sequence.body.id}/enroll`],
      ...headers.flatMap((header) => ["-H", header]),
      ...["-d", JSON.stringify({ contact_id: contact.id })],
    ],
    { cwd: posthouse.folder },
  );
  const enrollment = JSON.parse(out) as { id: string };
  expect(enrollment).toMatchObject({ sequence_id: sequence.body.id, contact_id: contact.id, status: "active" });
  const isThere = ({ items }: { items: unknown[] }) => items.length > 0;
  type Sent = { items: { text: string; origin: { enrollment_id: string } }[] };
  const sent = await eventually("nothing is sent", async () => (await caller.get<Sent>("/v1/messages?status=sent")).body, isThere);
  expect(sent).toMatchObject({ items: [{ text: "Welcome, Sarah", origin: { type: "sequence", enrollment_id: enrollment.id } }] });
});
