import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "#src/core/errors.ts";
import { eventKinds } from "#src/event-kinds.ts";
import { type Filter, matches, readFilter } from "#src/modules/webhooks/filter.ts";

const event = {
  event: "message.received",
  data: {
    id: "msg_1",
    account_id: 7421,
    text: "Hello there",
    tags: ["vip", "trial"],
    sender: null,
    at: "2026-05-06T14:32:18.000Z",
    silent: false,
  },
};

/** Data in which the filters below find something now and then. */
const scalar = fc.oneof(fc.constantFrom<string | number | boolean | null>("a", "ab", "b", 1, 2, true, false, null));
const names = fc.constantFrom("a", "b", "c");
const data = fc.dictionary(names, fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(names, scalar)));
const path = fc.oneof(
  names,
  fc.tuple(names, names).map((two) => two.join(".")),
);
const condition = fc.oneof(
  fc.record({ path, op: fc.constantFrom("eq" as const, "ne" as const, "contains" as const), value: scalar }),
  fc.record({ path, op: fc.constant("in" as const), value: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    path,
    op: fc.constantFrom("gt" as const, "gte" as const, "lt" as const, "lte" as const),
    value: fc.constantFrom("a", "b", 1, 2),
  }),
  fc.record({ path, op: fc.constant("starts_with" as const), value: fc.constantFrom("a", "b") }),
  fc.record({ path, op: fc.constant("exists" as const), value: fc.boolean() }),
);
const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    condition as fc.Arbitrary<Filter>,
    fc.array(tie("filter"), { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie("filter"), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
    tie("filter").map((not) => ({ not })),
  ),
}));

/** The same, word by word. */
function plainly(of: Filter, value: object): boolean {
  if ("and" in of) return of.and.filter((part) => !plainly(part, value)).length === 0;
  if ("or" in of) return of.or.filter((part) => plainly(part, value)).length > 0;
  if ("not" in of) return !plainly(of.not, value);
  let actual: unknown = value;
  for (const name of of.path.split("."))
    actual = Object.prototype.toString.call(actual) === "[object Object]" ? ((actual as Record<string, unknown>)[name] ?? null) : null;
  const wanted = of.value;
  const comparable = typeof actual === typeof wanted && (typeof actual === "string" || typeof actual === "number");
  switch (of.op) {
    case "eq":
      return actual === wanted;
    case "ne":
      return actual !== wanted;
    case "in":
      return (wanted as unknown[]).includes(actual);
    case "contains":
      if (Array.isArray(actual)) return actual.includes(wanted);
      return typeof actual === "string" && typeof wanted === "string" && actual.includes(wanted);
    case "starts_with":
      return typeof actual === "string" && actual.startsWith(wanted as string);
    case "exists":
      return wanted === false ? actual === null : actual !== null;
    case "gt":
      return comparable && (actual as string) > (wanted as string);
    case "gte":
      return comparable && (actual as string) >= (wanted as string);
    case "lt":
      return comparable && (actual as string) < (wanted as string);
    default:
      return comparable && (actual as string) <= (wanted as string);
  }
}

describe("a filter of events", () => {
  test.each([
    [{ path: "data.account_id", op: "eq", value: 7421 }, true],
    [{ path: "data.account_id", op: "eq", value: "7421" }, false],
    [{ path: "data.account_id", op: "in", value: [1, 7421] }, true],
    [{ path: "data.account_id", op: "gt", value: 7421 }, false],
    [{ path: "data.account_id", op: "gte", value: 7421 }, true],
    [{ path: "data.text", op: "contains", value: "there" }, true],
    [{ path: "data.text", op: "starts_with", value: "there" }, false],
    [{ path: "data.tags", op: "contains", value: "vip" }, true],
    [{ path: "data.tags", op: "contains", value: "vi" }, false],
    [{ path: "data.tags", op: "eq", value: "vip" }, false],
    [{ path: "data.sender", op: "eq", value: null }, true],
    [{ path: "data.sender.username", op: "exists" }, false],
    [{ path: "data.missing", op: "eq", value: null }, true],
    [{ path: "data.missing", op: "ne", value: 1 }, true],
    [{ path: "data.at", op: "gt", value: "2026-05-06T14:00:00.000Z" }, true],
    [{ path: "data.silent", op: "eq", value: false }, true],
    [{ path: "constructor.name", op: "exists" }, false],
    [{ path: "data.tags.length", op: "exists" }, false],
    [{ not: { path: "data.account_id", op: "eq", value: 1 } }, true],
  ] as [Filter, boolean][])("%j takes the message: %p", (of, taken) => {
    expect(matches(of, event)).toBe(taken);
  });

  test("says what a plain reading of it says", () => {
    fc.assert(
      fc.property(filter, data, (of, value) => matches(of, value) === plainly(of, value)),
      { numRuns: 2_000 },
    );
  });

  test("keeps the laws of and, or and not", () => {
    fc.assert(
      fc.property(filter, filter, data, (one, two, value) => {
        const [a, b] = [matches(one, value), matches(two, value)];
        expect(matches({ and: [one, two] }, value)).toBe(a && b);
        expect(matches({ or: [one, two] }, value)).toBe(a || b);
        expect(matches({ not: one }, value)).toBe(!a);
        expect(matches({ not: { and: [one, two] } }, value)).toBe(matches({ or: [{ not: one }, { not: two }] }, value));
        expect(matches({ and: [one, { or: [one, two] }] }, value)).toBe(a);
      }),
    );
  });

  test("leaves what it reads as it is", () => {
    fc.assert(
      fc.property(filter, data, (of, value) => {
        const before = JSON.stringify([of, value]);
        matches(of, value);
        return JSON.stringify([of, value]) === before;
      }),
    );
  });
});

const schemasOf = (...types: string[]) => types.map((type) => eventKinds.schemaOf(type)!);

function faultOf(value: unknown, ...types: string[]): [string | undefined, string | undefined, string] {
  try {
    readFilter("filter", value, schemasOf(...types));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [first] = error.details ?? [];
    return [first?.field, first?.error, error.message];
  }
  return [undefined, undefined, ""];
}

const received = "message.received";
const nested = (depth: number): object => (depth === 0 ? { path: "data.text", op: "exists" } : { not: nested(depth - 1) });

describe("a filter is read against the events that it is for:", () => {
  test.each([
    [{ path: "data.account_id", op: "eq", value: 7421 }],
    [{ path: "account_id", op: "eq", value: null }],
    [{ path: "event", op: "in", value: [received] }],
    [{ path: "data.metadata.campaign", op: "starts_with", value: "june" }],
    [{ path: "data.metadata.campaign", op: "eq", value: null }],
    [{ path: "data.sender.username", op: "eq", value: "sarah" }],
    [{ path: "data.error.code", op: "eq", value: "recipient_blocked" }],
    [{ path: "data.created_at", op: "gte", value: "2026-05-06T00:00:00.000Z" }],
    [{ and: [{ path: "text", op: "contains", value: "?" }, { or: [{ not: { path: "data.silent", op: "eq", value: true } }] }] }],
    [nested(8)],
  ])("%j", (of) => {
    expect(readFilter("filter", of, schemasOf(received))).toEqual(of as Filter);
  });

  test.each([
    [{ path: "data.contcat_id", op: "exists" }, "filter.path", "not_found", /data\.contcat_id.*data has id, channel, account_id/],
    [{ path: "txt", op: "exists" }, "filter.path", "not_found", /an event has event, id, created_at/],
    [{ path: "data.text.length", op: "exists" }, "filter.path", "not_found", /data\.text has no members/],
    [{ path: "data.email", op: "exists" }, "filter.path", "not_found", /data\.email/],
    [
      { path: "data.account_id", op: "eq", value: "7421" },
      "filter.value",
      "wrong_type",
      /a text, and data\.account_id is a number or null/,
    ],
    [{ path: "data.silent", op: "in", value: [true, 1] }, "filter.value.1", "wrong_type", /true or false/],
    [{ path: "data.status", op: "eq", value: "sentt" }, "filter.value", "not_allowed", /queued, sending, sent/],
    [{ path: "event", op: "eq", value: "contact.created" }, "filter.value", "not_allowed", /message\.received/],
    [{ path: "data.text", op: "gt", value: 5 }, "filter.value", "wrong_type", /a number, and data\.text is a text/],
    [{ path: "data.silent", op: "gt", value: true }, "filter.value", "wrong_type", /a number or a text for gt/],
    [{ path: "data.text", op: "contains", value: 5 }, "filter.value", "wrong_type", /is a text/],
    [{ path: "data.silent", op: "contains", value: "x" }, "filter.value", "wrong_type", /neither a text nor a list/],
    [{ path: "data.text", op: "exists", value: 1 }, "filter.value", "wrong_type", /true or false/],
    [{ path: "data.text", op: "equals", value: "x" }, "filter.op", "not_allowed", /is one of eq, ne, in/],
    [{ path: "data.text", value: "x" }, "filter.op", "required", /is one of/],
    [{ path: "data.text", op: "eq" }, "filter.value", "required", /needed for eq/],
    [{ path: 7, op: "eq", value: 1 }, "filter.path", "wrong_type", /a text/],
    [{ and: [] }, "filter.and", "too_short", /one part/],
    [{ and: [{ or: {} }] }, "filter.and.0.or", "wrong_type", /a list/],
    [{ and: [7] }, "filter.and.0", "wrong_type", /an object/],
    [{ tag: "vip" }, "filter", "required", /and, or, not, path/],
    [{ not: { path: "data.text", op: "exists" }, or: [] }, "filter.not", "not_allowed", /beside or/],
    [{ path: "data.text", op: "exists", extra: 1 }, "filter.extra", "unknown_field", /none of path, op, value/],
    [nested(9), "filter.not.not.not.not.not.not.not.not", "too_large", /8 deep/],
    [{ or: Array.from({ length: 51 }, () => ({ path: "text", op: "exists" })) }, "filter.or.50", "too_long", /up to 50/],
  ])("%j is refused", (of, field, error, message) => {
    const found = faultOf(of, received);
    expect(found.slice(0, 2)).toEqual([field, error]);
    expect(found[2]).toMatch(message);
  });

  test("a path that one of several events has will do, and counts as null in the others", () => {
    const of = { path: "data.email", op: "eq", value: null };
    expect(faultOf(of, received)[1]).toBe("not_found");
    expect(faultOf(of, received, "contact.created")).toEqual([undefined, undefined, ""]);
    expect(faultOf({ ...of, path: "data.text" }, "message.sent")[1]).toBe("wrong_type");
    expect(faultOf({ ...of, path: "data.text" }, "message.sent", "contact.created")[1]).toBeUndefined();
  });

  test("whatever is given, it is read or refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), filter), (value) => {
        faultOf(value, received);
      }),
    );
  });
});
