import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { csvHeader, guardFormula, joinList, splitList, unguardFormula, writeCsv } from "#src/core/csv.ts";
import { contactColumns } from "#src/modules/contacts/csv.ts";
import { contactCsvExample, contactExample } from "#src/modules/contacts/examples.ts";
import type { Contact } from "#src/modules/contacts/model.ts";

/** Texts in which what is encoded is frequent. */
const text = fc
  .array(
    fc.oneof(fc.constantFrom("'", "=", "+", "-", "@", "\t", "\r", "\n", "＝", ";", "\\", '"', ",", " "), fc.string({ unit: "binary" })),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(""));
const isFormula = (cell: string) => /^[=+\-@\t\r\n＝＋－＠]/.test(cell);

/** The cells of a file, by the grammar of RFC 4180 section 2. */
function readCsv(file: string): string[][] {
  const lines: string[][] = [[]];
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  let end = 0;
  for (const [whole, quoted, plain, mark] of file.matchAll(cells)) {
    lines.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain!);
    if (mark === "\r\n") lines.push([]);
    end += whole.length;
  }
  if (end !== file.length) throw new Error(`no CSV from ${end} on: ${file.slice(end, end + 20)}`);
  return lines.slice(0, -1);
}

const columns = contactColumns(
  new Map(
    ["plan", "seats"].map((key) => [
      `fld_${key}`,
      { id: `fld_${key}`, object: "contact", key, label: key, type: "text", options: null, created_at: "", updated_at: "" },
    ]),
  ),
);

const decoder = new TextDecoder();
const headerLine = decoder.decode(csvHeader(columns));

/** A contact as its row keeps it, in a line. */
function csvLine(contact: Contact): string {
  const time = (text: string | null) => (text === null ? null : Date.parse(text));
  const row: Record<string, unknown> = {
    ...contact,
    consent: contact.consent === null ? null : JSON.stringify(contact.consent),
    tags: JSON.stringify(contact.tags),
    fields: JSON.stringify(Object.fromEntries(Object.entries(contact.fields).map(([key, value]) => [`fld_${key}`, value]))),
    metadata: JSON.stringify(contact.metadata),
    last_seen_at: time(contact.last_seen_at),
    created_at: time(contact.created_at),
    updated_at: time(contact.updated_at),
  };
  return decoder.decode(writeCsv([columns.map(({ from }) => row[from])], columns).bytes);
}

/** The cells of one contact, by the names of their columns. */
function cellsOf(contact: Partial<Contact>): Record<string, string> {
  const [names, cells, ...more] = readCsv(headerLine + csvLine({ ...contactExample, ...contact }));
  expect([cells!.length, more]).toEqual([names!.length, []]);
  return Object.fromEntries(names!.map((name, at) => [name, cells![at]!]));
}

test("a contact is a line with a cell in each column", () => {
  expect(headerLine).toBe(
    "id,number,external_id,telegram_id,username,email,phone,name,first_name,last_name,language,timezone,consent_status,consent_at,consent_source,tags,metadata,last_seen_at,created_at,updated_at,fields\r\n",
  );
  expect(csvLine({ ...contactExample, tags: ["trial", "a;b"], metadata: { plan: "pro" }, fields: { seats: 5 } })).toBe(
    'ct_01HKQ9R2X30000000000000000,42,customer-1042,,sarah_miller,sarah@example.com,,Sarah Miller,Sarah,Miller,en,Europe/London,granted,2026-05-06T14:32:18.000Z,webinar form,"trial;a\\;b","{""plan"":""pro""}",,2026-05-06T14:32:18.000Z,2026-05-06T14:32:18.000Z,"{""seats"":5}"\r\n',
  );
  expect(headerLine + csvLine(contactExample)).toBe(contactCsvExample);
  expect(cellsOf({ consent: null, tags: [] })).toMatchObject({ consent_status: "", consent_at: "", consent_source: "", tags: "" });
});

describe("what a spreadsheet would run", () => {
  test.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["\r=1", "'\r=1"],
    ["＝1", "'＝1"],
    ["'=1", "''=1"],
    ["''@x", "'''@x"],
    ["'tis", "'tis"],
    ["a=1", "a=1"],
    ["", ""],
  ])("%j stands in a cell as %j", (given, cell) => {
    expect(cellsOf({ name: given, external_id: given, email: given })).toMatchObject({ name: cell, external_id: cell, email: cell });
    expect(unguardFormula(cell)).toBe(given);
  });

  test("is no telephone number, nor any tag by itself", () => {
    expect(cellsOf({ phone: "+447700900123", tags: ["=1", "b", "'-x"] })).toMatchObject({ phone: "+447700900123", tags: "'=1;b;''-x" });
  });

  test("begins no cell of any text, and every text comes back from its cell", () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(isFormula(guardFormula(given))).toBe(false);
        expect(unguardFormula(guardFormula(given))).toBe(given);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("any tags come back from their cell, and none of them begins as a formula", () => {
  const tags = fc.array(
    text.filter((tag) => tag !== ""),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(tags, (given) => {
      const cell = joinList(given);
      expect(splitList(cell)).toEqual(given);
      expect(isFormula(cell)).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test("any texts come back from a file as they were", () => {
  const contact = fc.record({
    name: text,
    email: text,
    external_id: text,
    tags: fc.array(text.filter((tag) => tag !== "")),
    metadata: fc.dictionary(fc.string(), text),
  });
  fc.assert(
    fc.property(contact, (given) => {
      const { name, email, external_id, tags, metadata } = cellsOf(given);
      expect([name, email, external_id].map((cell) => unguardFormula(cell!))).toEqual([given.name, given.email, given.external_id]);
      expect(splitList(tags!)).toEqual(given.tags);
      expect(JSON.stringify(JSON.parse(metadata!))).toBe(JSON.stringify(given.metadata));
    }),
    { numRuns: 500 },
  );
});
