import { describe, expect, test } from "bun:test";
import { newId } from "#src/core/ids.ts";
import type { EnrollParams } from "#src/modules/sequences/enroll-kind.ts";
import type { Step, Task } from "#src/modules/tasks/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { makeContact } from "#test/support/scoring.ts";
import {
  enroll,
  enrollmentsIn,
  journey,
  makeSequence,
  sending,
  statisticsOf,
  tryToEnroll,
  turn,
  waiting,
} from "#test/support/sequences.ts";

const DAY = 86_400_000;
const faultOf = ({ status, body }: { status: number; body: unknown }) => {
  const [first] = (body as { details?: { field: string; error: string }[] }).details ?? [];
  return [status, first?.field, first?.error];
};

/** Contacts with a tag. */
async function makePeople(caller: Caller, count: number, tag: string): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(await makeContact(caller, { username: `person_${n}`, tags: [tag] }));
  return ids;
}

async function makeSegment(caller: Caller, filter: object): Promise<string> {
  return (await caller.post<{ id: string }>("/v1/segments", { name: "All", filter })).body.id;
}

/** Lets many in, and waits for the job. */
async function enrollMany(app: TestApp, sequence: string, ask: object): Promise<Task> {
  const { status, body, text } = await app.sandbox.post<Task>(`/v1/sequences/${sequence}/enroll`, ask);
  if (status !== 202) throw new Error(`they were not enrolled: ${text}`);
  await app.settled();
  return (await app.sandbox.get<Task>(`/v1/jobs/${body.id}`)).body;
}

/** The job as its steps are, each by hand. */
function byHand(app: TestApp, params: EnrollParams) {
  const [kind] = app.services.sequencing.kinds;
  const task = { env_id: app.sandbox.env_id, id: newId("job"), params, state: kind!.begin(params), progress: { done: 0, total: null } };
  const { signal } = new AbortController();
  return {
    /** @param isCrash the program ends before the step is committed */
    async step(isCrash = false): Promise<Step<unknown>> {
      const batch = await kind!.prepare(task, signal);
      let step: Step<unknown> | undefined;
      const work = app.db.write(async (tx) => {
        step = await kind!.apply(tx, task, batch);
        if (isCrash) throw new Error("the program ends");
      });
      await (isCrash ? expect(work).rejects.toThrow("the program ends") : work);
      if (!isCrash) Object.assign(task, { state: step!.state, progress: step!.progress });
      return step!;
    },
    result: () => kind!.result(task.state),
  };
}

describe.each(appEngines)("many who enter a sequence on %s", (engine) => {
  test("are those of a segment, page by page, each once, also where the program ends within a page", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const people = await makePeople(sandbox, 120, "all");
    await makeContact(sandbox, { username: "stranger" });
    const segment_id = await makeSegment(sandbox, { tag: "all" });
    const id = await makeSequence(sandbox, { steps: [waiting("1d"), sending("One")] });
    const job = byHand(app, { sequence_id: id, audience: { segment_id }, start_at: null, actor: "key_test" });
    expect(await job.step(true)).toMatchObject({ kind: "more" });
    expect(await enrollmentsIn(sandbox, id)).toEqual([]);
    expect(await job.step()).toMatchObject({ kind: "more", progress: { done: 50, total: null } });
    // One of the next page enters by a request, and one leaves the segment.
    await enroll(sandbox, id, people[70]!);
    await sandbox.patch(`/v1/contacts/${people[80]}`, { tags: [] });
    await job.step(true);
    await job.step();
    expect(await job.step()).toMatchObject({ kind: "done", progress: { done: 119, total: 119 } });
    expect(job.result()).toEqual({ enrolled: 118, skipped: { in_it_already: 1 } });
    const inIt = await enrollmentsIn(sandbox, id);
    expect(inIt.map(({ contact_id }) => contact_id).toSorted()).toEqual(people.filter((_, at) => at !== 80).toSorted());
    expect(await statisticsOf(sandbox, id)).toMatchObject({ entered: 119, active: 119 });
  });

  test("are passed over where the rules of the sequence are against it, and counted by why", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const people = await makePeople(sandbox, 6, "all");
    const segment_id = await makeSegment(sandbox, { tag: "all" });
    const steps = [waiting("1d"), sending("One")];
    const once = await makeSequence(sandbox, { steps });
    const later = await makeSequence(sandbox, { steps, reentry: { rule: "after", after: "2d" } });
    const always = await makeSequence(sandbox, { steps, reentry: { rule: "always" } });
    for (const id of [once, later, always]) {
      await turn(sandbox, id, await enroll(sandbox, id, people[0]!), "unenroll", {});
      await enroll(sandbox, id, people[1]!);
    }
    const results = async () => {
      const found: unknown[] = [];
      for (const id of [once, later, always]) found.push((await enrollMany(app, id, { segment_id })).result);
      return found;
    };
    expect(await results()).toEqual([
      { enrolled: 4, skipped: { was_in_it: 1, in_it_already: 1 } },
      { enrolled: 4, skipped: { too_soon: 1, in_it_already: 1 } },
      { enrolled: 5, skipped: { in_it_already: 1 } },
    ]);
    await journey(app, 2 * DAY);
    expect(await results()).toEqual([
      { enrolled: 0, skipped: { was_in_it: 6 } },
      { enrolled: 1, skipped: { too_soon: 5 } },
      { enrolled: 6, skipped: {} },
    ]);
    await sandbox.post(`/v1/sequences/${always}/pause`);
    expect((await tryToEnroll(sandbox, always, { segment_id })).status).toBe(409);
  });

  test("are told of by a field of the request, and a tag is one however it is spaced", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, 2, "VIP club");
    const id = await makeSequence(sandbox, { steps: [sending("One")] });
    const refused = async (ask: object) => faultOf(await tryToEnroll(sandbox, id, ask));
    const segment_id = newId("seg");
    expect(await refused({ segment_id })).toEqual([422, "segment_id", "not_found"]);
    expect(await refused({ filter: { or: [{ tag: "a" }, { field: "plan", op: "is_set" }] } })).toEqual([
      422,
      "filter.or.1.field",
      "not_found",
    ]);
    expect(await refused({ tag: "  " })).toEqual([422, "tag", "too_short"]);
    expect(await refused({})).toEqual([422, "contact_id", "required"]);
    expect(await refused({ tag: "a", segment_id })).toEqual([422, "tag", "not_allowed"]);
    expect(await refused({ tag: "a", start_at: "nowhere" })).toEqual([422, "start_at", "not_found"]);
    for (const contact_id of ["anna", "", "1.5", "-1", -1, 0, 1e21]) expect((await refused({ contact_id }))[0]).toBe(422);
    expect(await enrollMany(app, id, { tag: " VIP  club " })).toMatchObject({ status: "done", result: { enrolled: 2 } });
  });

  test("enter no further where their segment, or the step that they begin with, is gone, and the job says so", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, 60, "all");
    const segment_id = await makeSegment(sandbox, { tag: "all" });
    const steps = [sending("One"), { id: "last", ...waiting("1d") }];
    const id = await makeSequence(sandbox, { steps });
    const job = byHand(app, { sequence_id: id, audience: { segment_id }, start_at: "last", actor: "key_test" });
    const other = byHand(app, { sequence_id: id, audience: { tag: "all" }, start_at: "last", actor: "key_test" });
    await job.step();
    expect((await sandbox.delete(`/v1/segments/${segment_id}`)).status).toBe(204);
    expect(await job.step()).toMatchObject({ kind: "failed", error: { code: "validation_error" }, progress: { done: 50 } });
    expect(job.result()).toEqual({ enrolled: 50, skipped: {} });
    await sandbox.patch(`/v1/sequences/${id}`, { steps: [sending("One")] });
    expect(await other.step()).toMatchObject({ kind: "failed", error: { code: "validation_error" } });
    expect(await enrollmentsIn(sandbox, id)).toHaveLength(50);
  });

  test("and are the same contact, who asks many times at once, are let in once", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const always = { reentry: { rule: "always" } };
    const id = await makeSequence(sandbox, { steps: [waiting("1d"), sending("One")], ...always });
    const contact_id = await makeContact(sandbox, { username: "anna" });
    const answers = await Promise.all(Array.from({ length: 8 }, () => tryToEnroll(sandbox, id, { contact_id })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
    const { id: enrollment_id } = answers.find(({ status }) => status === 200)!.body;
    for (const { status, body } of answers)
      if (status === 409) expect(body as unknown).toMatchObject({ reason: "in_it_already", enrollment_id });
    expect(await statisticsOf(sandbox, id)).toMatchObject({ entered: 1, active: 1 });
  });

  test("and go on by hand are never due in a sequence that is being paused", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const id = await makeSequence(sandbox, { steps: [waiting("1d"), sending("One")] });
    const of = await enroll(sandbox, id, await makeContact(sandbox, { username: "anna" }));
    await app.settled();
    for (let round = 0; round < 10; round++) {
      await turn(sandbox, id, of, "pause");
      const [paused] = await Promise.all([sandbox.post(`/v1/sequences/${id}/pause`), turn(sandbox, id, of, "resume")]);
      expect(paused.status).toBe(200);
      expect(await enrollmentsIn(sandbox, id)).toMatchObject([{ status: "active", next_at: null, why: "sequence_paused" }]);
      await sandbox.post(`/v1/sequences/${id}/resume`);
      expect(await enrollmentsIn(sandbox, id)).toMatchObject([{ status: "active", why: "wait" }]);
    }
  });

  test("and are led there by sequences are not led around without end", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const reentry = { rule: "always" };
    const one = await makeSequence(sandbox, { steps: [{ type: "goal" }], reentry });
    const other = await makeSequence(sandbox, { steps: [{ type: "enroll", sequence_id: one }], reentry });
    await sandbox.patch(`/v1/sequences/${one}`, { steps: [{ type: "enroll", sequence_id: other }] });
    const triggers = [{ event: "contact.tagged", tag: "again" }];
    const tagging = [
      { type: "untag", tag: "again" },
      { type: "tag", tag: "again" },
    ];
    const own = await makeSequence(sandbox, { steps: tagging, reentry, triggers });
    const anna = await makeContact(sandbox, { username: "anna", tags: ["again"] });
    await enroll(sandbox, one, anna);
    await app.settled();
    for (const id of [one, other, own]) expect(await enrollmentsIn(sandbox, id)).toMatchObject([{ status: "completed" }]);
    await sandbox.patch(`/v1/contacts/${anna}`, { tags: [] });
    await sandbox.patch(`/v1/contacts/${anna}`, { tags: ["again"] });
    await app.settled();
    expect(await enrollmentsIn(sandbox, own)).toHaveLength(2);
    await app.leap(60_000);
    await enroll(sandbox, one, anna);
    await app.settled();
    expect([(await enrollmentsIn(sandbox, one)).length, (await enrollmentsIn(sandbox, other)).length]).toEqual([2, 2]);
  });
});
