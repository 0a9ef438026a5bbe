import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Enrollment } from "#src/modules/sequences/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { move } from "#test/support/rehearsing.ts";
import { makeContact } from "#test/support/scoring.ts";

const DAY_MS = 86_400_000;
const SLACK_MS = 30_000;

const sending = (text: string) => ({ type: "send", text, account_id: 7421 });

describe.each(appEngines)("a sequence on a moved clock on %s", (engine) => {
  test("leads people through all its days in one move, each step at its time", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const steps = [sending("One"), { type: "wait", for: "3d" }, sending("Two"), { type: "wait", for: "36h" }, sending("Three")];
    const { body: sequence } = await sandbox.post<{ id: string }>("/v1/sequences", { name: "Welcome", steps });
    expect((await sandbox.post(`/v1/sequences/${sequence.id}/activate`)).status).toBe(200);
    const contact_id = await makeContact(sandbox, { username: "anna" });
    const start = app.clock.now();
    const { body: enrolled } = await sandbox.post<Enrollment>(`/v1/sequences/${sequence.id}/enroll`, { contact_id });
    const path = `/v1/sequences/${sequence.id}/enrollments/${enrolled.id}`;
    expect(await move(app, sandbox, { advance: "4d" })).toMatchObject({ sent: 2 });
    const { body: waiting } = await sandbox.get<Enrollment>(path);
    expect(Math.abs(Date.parse(waiting.next_at!) - start - 4.5 * DAY_MS)).toBeLessThan(SLACK_MS);
    expect(await move(app, sandbox, { advance: "10d" })).toMatchObject({ sent: 1, events: { "sequence.completed": 1 } });
    expect((await sandbox.get<Enrollment>(path)).body.status).toBe("completed");
    const { body } = await sandbox.get<Page<Message>>("/v1/messages?direction=out");
    const sent = body.items.toReversed();
    expect(sent.map(({ text }) => text)).toEqual(["One", "Two", "Three"]);
    for (const [at, days] of [0, 3, 4.5].entries())
      expect(Math.abs(Date.parse(sent[at]!.sent_at!) - start - days * DAY_MS)).toBeLessThan(SLACK_MS);
  });
});
