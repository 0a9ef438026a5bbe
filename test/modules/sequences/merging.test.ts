import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { makeContact } from "#test/support/scoring.ts";
import { enroll, enrollmentOf, makeSequence, outOf, sending, statisticsOf, waiting } from "#test/support/sequences.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const steps = [sending("One"), waiting("1d"), sending("Two"), waiting("1d"), sending("Three")];

async function merge(caller: Caller, survivor: string, contact_id: string): Promise<string> {
  const { status, body, text } = await caller.post<{ id: string }>(`/v1/contacts/${survivor}/merge`, { contact_id });
  if (status !== 200) throw new Error(`the merge was refused: ${text}`);
  return body.id;
}

async function undo(caller: Caller, id: string): Promise<void> {
  const { status, text } = await caller.post(`/v1/merges/${id}/undo`);
  if (status !== 200) throw new Error(`the merge was not undone: ${text}`);
}

/** What went to whom, as they are now, the oldest first. */
const sent = async (caller: Caller) => (await outOf(caller)).map(({ contact_id, text }) => [contact_id, text]);

describe.each(appEngines)("contacts in sequences who are merged on %s", (engine) => {
  test("go on as the one that stays, and by themselves once that is undone; each message leaves once", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps });
    const [anna, twin] = [await makeContact(sandbox, { username: "anna" }), await makeContact(sandbox, { username: "twin" })];
    const enrollment = await enroll(sandbox, id, twin);
    await app.settled();
    const merged = await merge(sandbox, anna, twin);
    await app.settled();
    expect(await enrollmentOf(sandbox, id, enrollment)).toMatchObject({ contact_id: anna, status: "active" });
    await app.leap(DAY);
    await undo(sandbox, merged);
    await app.settled();
    expect(await enrollmentOf(sandbox, id, enrollment)).toMatchObject({ contact_id: twin, status: "active" });
    await app.leap(DAY);
    expect(await sent(sandbox)).toEqual([
      [twin, "One"],
      [anna, "Two"],
      [twin, "Three"],
    ]);
    expect(await enrollmentOf(sandbox, id, enrollment)).toMatchObject({ contact_id: twin, status: "completed" });
  });

  test("leave a sequence once in which both are, and go on where they were once that is undone", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps });
    const [anna, twin] = [await makeContact(sandbox, { username: "anna" }), await makeContact(sandbox, { username: "twin" })];
    const [stays, goes] = [await enroll(sandbox, id, anna), await enroll(sandbox, id, twin)];
    await app.leap(HOUR);
    const merged = await merge(sandbox, anna, twin);
    await app.leap(DAY);
    expect(await enrollmentOf(sandbox, id, goes)).toMatchObject({ status: "exited", reason: "contact_merged", next_at: null });
    expect(await statisticsOf(sandbox, id)).toMatchObject({ entered: 2, exited: 1 });
    await undo(sandbox, merged);
    await app.settled();
    expect(await enrollmentOf(sandbox, id, goes)).toMatchObject({ status: "active", reason: null, ended_at: null, contact_id: twin });
    await app.leap(DAY);
    const all = await sent(sandbox);
    for (const contact of [anna, twin])
      expect(all.filter(([to]) => to === contact).map(([, text]) => text)).toEqual(["One", "Two", "Three"]);
    for (const enrollment of [stays, goes]) expect(await enrollmentOf(sandbox, id, enrollment)).toMatchObject({ status: "completed" });
    expect(await statisticsOf(sandbox, id)).toMatchObject({ entered: 2, completed: 2, exited: 0 });
  });

  test("wait with their sequence where that was paused meanwhile, and stay out where it was archived", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const [paused, archived] = [await makeSequence(sandbox, { steps }), await makeSequence(sandbox, { steps })];
    const [anna, twin] = [await makeContact(sandbox, { username: "anna" }), await makeContact(sandbox, { username: "twin" })];
    const goes: string[] = [];
    for (const id of [paused, archived]) {
      await enroll(sandbox, id, anna);
      goes.push(await enroll(sandbox, id, twin));
    }
    await app.settled();
    const merged = await merge(sandbox, anna, twin);
    await app.settled();
    await sandbox.post(`/v1/sequences/${paused}/pause`);
    await sandbox.post(`/v1/sequences/${archived}/archive`);
    await undo(sandbox, merged);
    await app.leap(2 * DAY);
    expect(await enrollmentOf(sandbox, paused, goes[0]!)).toMatchObject({ status: "active", why: "sequence_paused", next_at: null });
    expect(await enrollmentOf(sandbox, archived, goes[1]!)).toMatchObject({ status: "exited", reason: "contact_merged" });
    await sandbox.post(`/v1/sequences/${paused}/resume`);
    await app.leap(DAY);
    const texts = (await sent(sandbox)).filter(([to]) => to === twin).map(([, text]) => text);
    expect(texts).toEqual(["One", "One", "Two", "Three"]);
  });

  test("are led on as who they are by then, also where the merge and its undoing were not heeded yet", async () => {
    await using app = await setup({ engine });
    const { sandbox, services } = app;
    const id = await makeSequence(sandbox, { steps });
    const [anna, twin] = [await makeContact(sandbox, { username: "anna" }), await makeContact(sandbox, { username: "twin" })];
    const enrollment = await enroll(sandbox, id, twin);
    await app.settled();
    const { following } = services.sequencing;
    await following.stop();
    const merged = await merge(sandbox, anna, twin);
    await app.leap(DAY);
    await undo(sandbox, merged);
    await app.leap(DAY);
    await following.start();
    await app.leap(DAY);
    expect(await sent(sandbox)).toEqual([
      [twin, "One"],
      [anna, "Two"],
      [twin, "Three"],
    ]);
    expect(await enrollmentOf(sandbox, id, enrollment)).toMatchObject({ contact_id: twin, status: "completed" });
  });
});
