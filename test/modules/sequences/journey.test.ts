import { describe, expect, test } from "bun:test";
import type { Enrollment } from "#src/modules/sequences/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { makeContact } from "#test/support/scoring.ts";

const DAY = 86_400_000;

async function makeSequence(app: TestApp, ask: object): Promise<string> {
  const { status, body } = await app.sandbox.post<{ id: string }>("/v1/sequences", { name: "Welcome", ...ask });
  expect([status, body]).toMatchObject([201, {}]);
  const activated = await app.sandbox.post(`/v1/sequences/${body.id}/activate`);
  expect(activated).toMatchObject({ status: 200 });
  return body.id;
}

async function enroll(app: TestApp, sequence: string, contact_id: string): Promise<Enrollment> {
  const { status, body } = await app.sandbox.post<Enrollment>(`/v1/sequences/${sequence}/enroll`, { contact_id });
  expect([status, body]).toMatchObject([200, { status: "active" }]);
  return body;
}

const texts = async (app: TestApp) => {
  const { body } = await app.sandbox.get<{ items: { text: string; created_at: string; direction: string }[] }>(
    "/v1/messages?limit=200&direction=out",
  );
  return body.items.map(({ text }) => text).toReversed();
};

const sending = (text: string, more: object = {}) => ({ type: "send", text, account_id: 7421, ...more });

describe.each(appEngines)("a journey through a sequence on %s", (engine) => {
  test("sends at once, waits its days, and completes", async () => {
    await using app = await setup({ engine });
    const id = await makeSequence(app, { steps: [sending("Hello {first_name}"), { type: "wait", for: "3d" }, sending("Still there?")] });
    const contact = await makeContact(app.sandbox, { username: "anna", first_name: "Anna" });
    const { id: enrollment } = await enroll(app, id, contact);
    await app.settled();
    expect(await texts(app)).toEqual(["Hello Anna"]);
    const waiting = await app.sandbox.get<Enrollment>(`/v1/sequences/${id}/enrollments/${enrollment}`);
    expect(waiting.body).toMatchObject({ status: "active", step: "step_2", why: "wait", account_id: 7421 });
    await app.leap(3 * DAY - 1);
    expect(await texts(app)).toHaveLength(1);
    await app.advance(1);
    expect(await texts(app)).toEqual(["Hello Anna", "Still there?"]);
    const { body } = await app.sandbox.get<Enrollment>(`/v1/sequences/${id}/enrollments/${enrollment}`);
    expect(body).toMatchObject({ status: "completed", step: null, next_at: null });
  });
});
