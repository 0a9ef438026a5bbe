import { describe, expect, test } from "bun:test";
import { appEngines, setup } from "#test/support/app.ts";

interface Upserted {
  id: string;
  number: number;
  created: boolean;
  tags: string[];
}

describe.each(appEngines)("an upsert on %s", (engine) => {
  test("makes a contact, and the next one changes it", async () => {
    await using app = await setup({ engine });
    const made = await app.live.post<Upserted>("/v1/contacts", {
      username: "@Sarah_Miller",
      name: "  Sarah   Jane Miller ",
      email: "Sarah@Example.com",
      phone: "+44 7700 900123",
      tags: ["trial", " webinar-2026-06 ", "trial"],
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      created: true,
      number: 1,
      username: "sarah_miller",
      name: "Sarah Jane Miller",
      first_name: "Sarah",
      last_name: "Jane Miller",
      email: "sarah@example.com",
      phone: "+447700900123",
      tags: ["trial", "webinar-2026-06"],
      consent: null,
    });
    app.clock.advance(1_000);
    const again = await app.live.post<Upserted>("/v1/contacts", { username: "SARAH_MILLER", language: "en-gb", tags: ["paying"] });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      id: made.body.id,
      created: false,
      email: "sarah@example.com",
      language: "en-GB",
      tags: ["trial", "webinar-2026-06", "paying"],
    });
  });

  test("finds the person by any identity, and adds the others", async () => {
    await using app = await setup({ engine });
    const { body } = await app.live.post<Upserted>("/v1/contacts", { external_id: "c-1", telegram_id: 42 });
    for (const [by, more] of [
      [{ external_id: "c-1" }, { email: "a@example.com" }],
      [{ telegram_id: 42 }, { phone: "+14155552671" }],
      [{ email: "A@example.com" }, { username: "some_body" }],
      [{ phone: "+1 415 555 2671" }, {}],
      [{ username: "@Some_Body" }, {}],
    ])
      expect((await app.live.post<Upserted>("/v1/contacts", { ...by, ...more })).body).toMatchObject({ id: body.id, created: false });
  });

  test("clears with null, and replaces tags when asked to", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { username: "some_body", name: "Some Body", tags: ["a", "b"], consent: { status: "granted" } });
    const { body } = await app.live.post("/v1/contacts", {
      username: "some_body",
      name: null,
      tags: ["b", "c"],
      tags_mode: "replace",
      consent: null,
    });
    expect(body).toMatchObject({ name: null, first_name: null, tags: ["b", "c"], consent: null, username: "some_body" });
  });

  test("names both people when the identities belong to two", async () => {
    await using app = await setup({ engine });
    const one = await app.live.post<Upserted>("/v1/contacts", { username: "first_one" });
    const two = await app.live.post<Upserted>("/v1/contacts", { email: "two@example.com" });
    const clash = await app.live.post<{ code: string; detail: string; contact_ids: string[] }>("/v1/contacts", {
      username: "first_one",
      email: "two@example.com",
    });
    expect(clash.status).toBe(409);
    expect(clash.body.contact_ids).toEqual([one.body.id, two.body.id]);
    expect(clash.body.detail).toContain(one.body.id);
    expect(clash.body.detail).toContain(two.body.id);
  });

  test("of one person by fifty at once makes one contact", async () => {
    await using app = await setup({ engine });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        app.live.post<Upserted>("/v1/contacts", {
          username: "same_person",
          ...(at % 2 === 0 ? { email: "same@example.com" } : {}),
          tags: [`t${at}`],
        }),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const { body } = await app.live.get<{ total: number; items: Upserted[] }>("/v1/contacts");
    expect(body.total).toBe(1);
    expect(body.items[0]!.tags).toHaveLength(50);
  });

  test("of one person by each of their identities at once loses nothing that one of them gave", async () => {
    await using app = await setup({ engine });
    const identities = { external_id: "c-1", telegram_id: 42, username: "some_body", email: "a@example.com", phone: "+14155552671" };
    await app.live.post("/v1/contacts", identities);
    const own = [{ name: "Some Body" }, { language: "en" }, { timezone: "Europe/Berlin" }, { metadata: { plan: "pro" } }];
    await Promise.all(
      Object.entries(identities).flatMap(([name, value]) =>
        Array.from({ length: 8 }, (_, at) => app.live.post("/v1/contacts", { [name]: value, ...own[at], tags: [`${name} ${at}`] })),
      ),
    );
    const { body } = await app.live.get<{ items: Upserted[] }>("/v1/contacts");
    expect(body.items).toMatchObject([{ name: "Some Body", language: "en", timezone: "Europe/Berlin", metadata: { plan: "pro" } }]);
    expect(body.items[0]!.tags).toHaveLength(40);
  });

  test("takes a person who is deleted or renamed meanwhile for somebody else", async () => {
    await using app = await setup({ engine });
    for (let round = 0; round < 10; round++) {
      const email = `p${round}@example.com`;
      const { body } = await app.live.post<Upserted>("/v1/contacts", { email });
      const leave =
        round % 2 === 0 ? app.live.delete(`/v1/contacts/${body.id}`) : app.live.patch(`/v1/contacts/${body.id}`, { email: null });
      const [, again] = await Promise.all([leave, app.live.post<Upserted>("/v1/contacts", { email, tags: ["back"] })]);
      const { body: page } = await app.live.get<{ items: (Upserted & { email: string | null })[] }>("/v1/contacts?limit=200");
      const has = page.items.filter((contact) => contact.email === email);
      // Whoever came first: the tag is on whom the answer names, if they are here and have the address.
      expect(has.every(({ id, tags }) => id === again.body.id && tags.includes("back"))).toBe(true);
      expect(has).toHaveLength(again.body.created ? 1 : 0);
    }
  });

  test("in a batch takes or refuses each by itself", async () => {
    await using app = await setup({ engine });
    const { status, body } = await app.live.post<{ results: object[] }>("/v1/contacts/batch", {
      contacts: [{ username: "first_one" }, { username: "no" }, { username: "First_One", name: "One" }, { email: "two@example.com" }],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      created: 2,
      updated: 1,
      refused: 1,
      results: [
        { index: 0, number: 1, created: true },
        { index: 1, error: { code: "validation_error", details: [{ field: "username", error: "bad_format" }] } },
        { index: 2, number: 1, created: false },
        { index: 3, number: 2, created: true },
      ],
    });
  });

  test("tells what happened in the event log, and nothing when nothing changed", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { username: "some_body", tags: ["a"] });
    await app.live.post("/v1/contacts", { username: "some_body", tags: ["a"] });
    await app.live.post("/v1/contacts", { username: "some_body", name: "Some Body", tags: ["b"], tags_mode: "replace" });
    const { body } = await app.live.get<{ items: { event: string; data: Record<string, unknown> }[] }>("/v1/events");
    expect(body.items.map(({ event }) => event)).toEqual([
      "contact.created",
      "contact.tagged",
      "contact.updated",
      "contact.tagged",
      "contact.untagged",
    ]);
    expect(body.items.at(-1)!.data).toMatchObject({ name: "Some Body", tags: ["b"], tags_removed: ["a"] });
  });
});

test.each([
  ["username", "@a"],
  ["username", "sarah miller"],
  ["email", "sarah"],
  ["email", "a@b"],
  ["phone", "07700 900123"],
  ["phone", "+1"],
  ["language", "not a language"],
  ["timezone", "Mars/Olympus"],
  ["tags", ["  "]],
  ["consent", { status: "granted", at: "yesterday" }],
])("%s can't be %p", async (field, value) => {
  await using app = await setup();
  const { status, body } = await app.live.post<{ details: { field: string }[] }>("/v1/contacts", { external_id: "1", [field]: value });
  expect(status).toBe(422);
  expect(body.details[0]!.field).toStartWith(field);
  expect((await app.live.get("/v1/contacts")).body).toMatchObject({ total: 0 });
});
