import fc from "fast-check";
import { lowestId } from "#src/core/ids.ts";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Tenant, TestApp } from "#test/support/app.ts";
import type { SentMessage, Tree } from "./evaluate.ts";

const DAY_MS = 86_400_000;
const texts = ["Gold", "gold", "Göld plus", "100%", "a_b", "Straße", "王小明", "GOLD*"];
const names = ["José Álvarez", "jose", "Ann_ %", "Фёдор Ёлкин", "ann", "Straße 5"];
const tags = ["vip", "VIP", "x y", "été"];
const numbers = [-1.5, 0, 1, 2.5, 1_000_000_000_000];
const dates = ["1969-12-31", "2026-05-06", "2026-05-07", "2031-01-01"];
const options = ["Ä", "b", "C c"];
/** Days ago. Some lie on the bound of a condition. */
const ages = [0, 0.5, 1, 6.999, 7, 7.001, 30, 400];
const wholeDays = [1, 7, 30];
const languages = ["en", "en-GB", "de"];
const timezones = ["Europe/Berlin", "Europe/London"];
const externalIds = ["Ab1", "ab1", "ab_2", "AB%3"];

const fields = [
  { key: "note", type: "text" },
  { key: "site", type: "url" },
  { key: "amount", type: "number" },
  { key: "renews", type: "date" },
  { key: "active", type: "boolean" },
  { key: "tier", type: "choice", options },
  { key: "topics", type: "multi_choice", options },
];

const maybe = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined });

export const person = fc.record({
  has: fc.record({
    external_id: fc.boolean(),
    telegram_id: fc.boolean(),
    username: fc.boolean(),
    email: fc.boolean(),
    phone: fc.boolean(),
  }),
  rest: fc.record({
    name: maybe(...names),
    language: maybe(...languages),
    timezone: maybe(...timezones),
    consent: maybe({ status: "granted" }, { status: "withdrawn" }),
    tags: fc.subarray(tags),
    note: maybe(...texts),
    site: maybe("https://example.com/A", "http://example.test/Ä"),
    amount: maybe(...numbers),
    renews: maybe(...dates),
    active: fc.option(fc.boolean(), { nil: undefined }),
    tier: maybe(...options),
    topics: fc.subarray(options),
  }),
  created: fc.constantFrom(...ages),
  seen: maybe(...ages),
  messages: fc.array(
    fc.record({
      age: fc.constantFrom(...ages),
      status: fc.constantFrom("queued", "sent", "delivered", "read", "failed", "canceled", "received", "received"),
    }),
    { maxLength: 4 },
  ),
});
type Person = typeof person extends fc.Arbitrary<infer Value> ? Value : never;

const identityOf = (at: number) => ({
  external_id: externalIds[at % externalIds.length]! + (at < externalIds.length ? "" : String(at)),
  telegram_id: 100 + at,
  username: `user_${at}`,
  email: `person.${at}@example.com`,
  phone: `+4477009001${String(at).padStart(2, "0")}`,
});

/** Makes these people, and what was sent to them. @returns all as the API shows it */
export async function populate(
  app: TestApp,
  tenant: Tenant,
  people: readonly Person[],
): Promise<{ contacts: Contact[]; messages: SentMessage[] }> {
  for (const field of fields) await tenant.post("/v1/fields", field);
  const now = app.clock.now();
  let count = 0;
  for (const [at, { has, rest, created, seen, messages }] of people.entries()) {
    const identities = Object.entries(identityOf(at)).filter(([name]) => has[name as keyof typeof has]);
    const { status, body, text } = await tenant.post<Contact>("/v1/contacts", { ...Object.fromEntries(identities), ...rest });
    if (status !== 201) throw new Error(`a person was refused: ${text}`);
    await app.db.write(async (tx) => {
      const q = app.db.in(tx);
      const times = { created_at: now - created * DAY_MS, last_seen_at: seen === undefined ? null : now - seen * DAY_MS };
      await q.updateTable("contacts").set(times).where("env_id", "=", tenant.env_id).where("id", "=", body.id).execute();
      for (const { age, status } of messages) {
        const created_at = now - age * DAY_MS;
        const id = lowestId("msg", created_at).slice(0, -4) + String(count++).padStart(4, "0");
        const nothing = { account_id: null, thread_id: null, eta: null, schedule_at: null, expires_at: null, reply_to: null };
        const none = { error_code: null, error_message: null, error_link: null, last_error: null, remote_id: null, cap_day: null };
        const never = { sent_at: null, delivered_at: null, read_at: null };
        const own = { env_id: tenant.env_id, id, contact_id: body.id, status, created_at, updated_at: created_at };
        const said = {
          channel: "telegram",
          direction: status === "received" ? "in" : "out",
          recipient: "1",
          text: "Hi",
          silent: 0,
          metadata: "{}",
          attempts: "[]",
        };
        await q
          .insertInto("messages")
          .values({ ...nothing, ...none, ...never, ...own, ...said })
          .execute();
      }
    });
  }
  const contacts = await tenant.get<Page<Contact>>("/v1/contacts?limit=200");
  const messages = await tenant.get<Page<SentMessage>>("/v1/messages?limit=200");
  return { contacts: contacts.body.items, messages: messages.body.items };
}

const op = (ops: string[], value: fc.Arbitrary<unknown>, about: Tree) =>
  fc.record({ op: fc.constantFrom(...ops), value }).map((given): Tree => ({ ...about, ...given }));

/** Every kind of comparison that these values allow. */
function comparisons(about: Tree, values: readonly unknown[], kinds: ("part" | "range")[] = []): fc.Arbitrary<Tree> {
  const one = fc.constantFrom(...values);
  const pair = fc.tuple(fc.nat(values.length - 1), fc.nat(values.length - 1)).map((pair) => {
    const [least, most] = pair.toSorted((a, b) => a - b);
    return [values[least!], values[most!]];
  });
  const part = fc.constantFrom(...values).chain((text) => fc.nat(3).map((from) => (text as string).slice(from, from + 3).trim() || "g"));
  return fc.oneof(
    op(["equals", "not_equals"], one, about),
    op(["one_of"], fc.array(one, { minLength: 1, maxLength: 3 }), about),
    fc.constantFrom("is_set", "is_not_set").map((op): Tree => ({ ...about, op })),
    ...(kinds.includes("part") ? [op(["starts_with", "contains"], part, about)] : []),
    ...(kinds.includes("range") ? [op(["at_least", "more_than", "at_most", "less_than"], one, about), op(["between"], pair, about)] : []),
  );
}

/** A condition of any kind. @param now the moment that the people were made at */
function condition(now: number): fc.Arbitrary<Tree> {
  const ids = Array.from({ length: 8 }, (_, at) => identityOf(at));
  const moments = ages.map((age) => new Date(now - age * DAY_MS).toISOString());
  const days = { within_days: maybe(...wholeDays), at_least: maybe(1, 2, 3) };
  return fc.oneof(
    ...(["external_id", "username", "email", "phone"] as const).map((attribute) =>
      comparisons(
        { attribute },
        ids.map((id) => id[attribute]),
        ["part"],
      ),
    ),
    comparisons(
      { attribute: "telegram_id" },
      ids.map((id) => id.telegram_id),
    ),
    comparisons({ attribute: "name" }, names, ["part"]),
    comparisons({ attribute: "first_name" }, ["José", "jose", "Ann_"], ["part"]),
    comparisons({ attribute: "last_name" }, ["Álvarez", "alvarez", "5"], ["part"]),
    comparisons({ attribute: "language" }, languages, ["part"]),
    comparisons({ attribute: "timezone" }, timezones, ["part"]),
    comparisons({ attribute: "consent" }, ["granted", "withdrawn"]),
    ...["created_at", "last_seen_at"].flatMap((attribute) => [
      op(["before", "after"], fc.constantFrom(...moments), { attribute }),
      op(["within_days", "not_within_days"], fc.constantFrom(...wholeDays), { attribute }),
      fc.constantFrom("is_set", "is_not_set").map((op): Tree => ({ attribute, op })),
    ]),
    fc.constantFrom(...tags).map((tag): Tree => ({ tag })),
    comparisons({ field: "note" }, texts, ["part"]),
    comparisons({ field: "site" }, ["https://example.com/A", "HTTPS://EXAMPLE.COM/a"], ["part"]),
    comparisons({ field: "amount" }, numbers, ["range"]),
    comparisons({ field: "renews" }, dates, ["range"]),
    fc.boolean().map((value): Tree => ({ field: "active", op: "equals", value })),
    comparisons({ field: "tier" }, options),
    comparisons({ field: "topics" }, options),
    fc
      .record({
        activity: fc.constantFrom(
          "message_queued",
          "message_sent",
          "message_delivered",
          "message_read",
          "message_failed",
          "message_received",
        ),
        ...days,
      })
      .map((given): Tree => JSON.parse(JSON.stringify(given)) as Tree),
  );
}

/** Trees of all kinds of conditions. */
export function tree(now: number): fc.Arbitrary<Tree> {
  return fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      condition(now),
      fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((and): Tree => ({ and })),
      fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((or): Tree => ({ or })),
      tie("tree").map((not): Tree => ({ not })),
    ),
  })).tree;
}
