import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import { appEngines, setup, type Tenant } from "#test/support/app.ts";
import { read } from "#test/support/sending.ts";

const every = [
  { key: "company", type: "text" },
  { key: "seats", type: "number" },
  { key: "paying", type: "boolean" },
  { key: "renewal", type: "date" },
  { key: "site", type: "url" },
  { key: "plan", type: "choice", options: ["Starter", "Professional"] },
  { key: "topics", type: "multi_choice", options: ["crm", "relay", "Été"] },
];

const values = {
  company: "Müller & Söhne",
  seats: 12.5,
  paying: false,
  renewal: "2028-02-29",
  site: "https://example.com/Sarah",
  plan: "Starter",
  topics: ["relay", "Été"],
};

async function define(tenant: Tenant, fields: readonly object[] = every): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const field of fields) {
    const { status, body, text } = await tenant.post<{ id: string; key: string }>("/v1/fields", field);
    if (status !== 201) throw new Error(text);
    ids.set(body.key, body.id);
  }
  return ids;
}

const found = async (tenant: Tenant, filter: string, more = "") =>
  (await tenant.get<Page<Contact>>(`/v1/contacts?field=${encodeURIComponent(filter)}${more}`)).body.items.map(
    ({ external_id }) => external_id,
  );

describe.each(appEngines)("a contact's custom fields on %s", (engine) => {
  test("are taken in fields and beside them, shown by key, changed one by one and cleared by null", async () => {
    await using app = await setup({ engine });
    await define(app.live);
    const { company, ...rest } = values;
    const made = await app.live.post<Contact>("/v1/contacts", { external_id: "1", company, fields: rest });
    expect([made.status, made.body.fields]).toEqual([201, values]);
    expect((await app.live.get<Contact>("/v1/contacts/1")).body.fields).toEqual(values);
    const again = await app.live.post<Contact>("/v1/contacts", { external_id: "1", seats: 3, fields: { paying: null, topics: [] } });
    const { paying: _, topics: __, ...left } = { ...values, seats: 3 };
    expect([again.status, again.body.fields]).toEqual([200, left]);
    const patched = await app.live.patch<Contact>("/v1/contacts/1", { fields: { plan: null }, company: "Other" });
    expect(patched.body.fields).toEqual({ company: "Other", seats: 3, renewal: "2028-02-29", site: "https://example.com/Sarah" });
    expect((await app.live.get<Page<Contact>>("/v1/contacts")).body.items[0]!.fields).toEqual(patched.body.fields);
    expect((await app.live.post<Contact>("/v1/contacts", { external_id: "1", name: "One" })).body.fields).toEqual(patched.body.fields);
  });

  test("keep their values when a key changes or an option goes", async () => {
    await using app = await setup({ engine });
    const ids = await define(app.live);
    await app.live.post("/v1/contacts", { external_id: "1", fields: { plan: "Starter" } });
    await app.live.patch(`/v1/fields/${ids.get("plan")}`, { key: "tier", options: ["Professional"] });
    expect((await app.live.get<Contact>("/v1/contacts/1")).body.fields).toEqual({ tier: "Starter" });
    expect(await found(app.live, "tier:starter")).toEqual(["1"]);
    expect((await app.live.post("/v1/contacts", { external_id: "2", tier: "Starter" })).status).toBe(422);
    expect((await app.live.post("/v1/contacts", { external_id: "2", plan: "Professional" })).status).toBe(422);
    expect((await app.live.post("/v1/contacts", { external_id: "2", tier: "Professional" })).status).toBe(201);
  });

  test("narrow a list, alone and with words and a tag", async () => {
    await using app = await setup({ engine });
    await define(app.live);
    await app.live.post("/v1/contacts", { external_id: "1", name: "Ann One", tags: ["x"], fields: values });
    await app.live.post("/v1/contacts", { external_id: "2", name: "Ann Two", fields: { ...values, seats: 1e21, paying: true } });
    await app.live.post("/v1/contacts", { external_id: "3", name: "Bob", tags: ["x"], fields: { ...values, renewal: "1969-12-31" } });
    await app.live.post("/v1/contacts", { external_id: "4", name: "Ann Four", tags: ["x"] });
    for (const [filter, more, expected] of [
      ["company:MULLER & sohne", "", ["3", "2", "1"]],
      ["company:Müller", "", []],
      ["seats:12.50", "", ["3", "1"]],
      ["seats:1e21", "", ["2"]],
      ["paying:false", "", ["3", "1"]],
      ["paying:true", "", ["2"]],
      ["renewal:1969-12-31", "", ["3"]],
      ["site:https://example.com/Sarah", "", ["3", "2", "1"]],
      ["plan:starter", "&search=ann", ["2", "1"]],
      ["topics:ete", "&tag=x", ["3", "1"]],
      ["topics:relay", "&tag=x&search=ann", ["1"]],
      ["topics:crm", "", []],
      ["plan:starter", "&sort=name", ["1", "2", "3"]],
      ["plan:starter", "&sort=created_at", ["1", "2", "3"]],
    ] as const)
      expect([filter, more, await found(app.live, filter, more)]).toEqual([filter, more, [...expected]]);
    const first = await app.live.get<Page<Contact>>("/v1/contacts?field=plan:starter&limit=2");
    expect(first.body.total).toBe(3);
    const second = await app.live.get<Page<Contact>>(`/v1/contacts?field=plan:starter&limit=2&cursor=${first.body.next_cursor}`);
    expect(second.body.items.map(({ external_id }) => external_id)).toEqual(["1"]);
    await app.live.patch("/v1/contacts/1", { plan: "Professional", topics: ["relay", "crm"] });
    await app.live.delete("/v1/contacts/3");
    expect(await found(app.live, "plan:starter")).toEqual(["2"]);
    expect(await found(app.live, "topics:relay")).toEqual(["2", "1"]);
    await define(app.sandbox);
    expect(await found(app.sandbox, "plan:starter")).toEqual([]);
    for (const bad of ["plan", "nothing:1", "seats:many", "seats: ", "paying:1", "renewal:2026-02-30"])
      expect([bad, (await app.live.get(`/v1/contacts?field=${bad}`)).status]).toEqual([bad, 422]);
  });

  test("in a batch are taken or refused one contact by one", async () => {
    await using app = await setup({ engine });
    await define(app.live);
    const { body } = await app.live.post("/v1/contacts/batch", {
      contacts: [
        { external_id: "1", seats: 1 },
        { external_id: "2", seat: 1 },
        { external_id: "3", fields: { seats: "1" } },
        { external_id: "4" },
      ],
    });
    expect(body).toMatchObject({
      created: 2,
      refused: 2,
      results: [
        { index: 0 },
        { index: 1, error: { code: "validation_error", details: [{ field: "seat", error: "unknown_field" }] } },
        { index: 2, error: { code: "validation_error", details: [{ field: "fields.seats", error: "wrong_type" }] } },
        { index: 3 },
      ],
    });
  });

  test("given by many at once leave one value, which alone is found", async () => {
    await using app = await setup({ engine });
    await define(app.live);
    await app.live.post("/v1/contacts", { external_id: "1", username: "some_body", email: "some@example.com" });
    const whose = [{ external_id: "1" }, { username: "some_body" }, { email: "some@example.com" }];
    await Promise.all(Array.from({ length: 30 }, (_, at) => app.live.post("/v1/contacts", { ...whose[at % 3], seats: at % 5 })));
    const { seats } = (await app.live.get<Contact>("/v1/contacts/1")).body.fields;
    const rows = await app.db.read.selectFrom("contact_values").select("num").execute();
    expect(rows).toEqual([{ num: seats as number }]);
  });

  test("outlast what others say of the contact meanwhile", async () => {
    await using app = await setup({ engine });
    await define(app.live);
    await app.live.post("/v1/contacts", { external_id: "1", username: "some_body" });
    for (let seats = 1; seats <= 10; seats++)
      await Promise.all([
        ...Array.from({ length: 5 }, (_, at) => app.live.post("/v1/contacts", { external_id: "1", name: `Name ${seats} ${at}` })),
        app.live.post("/v1/contacts", { username: "some_body", seats }),
      ]);
    expect((await app.live.get<Contact>("/v1/contacts/1")).body.fields).toEqual({ seats: 10 });
    expect(await app.db.read.selectFrom("contact_values").select("num").execute()).toEqual([{ num: 10 }]);
  });

  test("fill texts and templates in", async () => {
    await using app = await setup({ engine });
    await define(app.sandbox);
    const { body: contact } = await app.sandbox.post<Contact>("/v1/contacts", { username: "sarah_miller", fields: values });
    const send = async (ask: object) => {
      const { body } = await app.sandbox.post<{ id: string }>("/v1/messages/send", { account_id: 7421, to: contact.id, ...ask });
      await app.settled();
      return (await read(app.sandbox, body.id)).text;
    };
    expect(await send({ text: "{plan}, {seats}, {paying}, {topics}, {renewal}, {unknown|none}" })).toBe(
      "Starter, 12.5, false, relay, Été, 2028-02-29, none",
    );
    const body = "{{ plan }} {{ seats }} {{ topics }} {{ paying }} {% if paying %}yes{% else %}no{% endif %} {company}";
    const { body: template } = await app.sandbox.post<{ id: string }>("/v1/templates", { name: "Terms", body });
    expect(await send({ template_id: template.id })).toBe("Starter 12.5 relay, Été false no Müller & Söhne");
  });

  test("tell in the event log what they have become, and nothing where nothing changed", async () => {
    await using app = await setup({ engine });
    await define(app.live);
    await app.live.post("/v1/contacts", { external_id: "1", seats: 1 });
    await app.live.post("/v1/contacts", { external_id: "1", seats: 1 });
    await app.live.post("/v1/contacts", { external_id: "1", seats: 2 });
    const rows = await app.db.read.selectFrom("events").select(["type", "data"]).orderBy("tx_id").orderBy("seq").execute();
    expect(rows.map(({ type, data }) => [type, (JSON.parse(data) as Contact).fields])).toEqual([
      ["contact.created", { seats: 1 }],
      ["contact.updated", { seats: 2 }],
    ]);
  });
});

test.each([
  ["company", 1, "wrong_type"],
  ["company", " ", "too_short"],
  ["company", "x".repeat(2_001), "too_long"],
  ["seats", "12", "wrong_type"],
  ["paying", 1, "wrong_type"],
  ["renewal", "2026-02-30", "bad_format"],
  ["renewal", "06.05.2026", "bad_format"],
  ["site", "javascript:alert(1)", "bad_format"],
  ["site", "https://", "bad_format"],
  ["plan", "starter", "not_allowed"],
  ["plan", ["Starter"], "wrong_type"],
  ["topics", "crm", "wrong_type"],
  ["nothing", 1, "unknown_field"],
  ["constructor", 1, "unknown_field"],
])("a custom field %s can't be %p", async (key, value, error) => {
  await using app = await setup();
  await define(app.live);
  for (const [field, ask] of [
    [key, { [key]: value }],
    [`fields.${key}`, { fields: { [key]: value } }],
  ] as const) {
    const { status, body } = await app.live.post<{ details: { field: string; error: string }[] }>("/v1/contacts", {
      external_id: "1",
      ...ask,
    });
    expect([status, body.details.map(({ field, error }) => [field, error])]).toEqual([422, [[field, error]]]);
  }
  expect((await app.live.get("/v1/contacts")).body).toMatchObject({ total: 0 });
});

test("a custom field that is given twice is refused", async () => {
  await using app = await setup();
  await define(app.live);
  expect((await app.live.post("/v1/contacts", { external_id: "1", seats: 1, fields: { seats: 2 } })).status).toBe(422);
});
