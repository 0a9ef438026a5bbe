import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { runImport } from "#test/support/importing.ts";

const fields = [
  { key: "note", type: "text" },
  { key: "score", type: "number" },
  { key: "vip", type: "boolean" },
  { key: "born", type: "date" },
  { key: "site", type: "url" },
  { key: "plan", type: "choice", options: ["a;b", "=SUM(1)", "plain"] },
  { key: "langs", type: "multi_choice", options: ["a;b", "\\", "'=x", "plain"] },
];

/** Texts with what a CSV, a spreadsheet or a parser could trip over. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom("=", "+", "-", "@", "'", '"', ";", ",", "\\", "\n", "\r\n", "\t", " ", "😀", "é", "、", "＝", "a", "1"),
      fc.string({ unit: "grapheme" }),
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => parts.join("").slice(0, 60))
  .filter((text) => text.trim() !== "" && text.isWellFormed() && !text.includes("\0"));

const contact = (at: number) =>
  fc.record(
    {
      external_id: nasty.map((text) => `${text}${at}`),
      telegram_id: fc.integer({ min: 1, max: 1_000_000 }).map((id) => id * 1_000 + at),
      username: fc.constant(`user_${at}`),
      email: fc.constant(`person+${at}@example.com`),
      phone: fc.constant(`+4477009${String(10_000 + at)}`),
      name: nasty,
      last_name: nasty,
      language: fc.constantFrom("en", "pt-BR"),
      timezone: fc.constantFrom("Europe/Berlin", "UTC"),
      consent: fc.record(
        { status: fc.constantFrom("granted", "withdrawn"), at: fc.constant("2026-05-06T14:32:18.000Z"), source: nasty },
        { requiredKeys: ["status"] },
      ),
      tags: fc.array(nasty, { maxLength: 4 }),
      metadata: fc.dictionary(
        nasty.map((text) => text.slice(0, 20)).filter((key) => key.isWellFormed() && key !== "__proto__"),
        nasty,
        { maxKeys: 3 },
      ),
      fields: fc.record(
        {
          note: nasty,
          score: fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
          vip: fc.boolean(),
          born: fc.constantFrom("2000-02-29", "1969-12-31"),
          site: fc.constant("https://example.com/a;b?c=d,e"),
          plan: fc.constantFrom(...fields[5]!.options!),
          langs: fc.uniqueArray(fc.constantFrom(...fields[6]!.options!), { maxLength: 3 }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ["external_id"] },
  );

const people = fc.integer({ min: 1, max: 8 }).chain((many) => fc.tuple(...Array.from({ length: many }, (_, at) => contact(at))));

async function all(caller: Caller): Promise<object[]> {
  const { items } = (await caller.get<Page<Contact>>("/v1/contacts?sort=created_at&limit=200")).body;
  return items.map(({ id: _id, number: _number, created_at: _created, updated_at: _updated, ...rest }) => rest);
}

describe.each(appEngines)("an export on %s", (engine) => {
  test("that is imported into an empty environment makes the same contacts", async () => {
    await using app = await setup({ engine });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(people, async (people) => {
        const { live: from } = await app.makeWorkspace(`From ${++run}`);
        const copies = { csv: (await app.makeWorkspace(`Csv ${run}`)).live, ndjson: (await app.makeWorkspace(`Ndjson ${run}`)).live };
        for (const one of [from, copies.csv, copies.ndjson])
          for (const field of fields) expect((await one.post("/v1/fields", field)).status).toBe(201);
        const { body } = await from.post<{ refused: number; results: object[] }>("/v1/contacts/batch", { contacts: people });
        expect([body.refused, body.results.filter((result) => "error" in result)]).toEqual([0, []]);
        for (const [format, into] of Object.entries(copies)) {
          const { text } = await from.get(`/v1/contacts/export?format=${format}`);
          const { result } = await runImport(app, into, text, "mode=create", format as "csv" | "ndjson");
          expect(result).toMatchObject({ created: people.length, failed: 0 });
          expect(await all(into)).toEqual(await all(from));
        }
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
