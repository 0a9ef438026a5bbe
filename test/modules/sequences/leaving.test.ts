import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";
import { arriving, receiveFrom } from "#test/support/receiving.ts";
import { makeContact } from "#test/support/scoring.ts";
import {
  enroll,
  enrollmentOf,
  enrollmentsIn,
  journey,
  makeSequence,
  outOf,
  sending,
  statisticsOf,
  textsOf,
  tryToEnroll,
  turn,
  waiting,
} from "#test/support/sequences.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.each(appEngines)("who leaves a sequence, and enters it, on %s", (engine) => {
  test("an answer, a tag, a block and a deletion end it, and nothing more is sent", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [sending("One"), waiting("1d"), sending("Two")], exit_on: { tags: ["stop"] } });
    const people: Record<string, string> = {};
    for (const name of ["anna", "ben", "carl"]) people[name] = await makeContact(sandbox, { username: name });
    const blocked = await makeContact(sandbox, { username: "sandbox_blocked" });
    const of: Record<string, string> = {};
    for (const [name, contact] of Object.entries(people)) of[name] = await enroll(sandbox, id, contact);
    const refused = await enroll(sandbox, id, blocked);
    await app.settled();
    await receiveFrom(sandbox, { from: "@anna" });
    await sandbox.patch(`/v1/contacts/${people["ben"]}`, { tags: ["stop"] });
    await sandbox.delete(`/v1/contacts/${people["carl"]}`);
    await journey(app, 3 * DAY);
    expect((await textsOf(sandbox)).filter((text) => text === "Two")).toEqual([]);
    expect(await enrollmentOf(sandbox, id, of["anna"]!)).toMatchObject({ status: "exited", reason: "replied" });
    expect(await enrollmentOf(sandbox, id, of["ben"]!)).toMatchObject({ status: "exited", reason: "tagged" });
    expect(await enrollmentOf(sandbox, id, of["carl"]!)).toMatchObject({ status: "exited", reason: "contact_gone" });
    expect(["blocked", "unreachable"]).toContain((await enrollmentOf(sandbox, id, refused)).reason!);
  });

  test("who is paused leaves for a tag all the same", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [waiting("1d"), sending("Two")], exit_on: { tags: ["stop"] } });
    const anna = await makeContact(sandbox, { username: "anna" });
    const enrollment = await enroll(sandbox, id, anna);
    await app.settled();
    await turn(sandbox, id, enrollment, "pause");
    await sandbox.patch(`/v1/contacts/${anna}`, { tags: ["stop"] });
    await app.settled();
    expect(await enrollmentOf(sandbox, id, enrollment)).toMatchObject({ status: "exited", reason: "tagged" });
  });

  test("an event that comes while the sequence is paused leads on once it is resumed", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const wait = { type: "wait", for_event: { event: "message.received" }, timeout: "2d", on_timeout: "cold" };
    const steps = [sending("Hi"), wait, sending("Answered", { next: null }), { id: "cold", ...sending("Silent") }];
    const id = await makeSequence(sandbox, { steps });
    await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    await sandbox.post(`/v1/sequences/${id}/pause`);
    await receiveFrom(sandbox, { from: "@anna" });
    await journey(app, 3 * DAY);
    expect(await textsOf(sandbox)).toEqual(["Hi"]);
    await sandbox.post(`/v1/sequences/${id}/resume`);
    await journey(app, 3 * DAY);
    expect(await textsOf(sandbox)).toEqual(["Hi", "Answered"]);
  });

  test("whether somebody can enter again, the rule says", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = [sending("Hi")];
    const never = await makeSequence(sandbox, { steps });
    const later = await makeSequence(sandbox, { steps, reentry: { rule: "after", after: "2d" } });
    const always = await makeSequence(sandbox, { steps, reentry: { rule: "always" } });
    const contact_id = await makeContact(sandbox, { username: "anna" });
    for (const id of [never, later, always]) await enroll(sandbox, id, contact_id);
    await app.settled();
    const answers = async () => {
      const found: number[] = [];
      for (const id of [never, later, always]) found.push((await tryToEnroll(sandbox, id, { contact_id })).status);
      await app.settled();
      return found;
    };
    expect(await answers()).toEqual([409, 409, 200]);
    await journey(app, 2 * DAY);
    expect(await answers()).toEqual([409, 200, 200]);
  });

  test("a cap counts what all sequences send to a contact", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const begin = app.clock.now();
    const frequency_cap = { count: 1, per: "1d" };
    const one = await makeSequence(sandbox, { steps: [sending("A"), sending("B")], frequency_cap });
    const other = await makeSequence(sandbox, { steps: [sending("C")], frequency_cap });
    const anna = await makeContact(sandbox, { username: "anna" });
    await enroll(sandbox, one, anna);
    await app.settled();
    const held = await enroll(sandbox, other, anna);
    await app.settled();
    expect(await enrollmentOf(sandbox, other, held)).toMatchObject({ why: "frequency_cap", status: "active" });
    await journey(app, 4 * DAY);
    const days = (await outOf(sandbox)).map(({ created_at }) => (Date.parse(created_at) - begin) / DAY);
    expect(days).toEqual([0, 1, 2]);
  });

  test("a cap of a day is one of 23 hours where clocks are set forward, and nobody looks again and again", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    // The last Sunday of March, at 2:00 in Berlin.
    const year = new Date(app.clock.now()).getUTCFullYear() + 1;
    const change = new Date(Date.UTC(year, 2, 31));
    change.setUTCDate(31 - change.getUTCDay());
    await app.leap(change.getTime() - DAY + 12 * HOUR - app.clock.now());
    const id = await makeSequence(sandbox, { steps: [sending("A"), waiting("23h"), sending("B")], frequency_cap: { count: 1, per: "1d" } });
    await enroll(sandbox, id, await makeContact(sandbox, { username: "anna", timezone: "Europe/Berlin" }));
    await journey(app, 23 * HOUR);
    expect(await textsOf(sandbox)).toEqual(["A", "B"]);
  });

  test("triggers let contacts in: a new one, a tag, what is behind a start", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const created = await makeSequence(sandbox, { steps: [sending("New")], triggers: [{ event: "contact.created" }] });
    const tagged = await makeSequence(sandbox, { steps: [sending("Vip")], triggers: [{ event: "contact.tagged", tag: "vip" }] });
    const started = await makeSequence(sandbox, {
      steps: [sending("Started")],
      triggers: [{ event: "message.received", start_payload: "promo" }],
    });
    const anna = await makeContact(sandbox, { username: "anna" });
    await sandbox.patch(`/v1/contacts/${anna}`, { tags: ["other"] });
    await app.settled();
    expect(await enrollmentsIn(sandbox, tagged)).toEqual([]);
    await sandbox.patch(`/v1/contacts/${anna}`, { tags: ["other", "vip"] });
    const by = { env_id: sandbox.env_id, id: 7421, kind: "sandbox", username: null };
    const sender = { telegram_id: 8, username: "anna", first_name: "Anna", last_name: null };
    const start = (remote_id: string, start_payload: string) =>
      app.db.write((tx) => app.services.happened(tx, by, [arriving({ sender, remote_id, start_payload, at: app.clock.now() })]));
    await start("1", "other");
    await app.settled();
    expect(await enrollmentsIn(sandbox, started)).toEqual([]);
    await start("2", "promo");
    await app.settled();
    for (const id of [created, tagged, started])
      expect((await enrollmentsIn(sandbox, id)).map(({ contact_id }) => contact_id)).toEqual([anna]);
    expect(await app.live.get(`/v1/sequences/${created}/enrollments`)).toMatchObject({ status: 404 });
  });

  test("who is enrolled by many at once is in it once, and the others are told so", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = [sending("One"), waiting("1d")];
    const id = await makeSequence(sandbox, { steps, triggers: [{ event: "contact.tagged", tag: "vip" }] });
    for (let n = 0; n < 8; n++) {
      const contact_id = await makeContact(sandbox, { username: `person_${n}` });
      const asked = Array.from({ length: 4 }, () => tryToEnroll(sandbox, id, { contact_id }));
      await sandbox.patch(`/v1/contacts/${contact_id}`, { tags: ["vip"] });
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(statuses.filter((status) => status !== 409).length).toBeLessThanOrEqual(1);
      expect(statuses.filter((status) => status !== 409 && status !== 200)).toEqual([]);
    }
    // What another transaction holds just then is looked at again a second later.
    await app.advance(2_000);
    expect(await enrollmentsIn(sandbox, id)).toHaveLength(8);
    expect(await textsOf(sandbox)).toHaveLength(8);
  });

  test("what still waits in a queue does not leave behind an answer, a tag that ends it, or who is taken out", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = [sending("One"), sending("Two"), waiting("1d"), sending("Three")];
    const id = await makeSequence(sandbox, { steps, exit_on: { tags: ["stop"] } });
    await sandbox.patch("/v1/accounts/7421", { paused: true });
    const people = new Map<string, { contact: string; enrollment: string }>();
    for (const username of ["anna", "ben", "carl", "dora"]) {
      const contact = await makeContact(sandbox, { username });
      people.set(username, { contact, enrollment: await enroll(sandbox, id, contact) });
    }
    await app.settled();
    expect(await textsOf(sandbox)).toHaveLength(8);
    await receiveFrom(sandbox, { from: "@anna" });
    await sandbox.patch(`/v1/contacts/${people.get("ben")!.contact}`, { tags: ["stop"] });
    await turn(sandbox, id, people.get("carl")!.enrollment, "unenroll");
    await app.settled();
    await sandbox.patch("/v1/accounts/7421", { paused: false });
    await app.advance(60_000);
    const { body } = await sandbox.get<{ items: { contact_id: string; status: string }[] }>("/v1/messages?limit=200&direction=out");
    const whose = new Map([...people].map(([username, { contact }]) => [contact, username]));
    const stands = body.items.map(({ contact_id, status }) => `${whose.get(contact_id)} ${status}`);
    expect(new Set(stands)).toEqual(new Set(["anna canceled", "ben canceled", "carl canceled", "dora sent"]));
    expect(await statisticsOf(sandbox, id)).toMatchObject({ sent: 2, exited: 3 });
  });

  test("an event that came in time leads on, though the time is over before it was heeded", async () => {
    await using app = await setup({ engine });
    const { sandbox, services } = app;
    const wait = { type: "wait", for_event: { event: "message.received" }, timeout: "2d", on_timeout: "cold" };
    const steps = [sending("Hi"), wait, sending("Answered", { next: null }), { id: "cold", ...sending("Silent") }];
    const id = await makeSequence(sandbox, { steps });
    for (const username of ["anna", "ben"]) await enroll(sandbox, id, await makeContact(sandbox, { username }));
    await app.leap(DAY);
    const { following } = services.sequencing;
    await following.stop();
    await receiveFrom(sandbox, { from: "@anna" });
    await app.leap(DAY);
    expect(await textsOf(sandbox)).toEqual(["Hi", "Hi"]);
    await following.start();
    await app.leap(1_000);
    expect((await textsOf(sandbox)).toSorted()).toEqual(["Answered", "Hi", "Hi", "Silent"]);
  });
});
