import { type Static, Type } from "@sinclair/typebox";
import { durationPattern } from "#src/core/duration.ts";
import { idPattern } from "#src/core/ids.ts";
import { timeOfDayPattern, weekdays } from "#src/core/local-time.ts";
import { Metadata } from "#src/modules/contacts/model.ts";
import { SendMessage } from "#src/modules/messages/model.ts";

export const broadcastStatuses = ["draft", "scheduled", "running", "paused", "completed", "canceled", "stopped"] as const;
export type BroadcastStatus = (typeof broadcastStatuses)[number];
export const recipientStatuses = ["held", "waiting", "queued", "sent", "failed", "skipped", "canceled"] as const;
export type RecipientStatus = (typeof recipientStatuses)[number];

const CONTACTS_MAX = 10_000;
const ACCOUNTS_MAX = 20;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const nullableTime = Type.Union([time, Type.Null()]);
const ContactId = Type.String({ pattern: idPattern("ct") });
const exact = { additionalProperties: false };
const count = (description: string) => Type.Integer({ description });

export const Audience = Type.Union(
  [
    Type.Object({ segment_id: Type.String({ pattern: idPattern("seg") }) }, exact),
    Type.Object({ filter: Type.Object({}, { additionalProperties: true, description: "As of a segment." }) }, exact),
    Type.Object({ tag: Type.String({ minLength: 1, maxLength: 64 }) }, exact),
    Type.Object({ contact_ids: Type.Array(ContactId, { minItems: 1, maxItems: CONTACTS_MAX }) }, exact),
  ],
  { description: "Whom it is for, as they are when it begins: those of a segment or a filter, those with a tag, or these." },
);
export type Audience = Static<typeof Audience>;

const { text, template_id, variables, parse_mode, attachments, buttons, silent } = SendMessage.properties;
export const BroadcastMessage = Type.Object({ text, template_id, variables, parse_mode, attachments, buttons, silent }, exact);
export type BroadcastMessage = Static<typeof BroadcastMessage>;

const AccountIds = Type.Array(SendMessage.properties.account_id, {
  minItems: 1,
  maxItems: ACCOUNTS_MAX,
  description:
    "Who sends. Of several, one that knows the recipient, and of those the one that would get to it first by its caps and pace; who is paused or cut off comes last.",
});
const Throttle = Type.Object({ per_minute: Type.Integer({ minimum: 1, maximum: 60_000, description: "Messages that are made." }) }, exact);
const StopRate = Type.Object(
  {
    percent: Type.Integer({ minimum: 1, maximum: 100 }),
    after: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 20, description: "Messages that have ended before it is looked at." }),
  },
  { ...exact, description: "Stops by itself when so many of a hundred messages have failed." },
);
const timezone = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "IANA name: of contacts who have none, and whose language doesn't tell one. UTC without it.",
  examples: ["Europe/Berlin"],
});
const Schedule = Type.Union([
  Type.Object({ at: Type.String({ format: "date-time", description: "Begins at this time." }) }, exact),
  Type.Object(
    {
      local: Type.String({
        pattern: "^\\d{4}-\\d{2}-\\d{2}T([01]\\d|2[0-3]):[0-5]\\d$",
        description:
          "When it is this in each contact's local time; at once where that is over. Recipients are noted an hour before it is this anywhere.",
        examples: ["2026-12-01T09:00"],
      }),
    },
    exact,
  ),
  Type.Object(
    {
      cron: Type.String({
        minLength: 1,
        maxLength: 200,
        description: "Again and again, each run a broadcast of its own: https://croner.56k.guru/usage/pattern/",
        examples: ["0 9 * * MON"],
      }),
      timezone: Type.Optional({ ...timezone, description: "Of the pattern; UTC without it." }),
    },
    exact,
  ),
]);
const TimeOfDay = Type.String({ pattern: timeOfDayPattern, examples: ["09:00"] });
const Window = Type.Object(
  {
    weekdays: Type.Optional(
      Type.Array(Type.Union(weekdays.map((day) => Type.Literal(day))), { minItems: 1, maxItems: 7, uniqueItems: true }),
    ),
    from: Type.Optional(TimeOfDay),
    to: Type.Optional({ ...TimeOfDay, description: "The first minute that is outside; earlier than `from`, it is that of the next day." }),
  },
  { ...exact, minProperties: 1, description: "When messages are made, in each contact's local time." },
);
const Holidays = Type.Array(Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}$", examples: ["2026-12-25"] }), {
  maxItems: 366,
  uniqueItems: true,
  description: "Local dates on which none are made.",
});
const Duration = Type.String({ pattern: durationPattern, examples: ["4h"] });
const FrequencyCap = Type.Object(
  { count: Type.Integer({ minimum: 1, maximum: 1_000 }), per: Duration },
  {
    ...exact,
    description: "Not more messages than this to one contact within that time, from all sequences and broadcasts: later ones wait.",
  },
);
const Variant = Type.Object(
  {
    name: Type.String({ pattern: "^[a-z0-9_]{1,20}$", examples: ["a"] }),
    weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 1 })),
    message: BroadcastMessage,
  },
  exact,
);
const AbTest = Type.Object(
  {
    variants: Type.Array(Variant, { minItems: 2, maxItems: 5 }),
    sample_percent: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, default: 100, description: "Who is in the test; the others get what has won." }),
    ),
    winner: Type.Optional(
      Type.Object(
        {
          metric: Type.Union([Type.Literal("replied"), Type.Literal("clicked")], { description: "`clicked` needs `track_links`." }),
          after: Type.Optional({ ...Duration, default: "4h" }),
        },
        {
          ...exact,
          description:
            "The variant with the largest share of those who answered, or opened a link, so long after the last message of the sample was made.",
        },
      ),
    ),
  },
  { ...exact, description: "Several messages instead of one. Who gets which is fixed by contact and broadcast." },
);
export type AbTest = Static<typeof AbTest>;

const settings = {
  name: Type.String({ minLength: 1, maxLength: 100 }),
  audience: Audience,
  message: Type.Union([BroadcastMessage, Type.Null()], { description: "Null where `ab_test` has the messages." }),
  account_ids: AccountIds,
  schedule: Type.Union([Schedule, Type.Null()], { description: "Null begins when it is sent." }),
  throttle: Type.Union([Throttle, Type.Null()]),
  stop_at_failure_rate: Type.Union([StopRate, Type.Null()]),
  ab_test: Type.Union([AbTest, Type.Null()]),
  timezone: Type.Union([timezone, Type.Null()]),
  window: Type.Union([Window, Type.Null()]),
  holidays: Holidays,
  frequency_cap: Type.Union([FrequencyCap, Type.Null()]),
  track_links: Type.Boolean({
    default: false,
    description:
      "Counts who opens a link: those of the text and of buttons then lead here first, and on from here at once. Needs PUBLIC_URL. A link with a variable in it stays as it is, and so do those of previews and tests.",
  }),
  metadata: Metadata,
};

export const NewBroadcast = Type.Object(
  {
    name: settings.name,
    audience: settings.audience,
    message: Type.Optional(settings.message),
    account_ids: settings.account_ids,
    schedule: Type.Optional(settings.schedule),
    throttle: Type.Optional(settings.throttle),
    stop_at_failure_rate: Type.Optional(settings.stop_at_failure_rate),
    ab_test: Type.Optional(settings.ab_test),
    timezone: Type.Optional(settings.timezone),
    window: Type.Optional(settings.window),
    holidays: Type.Optional(settings.holidays),
    frequency_cap: Type.Optional(settings.frequency_cap),
    track_links: Type.Optional(settings.track_links),
    metadata: Type.Optional(settings.metadata),
  },
  exact,
);
export type NewBroadcast = Static<typeof NewBroadcast>;

export const BroadcastPatch = Type.Partial(NewBroadcast, exact);
export type BroadcastPatch = Static<typeof BroadcastPatch>;

/** What is kept of a broadcast beside whom it is for. */
export type Plan = Required<Omit<NewBroadcast, "name" | "audience" | "metadata">>;

/** What a reading of a broadcast's counts gives, by day and variant. */
const DayCounts = Type.Object({
  date: Type.String({ description: "In UTC." }),
  variant: Type.Union([Type.String(), Type.Null()]),
  entered: count("Messages that were made."),
  sent: Type.Integer(),
  failed: Type.Integer(),
  skipped: Type.Integer(),
  canceled: Type.Integer(),
  replied: Type.Integer(),
  clicked: count("Who opened a link, where links are tracked."),
});
const Codes = Type.Record(Type.String(), Type.Integer());
export const Statistics = Type.Object(
  {
    broadcast_id: Type.String(),
    status: Type.String(),
    totals: Type.Omit(DayCounts, ["date", "variant"]),
    failed_by_code: Codes,
    skipped_by_reason: Codes,
    variants: Type.Array(Type.Omit(DayCounts, ["date"])),
    days: Type.Array(DayCounts),
  },
  { $id: "BroadcastStatistics" },
);
export type Statistics = Static<typeof Statistics>;

const VariantName = Type.Optional(Type.String({ maxLength: 20, description: "Of an A/B test; the first without it." }));
export const AskTest = Type.Object(
  { to: Type.Array(SendMessage.properties.to, { minItems: 1, maxItems: 5 }), variant: VariantName },
  exact,
);
export type AskTest = Static<typeof AskTest>;
export const AskPreview = Type.Object({ contact_id: ContactId, variant: VariantName }, exact);
export type AskPreview = Static<typeof AskPreview>;
export const Preview = Type.Object(
  {
    contact_id: Type.String(),
    text: Type.Union([Type.String(), Type.Null()], { description: "With its variables filled in from what is known of the contact." }),
    missing: Type.Array(Type.String(), { description: "Variables that have neither a value nor a fallback." }),
    account_id: Type.Union([Type.Integer(), Type.Null()], { description: "Who would send it." }),
    reason: Type.Union([Type.String(), Type.Null()], { description: "Why it would be skipped, or will probably fail." }),
  },
  { $id: "BroadcastPreview" },
);
export type Preview = Static<typeof Preview>;

const Counts = Type.Object({
  total: count("Recipients that are noted; all of them once `is_noted`."),
  waiting: count("For whom no message is made yet."),
  queued: count("Whose message has not left yet."),
  sent: Type.Integer(),
  failed: Type.Integer(),
  skipped: count("To whom nothing can be sent: see their `reason`."),
  canceled: Type.Integer(),
  replied: count("Who answered within 7 days."),
  clicked: count("Who opened a link, where links are tracked."),
});

export const Broadcast = Type.Object(
  {
    id: Type.String({ pattern: idPattern("bc") }),
    ...settings,
    status: Type.Union(broadcastStatuses.map((status) => Type.Literal(status))),
    reason: Type.Union([Type.String(), Type.Null()], { description: "Why it was stopped: `failure_rate`, or what its job failed of." }),
    counts: Counts,
    is_noted: Type.Boolean({ description: "Whether all its recipients are noted." }),
    job_id: Type.Union([Type.String(), Type.Null()], { description: "The job that notes its recipients." }),
    parent_id: Type.Union([Type.String(), Type.Null()], { description: "The recurring broadcast whose run it is." }),
    winner: Type.Union([Type.String(), Type.Null()], { description: "The variant that those get who were not in the sample." }),
    next_runs: Type.Array(time, { description: "Of a recurring one the next ten." }),
    starts_at: nullableTime,
    started_at: nullableTime,
    ended_at: nullableTime,
    created_at: time,
    updated_at: time,
  },
  { $id: "Broadcast" },
);
export type Broadcast = Static<typeof Broadcast>;

export const Recipient = Type.Object(
  {
    contact_id: ContactId,
    status: Type.Union(recipientStatuses.map((status) => Type.Literal(status))),
    variant: Type.Union([Type.String(), Type.Null()]),
    account_id: Type.Union([Type.Integer(), Type.Null()]),
    message_id: Type.Union([Type.String(), Type.Null()]),
    due_at: Type.Union([time, Type.Null()], { description: "When its message is made, of one that waits." }),
    sent_at: nullableTime,
    replied_at: Type.Union([time, Type.Null()], { description: "When they first answered." }),
    clicked_at: Type.Union([time, Type.Null()], { description: "When they first opened a link, where links are tracked." }),
    reason: Type.Union([Type.String(), Type.Null()], {
      description:
        "Why it was skipped, failed, or waits longer: a stable code, such as `no_address`, `window`, `frequency_cap`, `new_peer_daily_cap` or `account_busy` (other accounts go on meanwhile).",
    }),
  },
  { $id: "BroadcastRecipient" },
);
export type Recipient = Static<typeof Recipient>;
