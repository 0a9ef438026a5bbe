import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import type { Delivery, DeliveryDetail } from "#src/modules/webhooks/delivery-model.ts";
import { deliveryId } from "#src/modules/webhooks/delivery-id.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { attempt, eventsOf, faultOf, makeWebhook, noteDelivery } from "#test/support/endpoints.ts";

type Deliveries = Page<Delivery>;

const list = async (app: TestApp, path: string) => (await app.live.get<Deliveries>(path)).body;

/** Contacts and as many events of their making, some time apart. */
async function makeEvents(app: TestApp, count: number) {
  for (let at = 0; at < count; at++) {
    app.clock.advance(1_000);
    await app.live.post("/v1/contacts", { name: `Person ${at}` });
  }
  return eventsOf(app, app.live);
}

async function resultOf(app: TestApp, { id }: Pick<Task, "id">): Promise<Task> {
  await app.settled();
  return (await app.live.get<Task>(`/v1/jobs/${id}`)).body;
}

const pendingIds = async (app: TestApp) =>
  (await app.db.read.selectFrom("deliveries").select("id").where("next_attempt_at", "is not", null).orderBy("id").execute()).map(
    ({ id }) => id,
  );

describe.each(appEngines)("the log of deliveries on %s", (engine) => {
  test("is listed newest first, page by page, and narrowed by status, event, endpoint and time", async () => {
    await using app = await setup({ engine });
    const [one, two] = [await makeWebhook(app.live, { events: ["*"] }), await makeWebhook(app.live, { events: ["*"] })];
    const begun = app.clock.now();
    const events = await makeEvents(app, 4);
    const ids: string[] = [];
    for (const [at, event] of events.entries()) {
      const status = ["delivered", "dead_letter", "pending", "delivered"][at]!;
      ids.push(await noteDelivery(app, app.live, one.id, event, { status, next_attempt_at: status === "pending" ? begun + 1e9 : null }));
    }
    const other = await noteDelivery(app, app.live, two.id, events[0]!);
    const newest = ids.toReversed();
    const first = await list(app, `/v1/webhooks/${one.id}/deliveries?limit=3`);
    expect([first.items.map(({ id }) => id), first.total]).toEqual([newest.slice(0, 3), 4]);
    const second = await list(app, `/v1/webhooks/${one.id}/deliveries?limit=3&cursor=${first.next_cursor}`);
    expect([second.items.map(({ id }) => id), second.next_cursor]).toEqual([newest.slice(3), null]);
    expect((await app.live.get(`/v1/deliveries?cursor=${first.next_cursor}`)).status).toBe(422);
    const all = await list(app, "/v1/deliveries");
    expect(all.items.map(({ id }) => id).toSorted()).toEqual([...ids, other].toSorted());
    const found = async (query: string) => (await list(app, `/v1/deliveries?${query}`)).items.map(({ id }) => id);
    const late = new Date(begun + 2_500).toISOString();
    expect(await found(`status=dead_letter&webhook_id=${one.id}`)).toEqual([ids[1]!]);
    expect((await found("status=dead_letter")).toSorted()).toEqual([ids[1]!, other].toSorted());
    expect(await found("status=pending")).toEqual([ids[2]!]);
    expect((await found("status=delivered")).toSorted()).toEqual([ids[0]!, ids[3]!].toSorted());
    expect((await found(`event_id=${events[0]!.id}`)).toSorted()).toEqual([ids[0]!, other].toSorted());
    expect(await found(`event=contact.created&webhook_id=${two.id}`)).toEqual([other]);
    expect(await found("event=message.sent")).toEqual([]);
    expect(await found(`created_after=${late}`)).toEqual([ids[3]!, ids[2]!]);
    expect((await found(`created_before=${late}&offset=1`)).length).toBe(2);
    expect(await found("webhook_id=wh_01HKQ9R2X30000000000000000")).toEqual([]);
    expect((await app.live.get("/v1/webhooks/wh_01HKQ9R2X30000000000000000/deliveries")).status).toBe(404);
    expect((await app.sandbox.get<Deliveries>("/v1/deliveries")).body.total).toBe(0);
  });

  test("shows what was sent and each attempt, with headers of one's own hidden", async () => {
    await using app = await setup({ engine });
    const { id, url } = await makeWebhook(app.live, {
      events: ["*"],
      headers: { "X-Token": "very-hidden" },
      signature: { header: "X-Sig" },
    });
    const [event] = await makeEvents(app, 1);
    const delivery = await noteDelivery(app, app.live, id, event!);
    const { status, body, text, headers } = await app.live.get<DeliveryDetail>(`/v1/deliveries/${delivery}`);
    const log = await app.live.get<{ items: object[] }>("/v1/events");
    expect(status).toBe(200);
    expect(JSON.parse(body.request.body!)).toEqual(log.body.items[0]);
    expect(body).toMatchObject({
      ...{ id: delivery, webhook_id: id, event_id: event!.id, event: "contact.created", status: "dead_letter", tries: 1, test: false },
      request: { url },
      attempts: [{ status: 500, stage: "status", error: attempt.error, duration_ms: 41, response: attempt.response }],
    });
    expect(body.attempts[0]!.request.headers).toEqual({
      "content-type": "application/json",
      "user-agent": expect.stringMatching(/^Posthouse\/\d/),
      "webhook-id": event!.id,
      "webhook-timestamp": String(attempt.timestamp),
      "webhook-signature": attempt.webhook_signature,
      "X-Sig": attempt.signature,
      "X-Token": "[hidden]",
    });
    expect(text).not.toContain("very-hidden");
    const path = `/v1/deliveries/${delivery}`;
    expect((await app.live.delete(path, { "if-match": '"another"' })).status).toBe(412);
    expect((await app.live.delete(path, { "if-match": headers.get("etag")! })).status).toBe(204);
    for (const gone of [app.live.get(path), app.live.delete(path), app.live.post(`${path}/replay`)]) expect((await gone).status).toBe(404);
  });

  test("has nothing of an event that is no longer kept, which can't be sent again", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.live, { events: ["*"] });
    const event = { id: "evt_01HKQ9R2X30000000000000000", type: "contact.created" };
    const delivery = await noteDelivery(app, app.live, id, event);
    expect((await app.live.get<DeliveryDetail>(`/v1/deliveries/${delivery}`)).body.request.body).toBeNull();
    expect((await app.live.post(`/v1/deliveries/${delivery}/replay`)).status).toBe(409);
    const { body } = await app.live.post<Task>(`/v1/webhooks/${id}/replay`, { since: "2020-01-01T00:00:00Z" });
    expect(await resultOf(app, body)).toMatchObject({ status: "done", result: { replayed: 0 } });
  });

  test("has a test event of any kind, which is in no other log", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.live, { events: ["lead.*", "contact.created"] });
    const path = `/v1/webhooks/${id}/test`;
    const sent = await app.live.post<Delivery>(path, {}, { "idempotency-key": "one" });
    const now = new Date(app.clock.now()).toISOString();
    expect([sent.status, sent.body]).toMatchObject([
      202,
      { event: "lead.scored", status: "pending", test: true, tries: 0, next_attempt_at: now },
    ]);
    expect((await app.live.post(path, {}, { "idempotency-key": "one" })).body).toEqual(sent.body);
    expect(sent.body.id).toBe(deliveryId(sent.body.event_id, id));
    const { body } = await app.live.get<DeliveryDetail>(`/v1/deliveries/${sent.body.id}`);
    expect(JSON.parse(body.request.body!)).toMatchObject({ event: "lead.scored", id: sent.body.event_id, created_at: now, data: {} });
    expect((await app.live.post<Delivery>(path, { event: "account.connected" })).body.event).toBe("account.connected");
    expect(faultOf(await app.live.post(path, { event: "contact.*" }))).toEqual([422, "event", "not_allowed"]);
    expect((await app.live.get<{ items: object[] }>("/v1/events")).body.items).toEqual([]);
    await app.live.patch(`/v1/webhooks/${id}`, { paused: true });
    const refused = await app.live.post<{ detail: string }>(path, {});
    expect([refused.status, refused.body.detail]).toMatchObject([409, expect.stringContaining("paused: enable it first")]);
  });
});

describe.each(appEngines)("a replay on %s", (engine) => {
  test("of one sends it at once and from the beginning, whatever it is by now", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.live, { events: ["*"] });
    const events = await makeEvents(app, 3);
    const statuses = ["delivered", "dead_letter", "pending"];
    for (const [at, event] of events.entries()) {
      const next_attempt_at = statuses[at] === "pending" ? app.clock.now() + 1e6 : null;
      const delivery = await noteDelivery(app, app.live, id, event, { status: statuses[at]!, tries: 4, next_attempt_at });
      app.clock.advance(1_000);
      const now = new Date(app.clock.now()).toISOString();
      const again = await app.live.post<Delivery>(`/v1/deliveries/${delivery}/replay`);
      const replayed = {
        id: delivery,
        event_id: event.id,
        status: "pending",
        tries: 0,
        next_attempt_at: now,
        replayed_at: now,
        updated_at: now,
      };
      expect([again.status, again.body]).toMatchObject([202, replayed]);
      const { body } = await app.live.get<DeliveryDetail>(`/v1/deliveries/${delivery}`);
      expect(body).toMatchObject({ ...replayed, attempts: [{ status: 500 }] });
      expect((await app.live.delete(`/v1/deliveries/${delivery}`)).status).toBe(409);
    }
    await app.live.patch(`/v1/webhooks/${id}`, { paused: true });
    expect((await app.live.post(`/v1/deliveries/${deliveryId(events[0]!.id, id)}/replay`)).status).toBe(409);
  });

  test("of what has failed in a time leaves alone what was delivered, and what others have", async () => {
    await using app = await setup({ engine });
    const [one, two] = [await makeWebhook(app.live, { events: ["*"] }), await makeWebhook(app.live, { events: ["*"] })];
    const begun = app.clock.now();
    const events = await makeEvents(app, 6);
    const statuses = ["dead_letter", "dead_letter", "delivered", "pending", "dead_letter", "dead_letter"];
    const ids: string[] = [];
    for (const [at, event] of events.entries())
      ids.push(await noteDelivery(app, app.live, one.id, event, { status: statuses[at]!, tries: 2 }));
    await noteDelivery(app, app.live, two.id, events[1]!);
    const time = (seconds: number) => new Date(begun + seconds * 1_000).toISOString();
    const replay = async (ask: object) => resultOf(app, (await app.live.post<Task>(`/v1/webhooks/${one.id}/replay`, ask)).body);
    const task = await replay({ since: time(2), until: time(6) });
    expect(task).toMatchObject({ kind: "webhooks.replay", status: "done", result: { replayed: 3 }, progress: { done: 3, total: 3 } });
    expect(await pendingIds(app)).toEqual([ids[1]!, ids[3]!, ids[4]!]);
    expect(await replay({ since: time(0), event: "message.sent" })).toMatchObject({ result: { replayed: 0 } });
    const contact_id = events[5]!.subject;
    expect(await replay({ since: time(0), contact_id })).toMatchObject({ result: { replayed: 1 } });
    expect(await pendingIds(app)).toContain(ids[5]!);
    expect(faultOf(await app.live.post(`/v1/webhooks/${one.id}/replay`, { since: time(0), event: "nothing" }))[1]).toBe("event");
    expect(faultOf(await app.live.post(`/v1/webhooks/${one.id}/replay`, { since: "2026-02-31 soon" }))[1]).toBe("since");
  });

  test("of everything takes what the endpoint asks for now, delivered or not or never had, but not what is on its way", async () => {
    await using app = await setup({ engine });
    const filter = { path: "data.name", op: "ne", value: "Person 1" };
    const before = await makeEvents(app, 3);
    const { id } = await makeWebhook(app.live, { events: ["contact.created"], filter });
    const delivered = await noteDelivery(app, app.live, id, before[2]!, { status: "delivered" });
    await app.live.patch(`/v1/contacts/${before[0]!.subject}`, { first_name: "No event that is asked for" });
    await makeEvents(app, 1);
    const replay = async (ask: object) => resultOf(app, (await app.live.post<Task>(`/v1/webhooks/${id}/replay`, ask)).body);
    const ask = { since: "2020-01-01T00:00:00Z", which: "all" };
    expect(await replay(ask)).toMatchObject({ status: "done", result: { replayed: 2 } });
    expect(await pendingIds(app)).toEqual([deliveryId(before[0]!.id, id), delivered]);
    expect((await app.live.get<DeliveryDetail>(`/v1/deliveries/${delivered}`)).body.attempts).toHaveLength(1);
    expect(await replay({ ...ask, contact_id: before[2]!.subject })).toMatchObject({ result: { replayed: 1 } });
    expect(await replay({ ...ask, contact_id: before[2]!.subject, event: "contact.created" })).toMatchObject({ result: { replayed: 1 } });
    expect(await replay({ ...ask, event: "contact.updated" })).toMatchObject({ result: { replayed: 0 } });
  });

  test("of a contact's events finds those of its messages", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.sandbox, { events: ["*"] });
    const contact = await app.sandbox.post<{ id: string }>("/v1/contacts", { username: "sarah_miller" });
    for (const to of ["@sarah_miller", "@john_doe"]) await app.sandbox.post("/v1/messages/send", { account_id: 7421, to, text: "Hello" });
    await app.settled();
    for (const event of await eventsOf(app, app.sandbox)) await noteDelivery(app, app.sandbox, id, event);
    const theirs = (await eventsOf(app, app.sandbox)).filter(
      ({ subject, data }) => subject === contact.body.id || data.includes(contact.body.id),
    );
    expect(theirs.length).toBeGreaterThan(2);
    for (const which of ["failed", "all"]) {
      const { body } = await app.sandbox.post<Task>(`/v1/webhooks/${id}/replay`, {
        since: "2020-01-01T00:00:00Z",
        contact_id: contact.body.id,
        which,
      });
      await app.settled();
      expect((await app.sandbox.get<Task>(`/v1/jobs/${body.id}`)).body.result).toEqual({ replayed: theirs.length });
      expect(await pendingIds(app)).toEqual(theirs.map((event) => deliveryId(event.id, id)).toSorted());
    }
  });

  test("of more than a step takes them all, and fails where the endpoint is paused meanwhile", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.live, { events: ["*"] });
    await app.live.post("/v1/contacts/batch", { contacts: Array.from({ length: 450 }, (_, at) => ({ name: `Person ${at}` })) });
    const events = await eventsOf(app, app.live);
    const last = events.at(-1)!;
    await noteDelivery(app, app.live, id, last);
    const ask = { since: "2020-01-01T00:00:00Z", which: "all" };
    const { body } = await app.live.post<Task>(`/v1/webhooks/${id}/replay`, ask);
    expect(await resultOf(app, body)).toMatchObject({ status: "done", result: { replayed: events.length } });
    expect(await pendingIds(app)).toHaveLength(events.length);
    await app.services.loop.stop();
    const late = await app.live.post<Task>(`/v1/webhooks/${id}/replay`, ask);
    await app.live.patch(`/v1/webhooks/${id}`, { paused: true });
    expect((await app.live.post(`/v1/webhooks/${id}/replay`, ask)).status).toBe(409);
    await app.services.loop.start();
    expect(await resultOf(app, late.body)).toMatchObject({ status: "failed", error: { code: "conflict" }, result: { replayed: 0 } });
  });
});

describe.each(appEngines)("a purge on %s", (engine) => {
  test("removes dead letters and nothing else", async () => {
    await using app = await setup({ engine });
    const [one, two] = [await makeWebhook(app.live, { events: ["*"] }), await makeWebhook(app.live, { events: ["*"] })];
    const begun = app.clock.now();
    const events = await makeEvents(app, 3);
    const kept = await noteDelivery(app, app.live, one.id, events[0]!, { status: "delivered" });
    const early = await noteDelivery(app, app.live, one.id, events[1]!);
    const late = await noteDelivery(app, app.live, one.id, events[2]!);
    const others = await noteDelivery(app, app.live, two.id, events[1]!);
    const purge = async (ask: object) => resultOf(app, (await app.live.post<Task>("/v1/deliveries/purge", ask)).body);
    const left = async () => (await list(app, "/v1/deliveries")).items.map(({ id }) => id).toSorted();
    const before = new Date(begun + 2_500).toISOString();
    expect(await purge({ event: "message.sent" })).toMatchObject({ kind: "deliveries.purge", status: "done", result: { purged: 0 } });
    expect(await purge({ webhook_id: one.id, before })).toMatchObject({ result: { purged: 1 } });
    expect(await left()).toEqual([kept, late, others].toSorted());
    expect(early).not.toBe(late);
    expect(await purge({})).toMatchObject({ result: { purged: 2 } });
    expect(await left()).toEqual([kept]);
    expect((await app.live.post("/v1/deliveries/purge", { webhook_id: "wh_01HKQ9R2X30000000000000000" })).status).toBe(404);
  });
});
