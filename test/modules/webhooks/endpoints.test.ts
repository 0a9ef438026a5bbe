import { describe, expect, test } from "bun:test";
import { createFileFolder } from "#plugins/files/folder.ts";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { createCipher } from "#src/core/cipher.ts";
import { silentLog } from "#src/core/log.ts";
import type { Page } from "#src/core/page.ts";
import type { CreatedWebhook, RotatedSecret, Webhook, WebhookStatistics } from "#src/modules/webhooks/model.ts";
import { openHeaders, openSecrets } from "#src/modules/webhooks/secrets.ts";
import { createServices } from "#src/services.ts";
import { appEngines, setup, type Tenant, type TestApp } from "#test/support/app.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { faultOf, makeWebhook, rowOf, seed } from "#test/support/webhooks.ts";

const cipher = createCipher("a secret of thirty-two characters");
const hours = (count: number) => count * 3_600_000;

const secretsOf = async (app: TestApp, tenant: Tenant, id: string) => openSecrets(cipher, await rowOf(app, tenant, id));

describe.each(appEngines)("a webhook on %s", (engine) => {
  test("is made by the request of the guide as it stands there, read, listed, changed and deleted", async () => {
    await using app = await setup({ engine });
    const made = await app.live.post<CreatedWebhook>("/v1/webhooks", seed);
    const made_at = new Date(app.clock.now()).toISOString();
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^wh_/),
      ...{ url: seed.url, events: seed.events, secret: seed.secret, description: null, filter: null, headers: {} },
      retry: { max_attempts: 9, schedule: [5, 30, 120, 600, 3600, 10800, 28800, 43200] },
      signature: { header: "X-Signature", format: "sha256=hex" },
      ...{ paused: false, status: "enabled", status_reason: null, failing_since: null, last_success_at: null },
      ...{ created_at: made_at, updated_at: made_at },
    });
    const { secret: _, ...webhook } = made.body;
    const path = `/v1/webhooks/${webhook.id}`;
    const read = await app.live.get<Webhook>(path);
    expect(read.body).toEqual(webhook);
    app.clock.advance(1_000);
    const etag = read.headers.get("etag")!;
    const change = { url: "https://other.example.com/", events: ["*"], description: "Other", paused: true };
    const changed = await app.live.patch<Webhook>(path, change, { "if-match": etag });
    const updated_at = new Date(app.clock.now()).toISOString();
    expect(changed.body).toEqual({ ...webhook, ...change, status: "paused", updated_at });
    for (const late of [{ description: "Late" }, { url: "https://late.example.com" }])
      expect((await app.live.patch(path, late, { "if-match": etag })).status).toBe(412);
    expect((await app.live.get<Page<Webhook>>("/v1/webhooks")).body).toMatchObject({ items: [changed.body], total: 1 });
    expect((await app.sandbox.get<Page<Webhook>>("/v1/webhooks")).body.items).toEqual([]);
    expect((await app.live.delete(path, { "if-match": etag })).status).toBe(412);
    expect((await app.live.delete(path)).status).toBe(204);
    for (const gone of [app.live.get(path), app.live.patch(path, { description: "x" }), app.live.delete(path)])
      expect((await gone).status).toBe(404);
    expect((await app.live.patch(path, { url: "https://late.example.com" })).status).toBe(404);
  });

  test("has a lane, and a place in the log behind what has happened before", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { name: "Before" });
    const { id } = await makeWebhook(app.live);
    await app.live.post("/v1/contacts", { name: "After" });
    const lanes = await app.db.read.selectFrom("lanes").select("lane").where("lane", "=", `webhook:${id}`).execute();
    expect(lanes).toHaveLength(1);
    const { tx_id, seq } = await rowOf(app, app.live, id);
    const page = await app.services.feed.after(app.live.env_id, { tx_id, seq });
    expect(page.events.map(({ event }) => event.data)).toMatchObject([{ name: "After" }]);
  });

  test("gets a secret that is shown once, also to who repeats the request, and kept sealed", async () => {
    await using app = await setup({ engine });
    const ask = { url: seed.url, events: ["*"] };
    const first = await app.live.post<CreatedWebhook>("/v1/webhooks", ask, { "idempotency-key": "one" });
    const { id, secret } = first.body;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const again = await app.live.post("/v1/webhooks", ask, { "idempotency-key": "one" });
    expect([again.headers.get("idempotency-replayed"), again.body]).toEqual(["true", first.body]);
    expect((await app.live.get(`/v1/webhooks/${id}`)).text).not.toContain("secret");
    const [rows, audit] = await Promise.all([
      app.db.read.selectFrom("webhooks").selectAll().execute(),
      app.live.get("/v1/audit?operation=webhooks.create"),
    ]);
    const kept = await app.db.read.selectFrom("idempotency").selectAll().execute();
    expect(JSON.stringify([rows, kept, audit.body])).not.toContain(secret);
    expect(audit.body).toMatchObject({ items: [{ operation: "webhooks.create", subject: id, after: { events: ["*"] } }] });
    expect(await secretsOf(app, app.live, id)).toEqual([{ number: 1, text: secret, expires_at: null }]);
  });

  test("keeps headers of one's own sealed, and shows their names", async () => {
    await using app = await setup({ engine });
    const headers = { "X-Gateway-Token": "very-hidden-value", Authorization: "Basic dXNlcjpwYXNz" };
    const made = await makeWebhook(app.live, { headers });
    expect(made.headers).toEqual({ "X-Gateway-Token": "[hidden]", Authorization: "[hidden]" });
    const row = await rowOf(app, app.live, made.id);
    expect(openHeaders(cipher, row)).toEqual(headers);
    const changed = await app.live.patch(`/v1/webhooks/${made.id}`, { headers: { ...headers, Authorization: "Basic another" } });
    expect(changed.body).toMatchObject({ headers: made.headers });
    const audit = await app.live.get("/v1/audit?operation=webhooks.patch");
    expect(audit.body).toMatchObject({ items: [{ before: {}, after: { headers_changed: true } }] });
    const all = [row, await rowOf(app, app.live, made.id), audit.body];
    expect(JSON.stringify(all)).not.toMatch(/very-hidden|dXNlcjpwYXNz|another/);
    expect((await app.live.patch(`/v1/webhooks/${made.id}`, { headers: null })).body).toMatchObject({ headers: {} });
  });

  test("is the hundredth at most, also when many are made at once", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(Array.from({ length: 110 }, () => app.live.post("/v1/webhooks", seed)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(10);
    const made = answers.find(({ status }) => status === 201)!;
    await app.live.delete(`/v1/webhooks/${made.body["id"] as string}`);
    expect((await app.live.post("/v1/webhooks", seed)).status).toBe(201);
  });

  test("is asked about where it leads before it is written, and not again by a repeat", async () => {
    const asked: string[] = [];
    let refusal: string | null = null;
    const judge = (url: string) => {
      asked.push(url);
      return Promise.resolve(refusal);
    };
    await using app = await setup({ engine, judge });
    const first = await app.live.post("/v1/webhooks", seed, { "idempotency-key": "one" });
    refusal = "127.0.0.1 is an address of this machine";
    const again = await app.live.post("/v1/webhooks", seed, { "idempotency-key": "one" });
    expect([again.status, again.body, asked]).toEqual([201, first.body, [seed.url]]);
    const refused = await app.live.post("/v1/webhooks", { ...seed, url: "http://127.0.0.1/" }, { "idempotency-key": "two" });
    expect(faultOf(refused)).toEqual([422, "url", "refused"]);
    expect(refused.body["detail"]).toMatch(/127\.0\.0\.1 is an address of this machine\. .*ALLOW_PRIVATE_WEBHOOKS/);
    const path = `/v1/webhooks/${first.body["id"] as string}`;
    expect(faultOf(await app.live.patch(path, { url: "http://10.0.0.1/" }))).toEqual([422, "url", "refused"]);
    asked.length = 0;
    expect(faultOf(await app.live.post("/v1/webhooks", { ...seed, events: ["nothing"] }))[1]).toBe("events.0");
    expect((await app.live.patch(path, { description: "Asks nobody" })).status).toBe(200);
    expect(asked).toEqual([]);
    refusal = null;
    expect((await app.live.post("/v1/webhooks", { ...seed, url: "http://127.0.0.1/" }, { "idempotency-key": "two" })).status).toBe(201);
  });

  test("is enabled again by whoever unpauses it, with or without what has waited", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.live, { events: ["contact.*"] });
    const path = `/v1/webhooks/${id}`;
    const waiting = async () => (await app.live.get<WebhookStatistics>(`${path}/statistics`)).body.waiting.events;
    const before = await rowOf(app, app.live, id);
    await app.db.write(async (tx) => {
      const disabled = { disabled_at: app.clock.now(), disabled_reason: "gone" };
      await app.db.in(tx).updateTable("webhooks").set(disabled).where("id", "=", id).execute();
      await app.db.in(tx).updateTable("webhook_states").set({ failing_since: app.clock.now() }).where("webhook_id", "=", id).execute();
    });
    expect((await app.live.get(path)).body).toMatchObject({ status: "disabled", status_reason: "gone", failing_since: expect.any(String) });
    await app.live.post("/v1/contacts", { name: "Waits" });
    expect(faultOf(await app.live.patch(path, { skip_waiting: true }))).toEqual([422, "skip_waiting", "not_allowed"]);
    const enabled = await app.live.patch(path, { paused: false });
    expect(enabled.body).toMatchObject({ status: "enabled", status_reason: null, failing_since: null });
    expect(await rowOf(app, app.live, id)).toMatchObject({ tx_id: before.tx_id, seq: before.seq });
    expect(await waiting()).toBe(1);
    expect((await app.live.patch(path, { paused: false, skip_waiting: true })).status).toBe(200);
    expect(await waiting()).toBe(0);
    await app.live.post("/v1/contacts", { name: "Comes" });
    expect(await waiting()).toBe(1);
  });

  test("rotates its secret with an overlap, up to four of which go on", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.live);
    const rotate = (ask: object, headers = {}) => app.live.post<RotatedSecret>(`/v1/webhooks/${id}/rotate-secret`, ask, headers);
    const first = await rotate({}, { "idempotency-key": "one" });
    expect(first.body).toEqual({
      secret: expect.stringMatching(/^whsec_/),
      previous_expires_at: new Date(app.clock.now() + hours(24)).toISOString(),
    });
    expect((await rotate({}, { "idempotency-key": "one" })).body).toEqual(first.body);
    expect(await secretsOf(app, app.live, id)).toMatchObject([
      { number: 2, text: first.body.secret, expires_at: null },
      { number: 1, text: seed.secret, expires_at: app.clock.now() + hours(24) },
    ]);
    expect(faultOf(await rotate({ secret: "too-short" }))).toEqual([422, "secret", "too_short"]);
    expect(faultOf(await rotate({ secret: seed.secret }))).toEqual([422, "secret", "taken"]);
    for (const at of [1, 2, 3]) expect((await rotate({ overlap_seconds: 3_600 * (at + 1) })).status).toBe(200);
    const many = await rotate({});
    expect(many.status).toBe(409);
    expect(many.body).toMatchObject({ detail: expect.stringContaining(new Date(app.clock.now() + hours(2)).toISOString()) });
    app.clock.advance(hours(2));
    const own = await rotate({ secret: "a secret of my own, which is long enough", overlap_seconds: 60 });
    expect(own.body.secret).toBe("a secret of my own, which is long enough");
    expect((await secretsOf(app, app.live, id)).map(({ number }) => number)).toEqual([6, 5, 4, 3, 1]);
    const last = await rotate({ overlap_seconds: 0 });
    expect(last.body.previous_expires_at).toBeNull();
    expect((await secretsOf(app, app.live, id)).map(({ text }) => text)).toEqual([last.body.secret]);
    const audit = await app.live.get("/v1/audit?operation=webhooks.rotate_secret");
    expect(audit.body).toMatchObject({ total: 6 });
    expect(audit.text).not.toContain(last.body.secret);
  });

  test("tells in sum what its attempts came to, and what waits", async () => {
    await using app = await setup({ engine });
    const { id } = await makeWebhook(app.live, { events: ["contact.created"] });
    const now = Math.floor(app.clock.now() / hours(1)) * hours(1);
    const hour = { env_id: app.live.env_id, webhook_id: id, attempts: 4, failures: 1, delivered: 3, dead_letters: 0 };
    const rows = [0, 1, 30].map((ago) => ({ ...hour, hour: now - hours(ago), duration_ms: 100, duration_ms_max: 40 + ago }));
    await app.db.write((tx) => app.db.in(tx).insertInto("webhook_hours").values(rows).execute());
    await app.live.post("/v1/contacts", { name: "Waits" });
    await app.live.post("/v1/segments", { name: "Is no event", filter: { tag: "vip" } });
    const { body } = await app.live.get<WebhookStatistics>(`/v1/webhooks/${id}/statistics`);
    expect(body).toMatchObject({
      hours: 24,
      totals: { attempts: 8, failures: 2, delivered: 6, dead_letters: 0, duration_ms_average: 25, duration_ms_max: 41 },
      by_hour: [{ hour: new Date(now - hours(1)).toISOString() }, { hour: new Date(now).toISOString(), duration_ms_max: 40 }],
      waiting: { events: 1, oldest_at: new Date(app.clock.now()).toISOString() },
      pending: 0,
    });
    expect((await app.live.get<WebhookStatistics>(`/v1/webhooks/${id}/statistics?hours=720`)).body.totals.attempts).toBe(12);
    expect((await app.live.get(`/v1/webhooks/${id}/statistics?hours=721`)).status).toBe(422);
  });

  test("that is deleted takes what it has left with it, and leaves what others have", async () => {
    await using app = await setup({ engine });
    const [gone, stays] = [await makeWebhook(app.live), await makeWebhook(app.live)];
    for (const { id } of [gone, stays]) await Promise.all(Array.from({ length: 3 }, () => app.live.post(`/v1/webhooks/${id}/test`, {})));
    // More than a transaction removes.
    const [row] = await app.db.read.selectFrom("deliveries").selectAll().where("webhook_id", "=", gone.id).limit(1).execute();
    const many = Array.from({ length: 250 }, (_, at) => ({ ...row!, id: `dlv_${String(at).padStart(26, "0")}` }));
    await app.db.write((tx) => app.db.in(tx).insertInto("deliveries").values(many).execute());
    await app.live.delete(`/v1/webhooks/${gone.id}`);
    expect((await app.live.get<Page<{ webhook_id: string }>>("/v1/deliveries")).body).toMatchObject({
      total: 3,
      items: Array.from({ length: 3 }, () => ({ webhook_id: stays.id })),
    });
    await app.advance(60_000);
    const { db } = app;
    const left = await Promise.all([
      db.read.selectFrom("webhooks").select("id as one").execute(),
      db.read.selectFrom("webhook_states").select("webhook_id as one").execute(),
      db.read.selectFrom("deliveries").select("webhook_id as one").distinct().execute(),
      db.read.selectFrom("lanes").select("lane as one").where("lane", "like", "webhook:%").execute(),
    ]);
    expect(left.map((rows) => rows.map(({ one }) => one.replace("webhook:", "")))).toEqual(Array.from({ length: 4 }, () => [stays.id]));
  });
});

test("a start with another secret than the one that sealed the webhooks is told so", async () => {
  await using app = await setup();
  const service = (secret: string) =>
    createServices({
      ...{ db: app.db, clock: app.clock, log: silentLog, cipher: createCipher(secret), channels: [] },
      gate: { check: () => Promise.reject(new Error("nobody asks")) },
      http: createHttpSender({ clock: app.clock, allowPrivate: true }),
      events_retention_days: 30,
      files: { folder: createFileFolder(app.filesFolder), cacheBytesMax: 0 },
      ring() {},
      tellCopies() {},
      amSole: () => Promise.resolve(true),
    }).webhooks.service;
  await service("another secret of forty characters or so").trySecrets();
  await makeWebhook(app.live);
  const refusal = await rejectionOf(service("another secret of forty characters or so").trySecrets());
  expect(String(refusal)).toMatch(/webhooks' secrets .* set POSTHOUSE_SECRET/);
  await app.services.webhooks.service.trySecrets();
});
