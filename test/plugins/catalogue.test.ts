import { Elysia } from "elysia";
import { describe, expect, test } from "bun:test";
import { catalogue } from "#plugins/errors/catalogue.ts";
import { AppError, fieldErrors, problems } from "#src/core/errors.ts";
import { outcomes } from "#src/core/outcomes.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

async function get(path: string, accept?: string) {
  let problem: string | undefined;
  const app = new Elysia().onError(({ error }) => void (problem = error instanceof AppError ? error.code : undefined)).use(catalogue());
  const answer = await app.handle(new Request(`http://localhost${path}`, accept === undefined ? {} : { headers: { accept } }));
  return { answer, type: answer.headers.get("content-type"), problem: () => problem };
}

const isJson = async (accept?: string) => (await get("/errors", accept)).type?.startsWith("application/json");

test("the catalogue as JSON holds every code of problems, fields and outcomes", async () => {
  const { answer } = await get("/errors", "application/json");
  const list = (await answer.json()) as Record<string, Record<string, unknown>[]>;
  const codes = (name: string) => list[name]?.map(({ code }) => code);
  expect(codes("problems")).toEqual(Object.keys(problems));
  expect(codes("field_errors")).toEqual(Object.keys(fieldErrors));
  expect(codes("outcomes")).toEqual(Object.keys(outcomes));
  expect(list.problems?.[0]).toEqual({ kind: "problem", code: "bad_request", ...problems.bad_request });
});

test("the page names every code and links to it", async () => {
  const html = await (await get("/errors", BROWSER)).answer.text();
  for (const code of [...Object.keys(problems), ...Object.keys(fieldErrors), ...Object.keys(outcomes)]) {
    expect(html).toContain(`<a href="/errors/${code}"><code>${code}</code></a>`);
  }
});

test("a code that stands in several places is explained for each", async () => {
  const { answer } = await get("/errors/not_found", "application/json");
  expect(await answer.json()).toEqual({
    code: "not_found",
    meanings: [
      { kind: "problem", code: "not_found", ...problems.not_found },
      { kind: "field_error", code: "not_found", status: null, title: fieldErrors.not_found, fix: null },
    ],
  });
  const html = await (await get("/errors/not_found")).answer.text();
  expect(html).toContain(Bun.escapeHTML(problems.not_found.fix));
  expect(html).toContain(Bun.escapeHTML(fieldErrors.not_found));
});

test("an unknown code is not found, also when it is a property that every object has", async () => {
  for (const code of ["nonsense", "constructor", "__proto__"]) expect((await get(`/errors/${code}`)).problem()).toBe("not_found");
});

test("the page's policy allows its own style by its hash and nothing else", async () => {
  const { answer } = await get("/errors", BROWSER);
  const style = /<style>([\s\S]*)<\/style>/.exec(await answer.text())?.[1] ?? "";
  const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
  expect(style).toContain("prefers-color-scheme: dark");
  expect(answer.headers.get("content-security-policy")).toStartWith(`default-src 'none'; style-src 'sha256-${hash}';`);
  expect(answer.headers.get("vary")).toBe("accept");
});

describe("JSON or a page", () => {
  test("a browser, curl and one who says nothing get the page", async () => {
    expect([await isJson(BROWSER), await isJson("*/*"), await isJson()]).toEqual([false, false, false]);
  });

  test("one who names JSON gets it, also with a wildcard behind", async () => {
    expect([await isJson("application/json"), await isJson("application/json, text/plain, */*"), await isJson("Application/*")]).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("the greater quality decides, and equal ones give the page", async () => {
    expect(await isJson("text/html;q=0.5, application/json;q=0.9")).toBe(true);
    expect(await isJson("text/html;q=0.9, application/json;q=0.5")).toBe(false);
    expect(await isJson("application/json, text/html")).toBe(false);
    expect(await isJson("application/json;q=0, */*;q=0.1")).toBe(false);
  });
});
