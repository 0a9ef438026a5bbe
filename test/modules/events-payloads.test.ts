import { describe, expect, test } from "bun:test";
import { type Event, eventTypes } from "#src/modules/events/model.ts";
import { payloads } from "#src/modules/events/payloads.ts";
import { appEngines } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import { arriving, receiveFrom } from "#test/support/receiving.ts";
import { eventsOf, makeContact, makeRule } from "#test/support/scoring.ts";
import { act, draft } from "#test/support/broadcasting.ts";
import { cancel, queue } from "#test/support/sending.ts";
import { enroll, makeSequence, sending, turn, waiting } from "#test/support/sequences.ts";

/** Told by the delivery of webhooks. */
const elsewhere = new Set(["webhook.disabled"]);

describe("the payloads of events", () => {
  test("are told of names that are known", () => {
    expect(Object.keys(payloads).toSorted()).toEqual([...eventTypes].toSorted());
    expect(new Set(eventTypes).size).toBe(eventTypes.length);
  });
});

describe.each(appEngines)("what is told on %s", (engine) => {
  // The client holds every event of the list against the reference.
  test("fits the schema of its event, whatever happens, and also once the person is erased", async () => {
    await using town = await setupWithTelegram(engine);
    const { app } = town;
    const { sandbox, live } = app;

    const { account } = await town.connect();
    await app.db.write(async (tx) => {
      await app.services.accounts.restrict(tx, live.env_id, account.id);
      await app.services.accounts.pause(tx, live.env_id, account.id, "Telegram asks to wait for 7200 s.");
    });
    await live.delete(`/v1/accounts/${account.id}`);
    await sandbox.patch("/v1/workspace", { plan: "starter" });

    await sandbox.patch("/v1/scoring", { thresholds: [5] });
    await makeRule(sandbox, 10, { event: "contact.tagged" });
    const everything = { email: "anna@example.com", phone: "+4915112345678", consent: { status: "granted" }, metadata: { source: "form" } };
    const anna = await makeContact(sandbox, { username: "anna", name: "Anna", language: "de", timezone: "Europe/Berlin", ...everything });
    const other = await makeContact(sandbox, { username: "anna_other", first_name: "Anna", last_name: "Other" });
    await sandbox.patch(`/v1/contacts/${anna}`, { name: "Anna B", tags: ["vip"] });
    await sandbox.patch(`/v1/contacts/${anna}`, { tags: [] });
    const { body: merge } = await sandbox.post<{ id: string }>(`/v1/contacts/${anna}/merge`, { contact_id: other });
    await sandbox.post(`/v1/merges/${merge.id}/undo`);

    for (const to of ["@sandbox_read", "@sandbox_blocked", "@sandbox_not_started", "@anna"]) await queue(sandbox, { to });
    await cancel(sandbox, await queue(sandbox, { schedule_at: "2999-01-01T00:00:00Z" }));
    const { body: received } = await receiveFrom(sandbox, { from: "@anna", message_id: 5 });
    const hearing = { env_id: sandbox.env_id, id: 7421, kind: "sandbox", username: null };
    const { telegram_id } = received.sender!;
    const chat = { id: String(telegram_id), type: "private", title: null, ...received.sender! } as const;
    const doing = { chat, topic: null, sender: received.sender, at: app.clock.now(), update_id: null };
    await app.db.write((tx) =>
      app.services.happened(tx, hearing, [
        { ...arriving({ ...doing, remote_id: "5", text: "Hello again" }), kind: "edited" },
        { ...doing, kind: "reacted", remote_id: "5", reactions: ["👍"] },
        { ...doing, kind: "pressed", remote_id: null, data: "yes" },
      ]),
    );
    await app.advance(60_000);
    const toAnna = await queue(sandbox, { to: "@anna" });
    await app.settled();
    await sandbox.patch(`/v1/messages/${toAnna}`, { text: "Changed" });
    await sandbox.delete(`/v1/messages/${toAnna}`);
    await app.settled();

    const brief = await makeSequence(sandbox, { steps: [sending("Hey"), { type: "webhook", data: { queue: "sales" } }, { type: "goal" }] });
    const long = await makeSequence(sandbox, { steps: [{ type: "score", points: 1 }, waiting("1d")] });
    for (const verb of ["pause", "resume"]) await sandbox.post(`/v1/sequences/${long}/${verb}`);
    await enroll(sandbox, brief, anna);
    const enrollment = await enroll(sandbox, long, anna);
    await app.settled();
    for (const verb of ["pause", "resume"]) await turn(sandbox, long, enrollment, verb);
    await turn(sandbox, long, enrollment, "unenroll", { reason: "called_us" });
    await act(sandbox, await draft(sandbox, { audience: { contact_ids: [anna] } }), "send");
    await app.settled();

    const told = async () => [...(await eventsOf(sandbox)), ...(await eventsOf(live))];
    const before = await told();
    await sandbox.delete(`/v1/contacts/${anna}?erase=true`);
    await app.advance(60_000);
    const after = await told();

    expect(after.length).toBeGreaterThan(before.length);
    expect(JSON.stringify(after)).not.toContain("anna@example.com");
    const types = new Set<string>(after.map(({ event }: Event) => event));
    expect(eventTypes.filter((type) => !types.has(type) && !elsewhere.has(type))).toEqual([]);
  });
});
