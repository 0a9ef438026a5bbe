import { describe, expect, test } from "bun:test";
import type { Task } from "#src/modules/tasks/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
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
  toldOf,
  turn,
  waiting,
} from "#test/support/sequences.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.each(appEngines)("people in sequences that are led by hand on %s", (engine) => {
  test("a pause holds one, a resume goes on, and a stale If-Match changes nothing", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [sending("One"), waiting("1d"), sending("Two")] });
    const of = await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    const { headers } = await sandbox.get(`/v1/sequences/${id}/enrollments/${of}`);
    const match = { "if-match": headers.get("etag")! };
    await app.leap(1_000);
    expect((await turn(sandbox, id, of, "pause", undefined, match)).status).toBe(200);
    expect((await turn(sandbox, id, of, "resume", undefined, match)).status).toBe(412);
    await journey(app, 3 * DAY);
    expect(await textsOf(sandbox)).toEqual(["One"]);
    expect((await turn(sandbox, id, of, "resume")).body).toMatchObject({ status: "active", why: "wait" });
    await app.settled();
    expect(await textsOf(sandbox)).toEqual(["One", "Two"]);
    const told = await toldOf(sandbox, "sequence.started", "sequence.paused", "sequence.resumed", "sequence.completed");
    expect(told.map(({ event }) => event)).toEqual(["sequence.started", "sequence.paused", "sequence.resumed", "sequence.completed"]);
  });

  test("a skip passes a wait over, a move goes anywhere, and whoever is taken out stays out", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = [waiting("9d"), sending("One"), waiting("9d"), { id: "last", ...sending("Last") }];
    const id = await makeSequence(sandbox, { steps });
    const [anna, ben] = [await makeContact(sandbox, { username: "anna" }), await makeContact(sandbox, { username: "ben" })];
    const one = await enroll(sandbox, id, anna);
    const other = await enroll(sandbox, id, ben);
    await app.settled();
    await turn(sandbox, id, one, "skip");
    await app.settled();
    expect(await textsOf(sandbox)).toEqual(["One"]);
    await turn(sandbox, id, one, "move", { step: "last" });
    expect((await turn(sandbox, id, other, "unenroll", { reason: "asked" })).body).toMatchObject({ status: "exited", reason: "asked" });
    expect((await turn(sandbox, id, other, "resume")).status).toBe(409);
    await journey(app, 20 * DAY);
    expect(await textsOf(sandbox)).toEqual(["One", "Last"]);
  });

  test("a sequence that is paused sends nothing, and what fell due is sent once when it is resumed", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [waiting("1d"), sending("One"), waiting("1d"), sending("Two")] });
    for (const username of ["anna", "ben"]) await enroll(sandbox, id, await makeContact(sandbox, { username }));
    await app.settled();
    await sandbox.post(`/v1/sequences/${id}/pause`);
    await journey(app, 5 * DAY);
    expect(await textsOf(sandbox)).toEqual([]);
    await sandbox.post(`/v1/sequences/${id}/resume`);
    await app.settled();
    expect(await textsOf(sandbox)).toEqual(["One", "One"]);
    await journey(app, DAY);
    expect(await textsOf(sandbox)).toEqual(["One", "One", "Two", "Two"]);
  });

  test("who is in the middle finishes on their version, unless they are moved", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = (text: string) => [
      { id: "wait", ...waiting("1d") },
      { id: "say", ...sending(text) },
    ];
    const id = await makeSequence(sandbox, { steps: steps("Old") });
    await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    expect((await sandbox.patch(`/v1/sequences/${id}`, { steps: steps("New") })).status).toBe(200);
    await enroll(sandbox, id, await makeContact(sandbox, { username: "ben" }));
    await journey(app, DAY + HOUR);
    expect(await textsOf(sandbox)).toEqual(["Old", "New"]);
    await enroll(sandbox, id, await makeContact(sandbox, { username: "carl" }));
    await app.settled();
    await sandbox.patch(`/v1/sequences/${id}`, { steps: steps("Newest"), move_enrolled: true });
    await journey(app, DAY + HOUR);
    expect(await textsOf(sandbox)).toEqual(["Old", "New", "Newest"]);
  });

  test("all with a tag are enrolled by a job, each once, and counted by day", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [sending("One"), { type: "goal" }] });
    for (let n = 0; n < 70; n++) await makeContact(sandbox, { username: `person_${n}`, tags: n % 7 === 0 ? [] : ["all"] });
    const { status, body } = await sandbox.post<Task>(`/v1/sequences/${id}/enroll`, { tag: "all" });
    expect(status).toBe(202);
    await app.advance(60_000);
    expect((await sandbox.get<Task>(`/v1/jobs/${body.id}`)).body).toMatchObject({ status: "done", result: { enrolled: 60, skipped: {} } });
    await sandbox.post<Task>(`/v1/sequences/${id}/enroll`, { filter: { tag: "all" } });
    await app.advance(60_000);
    expect(await enrollmentsIn(sandbox, id)).toHaveLength(60);
    const counts = { entered: 60, completed: 60, sent: 60, converted: 60, failed: 0 };
    const statistics = await statisticsOf(sandbox, id);
    expect(statistics).toMatchObject({ ...counts, active: 0 });
    expect(statistics.days).toMatchObject([counts]);
  });

  test("statistics tell the steps in the order of the sequence, and of some days those of these alone", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = [
      { id: "z_first", ...sending("One") },
      { id: "m_rest", ...waiting("1d") },
      { id: "a_last", ...sending("Two") },
    ];
    const id = await makeSequence(sandbox, { steps });
    await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    const begun = new Date(app.clock.now()).toISOString().slice(0, 10);
    await journey(app, 2 * DAY);
    const told = await statisticsOf(sandbox, id);
    expect(told.steps.map(({ step }) => step)).toEqual(["z_first", "m_rest", "a_last"]);
    expect(told.days).toHaveLength(2);
    const first = await statisticsOf(sandbox, id, `?from=${begun}&to=${begun}`);
    expect(first).toMatchObject({ entered: 1, sent: 1, completed: 0, days: [{ day: begun }] });
    expect((await statisticsOf(sandbox, id, `?from=2000-01-01&to=2000-01-02`)).days).toEqual([]);
  });

  test("a template that is gone ends it as failed, and others go on", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const { body: template } = await sandbox.post<{ id: string }>("/v1/templates", { name: "hello", body: "Hello" });
    const id = await makeSequence(sandbox, { steps: [waiting("1d"), { type: "send", template_id: template.id, account_id: 7421 }] });
    const other = await makeSequence(sandbox, { steps: [waiting("1d"), sending("Other")] });
    const anna = await makeContact(sandbox, { username: "anna" });
    const [one, two] = [await enroll(sandbox, id, anna), await enroll(sandbox, other, anna)];
    await app.settled();
    expect((await sandbox.delete(`/v1/templates/${template.id}`)).status).toBeLessThan(300);
    await journey(app, 2 * DAY);
    expect(await enrollmentOf(sandbox, id, one)).toMatchObject({ status: "failed", reason: "template_gone" });
    expect(await enrollmentOf(sandbox, other, two)).toMatchObject({ status: "completed" });
    expect(await textsOf(sandbox)).toEqual(["Other"]);
  });

  test("what fell due while the program was away is done late, once, in order, inside the window", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const window = { from: "08:00", to: "18:00" };
    const id = await makeSequence(sandbox, { steps: [waiting("6h"), sending("One"), waiting("6h"), sending("Two")], window });
    const contacts: string[] = [];
    for (let n = 0; n < 30; n++) {
      contacts.push(await makeContact(sandbox, { username: `person_${n}` }));
      await enroll(sandbox, id, contacts[n]!);
      await app.leap(60_000);
    }
    await app.stop();
    app.clock.advance(2 * DAY);
    await using again = await setup({ engine, after: app });
    await again.settled();
    const noon = again.clock.now();
    const late = await outOf(again.sandbox);
    expect(late.map(({ contact_id }) => contact_id)).toEqual(contacts);
    expect(late.every(({ text, created_at }) => text === "One" && Date.parse(created_at) === noon)).toBe(true);
    await journey(again, 2 * DAY);
    const sent = await outOf(again.sandbox);
    expect(sent).toHaveLength(60);
    for (const { created_at } of sent) {
      expect(new Date(created_at).getUTCHours()).toBeGreaterThanOrEqual(8);
      expect(new Date(created_at).getUTCHours()).toBeLessThan(18);
    }
  });

  test("what is done a moment late is held against the window and the cap of that moment", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const window = { from: "08:00", to: "18:00" };
    const id = await makeSequence(sandbox, { steps: [{ type: "wait", until: { time: "17:59" } }, waiting("50s"), sending("One")], window });
    await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    // It is noon. The second wait ends ten seconds before the window does, and is looked at twenty seconds later.
    await app.leap(6 * HOUR - 60_000);
    await app.leap(70_000);
    expect(await textsOf(sandbox)).toEqual([]);
    await journey(app, DAY);
    const [sent] = await outOf(sandbox);
    expect(new Date(sent!.created_at).getUTCHours()).toBe(8);
  });

  test("faults that were overcome don't count when there is another", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [waiting("1d"), sending("One"), waiting("1d"), sending("Two")] });
    const of = await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    const row = () => app.db.read.selectFrom("enrollments").select("state").where("id", "=", of).executeTakeFirstOrThrow();
    await app.db.write((tx) => app.db.in(tx).updateTable("enrollments").set({ state: '{"faults":4}' }).where("id", "=", of).execute());
    await app.leap(DAY);
    expect(await textsOf(sandbox)).toEqual(["One"]);
    expect(JSON.parse((await row()).state)).not.toHaveProperty("faults");
  });

  test("a sequence that is archived is told of each who was in it, and counted, and what waited in a queue stays", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [sending("One"), { id: "rest", ...waiting("1d") }, sending("Two")] });
    await sandbox.patch("/v1/accounts/7421", { paused: true });
    const enrollments: string[] = [];
    for (const username of ["anna", "ben", "carl"]) enrollments.push(await enroll(sandbox, id, await makeContact(sandbox, { username })));
    await app.settled();
    await turn(sandbox, id, enrollments[1]!, "pause");
    await turn(sandbox, id, enrollments[2]!, "unenroll");
    await sandbox.post(`/v1/sequences/${id}/archive`);
    for (const verb of ["skip", "resume"]) expect((await turn(sandbox, id, enrollments[1]!, verb)).status).toBe(409);
    await app.settled();
    await sandbox.patch("/v1/accounts/7421", { paused: false });
    await app.leap(2 * DAY);
    for (const of of enrollments.slice(0, 2))
      expect(await enrollmentOf(sandbox, id, of)).toMatchObject({ status: "exited", reason: "archived", step: null, next_at: null });
    expect((await toldOf(sandbox, "sequence.exited")).map(({ subject }) => subject)).toHaveLength(3);
    const { steps, ...all } = await statisticsOf(sandbox, id);
    expect(all).toMatchObject({ entered: 3, exited: 3, sent: 0, active: 0, paused: 0 });
    expect(steps).toContainEqual(expect.objectContaining({ step: "rest", left: 3 }));
  });

  test("a tag that somebody adds while a step takes another away is kept", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [{ type: "untag", tag: "old" }] });
    const people: string[] = [];
    for (let n = 0; n < 12; n++) people.push(await makeContact(sandbox, { username: `person_${n}`, tags: ["old"] }));
    for (const contact of people) {
      const adding = (tag: string) => sandbox.patch(`/v1/contacts/${contact}`, { tags: [tag], tags_mode: "add" });
      await Promise.all([enroll(sandbox, id, contact), ...["a", "b", "c", "d", "e", "f"].map(adding)]);
      await app.settled();
    }
    await app.advance(2_000);
    for (const contact of people) {
      const { body } = await sandbox.get<{ tags: string[] }>(`/v1/contacts/${contact}`);
      expect(body.tags.toSorted()).toEqual(["a", "b", "c", "d", "e", "f"]);
    }
  });
});
