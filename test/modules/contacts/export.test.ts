import { describe, expect, test } from "bun:test";
import { AppError } from "#src/core/errors.ts";
import { csvHeader } from "#src/core/csv.ts";
import { contactColumns } from "#src/modules/contacts/csv.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import { appEngines, setup, type Tenant } from "#test/support/app.ts";
import { addManyContacts } from "#test/support/many-contacts.ts";

const headerLine = new TextDecoder().decode(csvHeader(contactColumns(new Map())));

const exported = async (tenant: Tenant, query = "") => (await tenant.get(`/v1/contacts/export${query}`)).text;
const lines = (text: string) => text.split("\n").filter((line) => line !== "");
const people = async (tenant: Tenant, query = "") =>
  lines(await exported(tenant, `?format=ndjson${query}`)).map((line) => JSON.parse(line) as Contact);
const ids = async (tenant: Tenant, query = "") => (await people(tenant, query)).map(({ external_id }) => external_id);

describe.each(appEngines)("an export of contacts on %s", (engine) => {
  test("in CSV is a file with a line for each, the oldest first", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "1", name: "=cmd()", phone: "+44 7700 900123", tags: ["b;c", "+a"] });
    await app.live.post("/v1/contacts", { username: "@john_doe", metadata: { note: 'say "hi"' } });
    const { headers, text } = await app.live.get("/v1/contacts/export");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(headers.get("content-disposition")).toBe('attachment; filename="contacts.csv"');
    const [head, first, second, ...more] = text.split("\r\n");
    expect(`${head}\r\n`).toBe(headerLine);
    expect(first).toMatch(/^ct_\w+,1,1,,,,\+447700900123,'=cmd\(\),'=cmd\(\),,,,,,,"b\\;c;'\+a",\{\},,20\S+Z,20\S+Z,\{\}$/);
    expect(second).toMatch(/^ct_\w+,2,,,john_doe,,,,,,,,,,,,"\{""note"":""say \\""hi\\""""\}",,20\S+Z,20\S+Z,\{\}$/);
    expect(more).toEqual([""]);
  });

  test("in NDJSON tells each as the API shows it", async () => {
    await using app = await setup({ engine });
    const made: unknown[] = [];
    for (const name of ["Фёдор\nЁлкин", "Zoë 🦊"]) {
      const { created: _, ...contact } = (await app.live.post("/v1/contacts", { external_id: name, name, consent: { status: "granted" } }))
        .body;
      made.push(contact);
    }
    const { headers, text } = await app.live.get("/v1/contacts/export?format=ndjson");
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(headers.get("content-disposition")).toBe('attachment; filename="contacts.ndjson"');
    expect(lines(text).map((line): unknown => JSON.parse(line))).toEqual(made);
  });

  test("has nobody of another environment, and nobody who was deleted", async () => {
    await using app = await setup({ engine });
    for (const external_id of ["1", "2"]) await app.live.post("/v1/contacts", { external_id });
    await app.sandbox.post("/v1/contacts", { external_id: "3" });
    await app.live.delete("/v1/contacts/1");
    expect(await ids(app.live)).toEqual(["2"]);
    expect(await ids(app.sandbox)).toEqual(["3"]);
  });

  test("of nobody is the names of the columns, or nothing", async () => {
    await using app = await setup({ engine });
    expect(await exported(app.live)).toBe(headerLine);
    expect(await exported(app.live, "?format=ndjson")).toBe("");
  });

  test.each([249, 250, 251, 500, 1_001])("has each of %d once, in the order of their making", async (count) => {
    await using app = await setup({ engine });
    await addManyContacts(app, app.live.env_id, count, 10);
    await addManyContacts(app, app.sandbox.env_id, 3, 10);
    expect(await ids(app.live)).toEqual(Array.from({ length: count }, (_, at) => `p${at + 1}`));
    expect(lines(await exported(app.live))).toHaveLength(count + 1);
  });

  test("is narrowed as the list is, also over several pages", async () => {
    await using app = await setup({ engine });
    const contacts = Array.from({ length: 600 }, (_, at) => ({
      external_id: `p${at}`,
      name: at % 2 === 0 ? "Anna" : "Berta",
      tags: at < 300 ? ["old"] : ["new"],
    }));
    for (const part of [contacts.slice(0, 500), contacts.slice(500)]) {
      await app.live.post("/v1/contacts/batch", { contacts: part });
      app.clock.advance(60_000);
    }
    const wanted = (fits: (contact: (typeof contacts)[number], at: number) => boolean) =>
      contacts.filter(fits).map(({ external_id }) => external_id);
    const later = (await people(app.live)).at(-1)!.created_at;
    expect(await ids(app.live, "&search=anna")).toEqual(wanted(({ name }) => name === "Anna"));
    expect(await ids(app.live, "&tag=old")).toEqual(wanted(({ tags }) => tags.includes("old")));
    expect(await ids(app.live, "&tag=new&search=ann")).toEqual(wanted(({ name, tags }) => name === "Anna" && tags.includes("new")));
    expect(await ids(app.live, `&created_after=${later}`)).toEqual(wanted((_, at) => at >= 500));
    expect(await ids(app.live, `&created_before=${later}`)).toEqual(wanted((_, at) => at < 500));
    expect(await ids(app.live, "&seen_after=2020-01-01T00:00:00Z")).toEqual([]);
  });

  test("is refused before it begins where it asks for something that there isn't", async () => {
    await using app = await setup({ engine });
    for (const query of ["format=xlsx", "search=%20", "created_after=soon", "limit=1", "sort=name"])
      expect([query, (await app.live.get(`/v1/contacts/export?${query}`)).status]).toEqual([query, 422]);
    expect((await app.live.post("/v1/contacts/export", {})).headers.get("allow")).toContain("GET, HEAD");
    expect((await app.live.get("/v1/crm/contacts/export")).status).toBe(200);
    const unable = await app.makeKey(app.live, { scopes: ["write:contacts"] });
    expect((await unable.get("/v1/contacts/export")).status).toBe(403);
  });

  test("is unavailable where the database is so before it begins", async () => {
    const unavailable = () => Promise.reject(new AppError("unavailable", "The database is away.", { headers: { "Retry-After": "1" } }));
    await using app = await setup({ engine, wrapDatabase: (db) => ({ ...db, slowlyCsv: unavailable }) });
    expect((await app.live.get("/v1/contacts/export")).status).toBe(503);
  });
});
