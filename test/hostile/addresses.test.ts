import { describe, expect, test } from "bun:test";
import { appEngines } from "#test/support/app.ts";
import { openRange } from "./strike.ts";
import { hostileHeaders, hostileParts } from "./values.ts";

const sentHeaders = [
  "authorization",
  "idempotency-key",
  "if-match",
  "accept",
  "content-type",
  "x-forwarded-for",
  "origin",
  "content-length",
  "x-request-id",
];

// An answer that is a 500, or no problem of the catalogue where it should be one, fails in the client.
describe.each(appEngines)("no address breaks an operation on %s:", (engine) => {
  test("not with anything in the place of an id", async () => {
    await using range = await openRange(engine);
    for (const operation of range.operations.filter(({ path }) => path.includes("{"))) {
      for (const part of hostileParts) {
        const body = operation.body === null ? null : JSON.stringify(operation.body.example);
        const { status } = await range.strike(operation, { path: operation.path.replace(/\{\w+\}/, () => part), body });
        expect([operation.id, part, status < 500]).toEqual([operation.id, part, true]);
      }
    }
  });

  test("not with anything in a query, nor a parameter twice", async () => {
    await using range = await openRange(engine);
    for (const operation of range.operations.filter(({ method }) => method === "GET")) {
      const names = operation.parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
      const path = operation.path.replace("/{", "/0{").replace(/\{\w+\}/, "");
      for (const part of hostileParts) {
        const queries = names.flatMap((name) => [`${name}=${part}`, `${name}=${part}&${name}=1`, `${name}[]=${part}`, name]);
        for (const query of [...queries, part, `${part}=${part}`, `&&=&${part}`, `?${part}`])
          await range.strike(operation, { path: `${path}?${query}` });
      }
    }
  }, 60_000);

  test("not with anything in a header", async () => {
    await using range = await openRange(engine);
    for (const [at, operation] of range.operations.entries()) {
      for (const name of sentHeaders) {
        // Each operation has its share of the values: headers are read before anything that differs between operations.
        for (const value of hostileHeaders.filter((_, index) => index % 4 === at % 4)) {
          const body = operation.body === null ? null : JSON.stringify(operation.body.example);
          await range.strike(operation, { body, headers: { [name]: value } });
        }
      }
    }
  }, 60_000);

  test("not by an address that no operation has", async () => {
    await using range = await openRange(engine);
    const [any] = range.operations;
    for (const part of hostileParts)
      for (const path of [
        `/${part}`,
        `/v1/${part}`,
        `/v1/messages/${part}/${part}`,
        `/api/v1/${part}`,
        `/me/${part}`,
        `/errors/${part}`,
        `//${part}`,
      ])
        for (const method of ["GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE"]) await range.strike({ ...any!, method }, { path });
  });
});
