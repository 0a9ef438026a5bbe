import { describe, expect, test } from "bun:test";
import type { Preview, Template, TemplateVersion } from "#src/modules/templates/model.ts";
import type { Page } from "#src/core/page.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Answer, Caller } from "#test/support/client.ts";

interface Refused {
  code: string;
  detail: string;
  details: { field: string; error: string }[];
}

const BODY = "Hey {first_name|there}, invoice {{ invoice }} {% if overdue %}is overdue{% else %}is due on {{ due }}{% endif %}.";

async function make(caller: Caller, ask: Record<string, unknown> = {}): Promise<Template> {
  const { status, body, text } = await caller.post<Template>("/v1/templates", { name: "Reminder", body: BODY, ...ask });
  if (status !== 201) throw new Error(`the template was refused: ${text}`);
  return body;
}

const faultOf = ({ status, body }: Answer<unknown>) => {
  const [first] = (body as Refused).details;
  return [status, first?.field, first?.error];
};

describe.each(appEngines)("a template on %s", (engine) => {
  test("is made, read, listed, changed and removed", async () => {
    await using app = await setup({ engine });
    const made = await make(app.live, { category: "billing" });
    const made_at = new Date(app.clock.now()).toISOString();
    expect(made).toEqual({
      id: expect.stringMatching(/^tpl_/),
      name: "Reminder",
      kind: "message",
      category: "billing",
      body: BODY,
      variables: ["due", "first_name", "invoice", "overdue"],
      version: 1,
      created_at: made_at,
      updated_at: made_at,
    });
    const path = `/v1/templates/${made.id}`;
    expect((await app.live.get<Template>(path)).body).toEqual(made);
    app.clock.advance(1_000);
    const changed = (await app.live.patch<Template>(path, { name: "Second reminder", category: null, body: "Hey {{ you }}" })).body;
    const updated_at = new Date(app.clock.now()).toISOString();
    expect(changed).toEqual({
      ...made,
      name: "Second reminder",
      category: null,
      body: "Hey {{ you }}",
      variables: ["you"],
      version: 2,
      updated_at,
    });
    expect((await app.live.get<Page<Template>>("/v1/templates")).body.items).toEqual([changed]);
    expect((await app.live.delete(path)).status).toBe(204);
    expect((await app.live.get<Page<Template>>("/v1/templates")).body).toMatchObject({ items: [], total: 0 });
    const gone = [
      app.live.get(path),
      app.live.get(`${path}/versions`),
      app.live.patch(path, {}),
      app.live.delete(path),
      app.live.post(`${path}/preview`, {}),
    ];
    for (const answer of gone) expect((await answer).status).toBe(404);
    expect(await app.db.read.selectFrom("template_versions").selectAll().execute()).toEqual([]);
  });

  test("has a name that is its own in its environment, of many at once too, and free again when it is gone", async () => {
    await using app = await setup({ engine });
    const asks = Array.from({ length: 8 }, () => app.live.post<Refused>("/v1/templates", { name: "Reminder", body: BODY }));
    const statuses = (await Promise.all(asks)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
    await make(app.sandbox);
    const other = await make(app.live, { name: "Other" });
    const renamed = await app.live.patch<Refused>(`/v1/templates/${other.id}`, { name: "Reminder" });
    expect([renamed.status, renamed.body.code]).toEqual([409, "conflict"]);
    expect((await app.live.patch(`/v1/templates/${other.id}`, { name: "Other" })).status).toBe(200);
    const { items } = (await app.live.get<Page<Template>>("/v1/templates")).body;
    await app.live.delete(`/v1/templates/${items.find(({ name }) => name === "Reminder")!.id}`);
    expect((await app.live.patch(`/v1/templates/${other.id}`, { name: "Reminder" })).status).toBe(200);
  });

  test("is made once by requests with one Idempotency-Key, at once and later", async () => {
    await using app = await setup({ engine });
    const ask = () => app.live.post("/v1/templates", { name: "Reminder", body: BODY }, { "idempotency-key": "template-1" });
    const answers = [...(await Promise.all([ask(), ask(), ask()])), await ask()];
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(201);
  });

  test("has a version for each body that it has had, and none for another name", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app.live, { body: "one" });
    const path = `/v1/templates/${id}`;
    const key_id = (await app.live.get<{ key_id: string }>("/v1/me")).body.key_id;
    for (const patch of [{ name: "Other" }, { body: "one" }, { body: "two" }, {}, { body: "one" }])
      expect((await app.live.patch(path, patch)).status).toBe(200);
    const { body } = await app.live.get<Page<TemplateVersion>>(`${path}/versions`);
    expect(body.items.map(({ version, body, actor }) => [version, body, actor])).toEqual([
      [3, "one", key_id],
      [2, "two", key_id],
      [1, "one", key_id],
    ]);
    const first = (await app.live.get<Page<TemplateVersion>>(`${path}/versions?limit=2`)).body;
    expect(first).toMatchObject({ total: 3, has_more: true });
    const second = (await app.live.get<Page<TemplateVersion>>(`${path}/versions?limit=2&cursor=${first.next_cursor}`)).body;
    expect([...first.items, ...second.items]).toEqual(body.items);
    const other = await make(app.live, { body: "three" });
    expect((await app.live.get(`/v1/templates/${other.id}/versions?cursor=${first.next_cursor}`)).status).toBe(422);
  });

  test("is listed newest first, page by page, under a filter too", async () => {
    await using app = await setup({ engine });
    for (let at = 0; at < 5; at++) await make(app.live, { name: `Template ${at}`, ...(at % 2 === 0 ? { category: "even" } : {}) });
    const names = async (query: string) => {
      const { body } = await app.live.get<Page<Template>>(`/v1/templates?${query}`);
      return [body.total, body.next_cursor, ...body.items.map(({ name }) => name.slice(-1))];
    };
    expect(await names("")).toEqual([5, null, "4", "3", "2", "1", "0"]);
    expect(await names("category=even")).toEqual([3, null, "4", "2", "0"]);
    expect(await names("category=odd&kind=message")).toEqual([0, null]);
    const [, cursor] = await names("category=even&limit=2");
    expect(await names(`category=even&limit=2&cursor=${cursor}`)).toEqual([3, null, "0"]);
    expect(await names("limit=1&offset=4")).toEqual([5, null, "0"]);
    expect((await app.live.get("/v1/templates?kind=page")).status).toBe(422);
  });

  test("is refused with the field that is wrong, and with line and column of its body", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app.live);
    const asks: [Record<string, unknown>, string, string][] = [
      [{ name: undefined }, "name", "required"],
      [{ name: "" }, "name", "too_short"],
      [{ name: "x".repeat(101) }, "name", "too_long"],
      [{ kind: "page" }, "kind", "not_allowed"],
      [{ category: "" }, "category", "too_short"],
      [{ category: "x".repeat(51) }, "category", "too_long"],
      [{ body: undefined }, "body", "required"],
      [{ body: "" }, "body", "too_short"],
      [{ body: "x".repeat(10_001) }, "body", "too_long"],
      [{ body: "{% if %}" }, "body", "bad_format"],
      [{ version: 2 }, "version", "unknown_field"],
      [{ variables: [] }, "variables", "unknown_field"],
    ];
    for (const [ask, field, error] of asks)
      expect([ask, ...faultOf(await app.live.post("/v1/templates", { name: "New", body: BODY, ...ask }))]).toEqual([
        ask,
        422,
        field,
        error,
      ]);
    const broken = { body: "Hey\n{{ you | shout }}" };
    const detail = "The template does not work: undefined filter: shout (line 2, column 1).";
    for (const answer of [app.live.patch<Refused>(`/v1/templates/${id}`, broken), app.live.post<Refused>("/v1/templates/preview", broken)])
      expect([...faultOf(await answer), (await answer).body.detail]).toEqual([422, "body", "bad_format", detail]);
    expect((await app.live.get<Template>(`/v1/templates/${id}`)).body).toMatchObject({ version: 1, body: BODY });
  });
});

describe.each(appEngines)("a preview on %s", (engine) => {
  test("shows the text, and names what is missing", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app.live);
    const preview = async (variables?: object) => (await app.live.post<Preview>(`/v1/templates/${id}/preview`, { variables })).body;
    expect(await preview({ invoice: 4711, overdue: false, due: "{first_name} \\{ {{ x }}" })).toEqual({
      text: "Hey there, invoice 4711 is due on {first_name} \\{ {{ x }}.",
      missing: [],
    });
    expect(await preview({ invoice: "4711", overdue: true, first_name: "Sarah" })).toEqual({
      text: "Hey Sarah, invoice 4711 is overdue.",
      missing: [],
    });
    expect(await preview()).toEqual({ text: "Hey there, invoice  is due on .", missing: ["invoice", "due"] });
  });

  test("is filled from a contact, named by id or number", async () => {
    await using app = await setup({ engine });
    const { body: contact } = await app.live.post<{ id: string; number: number }>("/v1/contacts", { name: "Sarah Miller" });
    for (const contact_id of [contact.id, contact.number, String(contact.number)])
      expect((await app.live.post("/v1/templates/preview", { body: "Hey {{ first_name }}", contact_id })).body).toMatchObject({
        text: "Hey Sarah",
      });
    expect(faultOf(await app.live.post("/v1/templates/preview", { body: "Hey", contact_id: contact.number + 1 }))).toEqual([
      422,
      "contact_id",
      "not_found",
    ]);
  });

  test("shows any version, and a body that isn't saved", async () => {
    await using app = await setup({ engine });
    const { id } = await make(app.live, { body: "one {{ x }}" });
    await app.live.patch(`/v1/templates/${id}`, { body: "two {{ x }}" });
    const preview = (ask: object) => app.live.post<Preview>(`/v1/templates/${id}/preview`, { variables: { x: 1 }, ...ask });
    const texts = [preview({ version: 1 }), preview({ version: 2 }), preview({})].map(async (answer) => (await answer).body.text);
    expect(await Promise.all(texts)).toEqual(["one 1", "two 1", "two 1"]);
    expect(faultOf(await preview({ version: 3 }))).toEqual([422, "version", "not_found"]);
    const unsaved = await app.live.post<Preview>("/v1/templates/preview", { body: "{name} {{ x | default: 'y' }} {city|}" });
    expect(unsaved.body).toEqual({ text: "{name} y ", missing: ["name"] });
    expect((await app.live.get<Page<Template>>("/v1/templates")).body.total).toBe(1);
  });

  test("takes names of its own choice with texts, numbers and booleans, and nothing larger", async () => {
    await using app = await setup({ engine });
    const preview = (variables: unknown) => app.live.post<Preview>("/v1/templates/preview", { body: "{{ имя }} {{ a-b }}", variables });
    expect((await preview({ имя: "Анна", "a-b": 1.5 })).body).toEqual({ text: "Анна 1.5", missing: [] });
    for (const [variables, field] of [
      [{ a: "x".repeat(1_001) }, "variables.a"],
      [{ a: null }, "variables.a"],
      [{ a: ["b"] }, "variables.a"],
      [[], "variables"],
      [Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`v${at}`, at])), "variables"],
    ] as const)
      expect(faultOf(await preview(variables)).slice(0, 2)).toEqual([422, field]);
  });

  test("is for keys that read or write, and keeps nothing under an Idempotency-Key", async () => {
    await using app = await setup({ engine });
    for (const scope of ["read:messages", "write:messages"] as const) {
      const caller = await app.makeKey(app.live, { scopes: [scope] });
      const statuses = ["one", "two"].map(
        async (body) => (await caller.post("/v1/templates/preview", { body }, { "idempotency-key": "preview" })).status,
      );
      expect(await Promise.all(statuses)).toEqual([200, 200]);
    }
  });
});
