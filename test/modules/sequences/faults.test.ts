import { describe, expect, test } from "bun:test";
import { setup } from "#test/support/app.ts";

const send = { type: "send", text: "Hello", account_id: 7421 };
const wait = { type: "wait", for: "1d" };
const minute = { type: "wait", for: "60s" };
const long = "x".repeat(4_097);

type Step = Record<string, unknown>;
interface Case {
  what: string;
  steps?: unknown[];
  rest?: Record<string, unknown>;
  /** `field error`, all that there are. */
  faults: string[];
}

const only = (what: string, step: Step, ...faults: string[]): Case => ({ what, steps: [step], faults });
const limit = (what: string, rest: Record<string, unknown>, ...faults: string[]): Case => ({ what, rest, faults });

const cases: Case[] = [
  { what: "a step that is no object", steps: [send, 5], faults: ["steps.1 wrong_type"] },
  { what: "a step without a type", steps: [{ text: "Hello" }], faults: ["steps.0.type required"] },
  { what: "a type that there isn't", steps: [{ type: "call" }], faults: ["steps.0.type not_allowed"] },
  { what: "a type that only we use", steps: [{ type: "wait_for", for: "1d" }], faults: ["steps.0.type not_allowed"] },
  { what: "a type that every object has", steps: [{ type: "constructor" }], faults: ["steps.0.type not_allowed"] },
  { what: "a member that its type hasn't", steps: [{ ...wait, text: "Hello" }], faults: ["steps.0.text unknown_field"] },
  { what: "an id of other letters", steps: [{ ...send, id: "Odd!" }], faults: ["steps.0.id bad_format"] },
  {
    what: "two steps of one id",
    steps: [
      { ...send, id: "a" },
      { ...send, id: "a" },
    ],
    faults: ["steps.1.id taken"],
  },
  { what: "a next that is nowhere", steps: [{ ...send, next: "b" }], faults: ["steps.0.next not_found"] },
  { what: "a next of an exit", steps: [{ type: "exit", next: null }], faults: ["steps.0.next unknown_field"] },
  {
    what: "a branch to nowhere",
    steps: [{ type: "branch", if: { replied: true }, then: "x", else: "y" }],
    faults: ["steps.0.then not_found", "steps.0.else not_found"],
  },
  {
    what: "parts that lead nowhere",
    steps: [
      {
        type: "split",
        parts: [
          { weight: 1, next: null },
          { weight: 1, next: "x" },
        ],
      },
    ],
    faults: ["steps.0.parts.1.next not_found"],
  },
  { what: "a step behind the end", steps: [{ ...send, next: null }, send, send], faults: ["steps.1 unreachable", "steps.2 unreachable"] },
  { what: "a step behind an exit", steps: [{ type: "exit" }, send], faults: ["steps.1 unreachable"] },
  { what: "a loop without a wait", steps: [{ ...send, next: "step_1" }], faults: ["steps.0 endless"] },
  { what: "a loop with too short a wait", steps: [send, { type: "wait", for: "59s", next: "step_1" }], faults: ["steps.0 endless"] },
  { what: "a loop with a wait of a minute", steps: [send, { ...minute, next: "step_1" }], faults: [] },
  {
    what: "a loop that waits for a date, which can be past",
    steps: [send, { type: "wait", until_field: { field: "created_at" }, next: "step_1" }],
    faults: ["steps.0 endless"],
  },
  {
    what: "a loop that waits for a time",
    steps: [send, { type: "wait", until: { time: "09:00", weekdays: ["mon"] }, next: "step_1" }],
    faults: [],
  },
  {
    what: "a loop that waits for an event",
    steps: [send, { type: "wait", for_event: { event: "message.received" }, timeout: "1m", next: "step_1", on_timeout: null }],
    faults: [],
  },
  only("a wait for nothing", { type: "wait" }, "steps.0 required"),
  only("a wait for two things", { ...wait, until: { time: "09:00" } }, "steps.0 not_allowed"),
  only("a wait that is no duration", { type: "wait", for: "3 days" }, "steps.0.for bad_format"),
  only("a wait of nothing", { type: "wait", for: "0d" }, "steps.0.for bad_format"),
  only("a time that no clock shows", { type: "wait", until: { time: "24:00" } }, "steps.0.until.time bad_format"),
  only("no weekday", { type: "wait", until: { time: "09:00", weekdays: [] } }, "steps.0.until.weekdays too_short"),
  only("a weekday that there isn't", { type: "wait", until: { time: "09:00", weekdays: ["mo"] } }, "steps.0.until.weekdays.0 not_allowed"),
  only(
    "an offset that is none",
    { type: "wait", until_field: { field: "created_at", offset: "+3d" } },
    "steps.0.until_field.offset bad_format",
  ),
  only("a wait for an event for ever", { type: "wait", for_event: { event: "message.read" } }, "steps.0.timeout required"),
  only(
    "a wait for an event for seconds",
    { type: "wait", for_event: { event: "message.read" }, timeout: "59s" },
    "steps.0.timeout too_small",
  ),
  only(
    "an event that is nothing of a contact",
    { type: "wait", for_event: { event: "job.completed" }, timeout: "1d" },
    "steps.0.for_event.event not_allowed",
  ),
  only(
    "a tag of a message",
    { type: "wait", for_event: { event: "message.read", tag: "vip" }, timeout: "1d" },
    "steps.0.for_event.tag not_allowed",
  ),
  only("a branch on nothing", { type: "branch", if: {} }, "steps.0.if too_short"),
  only("a branch on two things", { type: "branch", if: { replied: true, filter: { tag: "vip" } } }, "steps.0.if too_long"),
  only("a single part", { type: "split", parts: [{ weight: 1, next: null }] }, "steps.0.parts too_short"),
  only(
    "a part without weight",
    {
      type: "split",
      parts: [
        { weight: 0, next: null },
        { weight: 101, next: null },
      ],
    },
    "steps.0.parts.0.weight too_small",
    "steps.0.parts.1.weight too_large",
  ),
  only("a tag of white space", { type: "tag", tag: "  " }, "steps.0.tag too_short"),
  only("no points", { type: "score", points: 0 }, "steps.0.points not_allowed"),
  only("too many points", { type: "score", points: 1_001 }, "steps.0.points too_large"),
  only("an id of another kind", { type: "enroll", sequence_id: "tpl_1" }, "steps.0.sequence_id bad_format"),
  only("nobody who sends", { type: "send", text: "Hello" }, "steps.0.account_id required"),
  only("a sender and a pool", { ...send, account_ids: [7421] }, "steps.0.account_ids not_allowed"),
  only("kinds without a pool", { ...send, channels: ["sandbox"] }, "steps.0.channels not_allowed"),
  only("nothing to send", { type: "send", account_id: 7421 }, "steps.0.text required"),
  only("a text and a template", { ...send, template_id: "tpl_1" }, "steps.0.template_id not_allowed"),
  only("variables without a template", { ...send, variables: { a: 1 } }, "steps.0.variables not_allowed"),
  only("a text of white space", { ...send, text: " " }, "steps.0.text too_short"),
  only("a text that is too long", { ...send, text: long }, "steps.0.text too_long"),
  only("markup that does not work", { ...send, text: "<b>Hello", parse_mode: "HTML" }, "steps.0.text bad_format"),
  only("a variable with a space", { ...send, text: "Hello {first name}" }, "steps.0.text bad_format"),
  only("Liquid outside of a template", { ...send, text: "Hello {{ first_name }}" }, "steps.0.text bad_format"),
  only("braces that are escaped", { ...send, text: "Hello \\{first name}, :-{ {first_name|you}" }),
  only("a button without an effect", { ...send, buttons: [[{ text: "Yes" }]] }, "steps.0.buttons.0.0 required"),
  only("a file from nowhere", { ...send, attachments: [{}] }, "steps.0.attachments.0 required"),
  only("a file from a strange place", { ...send, attachments: [{ url: "ftp://example.com/a" }] }, "steps.0.attachments.0.url bad_format"),
  limit("a zone that there isn't", { timezone: "Europe/Atlantis" }, "timezone bad_format"),
  limit("a window that never opens", { window: { from: "09:00", to: "09:00" } }, "window not_allowed"),
  limit("a window that ends where it begins", { window: { to: "00:00" } }, "window not_allowed"),
  limit("a window that passes midnight", { window: { from: "22:00", to: "06:00" } }),
  limit("a day that no calendar has", { holidays: ["2026-12-25", "2026-02-30"] }, "holidays.1 bad_format"),
  limit("a cap of nothing", { frequency_cap: { count: 0, per: "1d" } }, "frequency_cap.count too_small"),
  limit("a cap per nothing", { frequency_cap: { count: 1, per: "day" } }, "frequency_cap.per bad_format"),
  limit("an exit on a blank tag", { exit_on: { tags: ["a", " "] } }, "exit_on.tags.1 too_short"),
  limit("a return after nobody knows when", { reentry: { rule: "after" } }, "reentry.after required"),
  limit("a return that is never, but later", { reentry: { rule: "never", after: "30d" } }, "reentry.after not_allowed"),
  limit("a tag of a message that enrolls", { triggers: [{ event: "message.received", tag: "vip" }] }, "triggers.0.tag not_allowed"),
  limit(
    "a start without a message",
    { triggers: [{ event: "contact.created", start_payload: "a" }] },
    "triggers.0.start_payload not_allowed",
  ),
  limit("an event that enrolls nobody", { triggers: [{ event: "job.completed" }] }, "triggers.0.event not_allowed"),
  { what: "no steps", steps: [], faults: ["steps too_short"] },
  { what: "too many steps", steps: Array.from({ length: 201 }, () => wait), faults: ["steps too_long"] },
  {
    what: "everything at once",
    steps: [{ ...send, text: "{a b}", next: "nowhere" }, { type: "tag" }, { ...wait, next: "step_3" }],
    rest: { timezone: "Nowhere", holidays: ["2026-13-01"] },
    faults: ["steps.0.text bad_format", "steps.1.tag required", "steps.0.next not_found", "timezone bad_format", "holidays.0 bad_format"],
  },
];

describe("a sequence", () => {
  test("is told all that is wrong with its form at once, each with its place and what to do, and no text is repeated", async () => {
    await using app = await setup();
    for (const { what, steps = [send], rest = {}, faults } of cases) {
      const { status, body, text } = await app.sandbox.post("/v1/sequences", { name: what, steps, ...rest });
      const details = (body["details"] ?? []) as { field: string; error: string; message?: string }[];
      expect([what, details.map(({ field, error }) => `${field} ${error}`)]).toEqual([what, faults]);
      expect([what, status]).toEqual([what, faults.length === 0 ? 201 : 422]);
      expect([what, status === 422 && text.includes("Hello")]).toEqual([what, false]);
      for (const { field, message } of details) if (field.startsWith("steps.")) expect([what, typeof message]).toEqual([what, "string"]);
    }
  });

  test("of which nothing can be told apart is refused without a breakdown", async () => {
    await using app = await setup();
    for (const step of [null, [], 5, "send", { type: {} }, { type: "wait", for: {} }, { type: "send", text: {}, id: 5, next: {} }])
      expect((await app.sandbox.post("/v1/sequences", { name: "Odd", steps: [step] })).status).toBe(422);
  });
});
