import { type Static, type TSchema, Type } from "@sinclair/typebox";

/** The account that every test environment has. */
export const SANDBOX_ACCOUNT_ID = 7_421;
/** Why a lane waits whose account has used its sends of today; a change of the cap ends the wait. */
export const DAILY_CAP_HOLD = "daily cap";
/** Why a lane waits between two sends of a user account. */
export const GAP_HOLD = "gap";
/** Accounts of one's own are numbered from here. */
export const FIRST_ACCOUNT_ID = 10_000;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });

const accountStatuses = ["connected", "connecting", "login_required", "password_required", "paused", "disconnected", "disabled"] as const;
export type AccountStatus = (typeof accountStatuses)[number];

export const accountKinds = ["telegram_bot", "telegram_user", "sandbox"] as const;
export type AccountKind = (typeof accountKinds)[number];

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const count = (description: string) => Type.Integer({ minimum: 0, maximum: 1_000_000, description });

const clockTime = Type.String({ pattern: "^([01]\\d|2[0-3]):[0-5]\\d$", examples: ["22:00"] });
const QuietHours = Type.Object({ from: clockTime, to: clockTime }, { additionalProperties: false });
export type QuietHours = Static<typeof QuietHours>;

const seconds = Type.Number({ minimum: 0, maximum: 3_600 });
const GapSeconds = Type.Array(seconds, {
  minItems: 2,
  maxItems: 2,
  description: "Shortest and longest pause after a send; drawn anew for each.",
});

const Lane = Type.Object({
  state: Type.Union([Type.Literal("free"), Type.Literal("paced"), Type.Literal("held"), Type.Literal("paused")], {
    description: "`paced`: something is due and waits for the pace. `held`: Telegram or a cap asks for patience until `held_until`.",
  }),
  held_until: orNull(time),
  reason: orNull(Type.String()),
});

const Budget = Type.Object({
  day: Type.String({ examples: ["2026-05-06"] }),
  sent: Type.Integer(),
  remaining: orNull(Type.Integer()),
  new_peers: Type.Integer({ description: "Sends to people whom it had not written with before." }),
  new_peers_remaining: orNull(Type.Integer()),
  resets_at: time,
});

/** What people have set, and what Telegram has told of who it is. */
const settled = {
  id: Type.Integer(),
  kind: Type.Union(accountKinds.map((kind) => Type.Literal(kind))),
  name: Type.String(),
  username: orNull(Type.String()),
  telegram_id: orNull(Type.Integer()),
  phone: orNull(Type.String({ description: "Of a user account." })),
  paused: Type.Boolean(),
  timezone: Type.String({ description: "IANA name; a day of the daily cap is this timezone's, and so are quiet hours." }),
  daily_cap: orNull(Type.Integer({ description: "Sends a day; null without a cap." })),
  new_peer_daily_cap: orNull(Type.Integer({ description: "Sends a day to people whom it has not written with before." })),
  gap_seconds: orNull(GapSeconds),
  quiet_hours: orNull(QuietHours),
  has_proxy: Type.Boolean(),
};

export const Account = Type.Object(
  {
    ...settled,
    status: Type.Union(
      accountStatuses.map((status) => Type.Literal(status)),
      { description: "`connected`: there was a round trip to Telegram in the last five minutes." },
    ),
    status_reason: orNull(Type.String()),
    last_proof_at: orNull(Type.String({ format: "date-time", description: "The last round trip that is known of, to the minute." })),
    last_error: orNull(Type.Object({ at: time, message: Type.String() })),
    lane: Lane,
    budget: orNull(Budget),
    restricted_until: orNull(
      Type.String({ format: "date-time", description: "Until then it writes to nobody new: Telegram asked for that." }),
    ),
    created_at: time,
    updated_at: time,
  },
  { $id: "Account" },
);
export type Account = Static<typeof Account>;

const name = Type.String({ minLength: 1, maxLength: 100 });
const token = Type.String({ pattern: "^\\d{1,20}:[A-Za-z0-9_-]{10,100}$", description: "As @BotFather gave it: `digits:characters`." });
const phone = Type.String({ pattern: "^\\+\\d{7,15}$", examples: ["+447700900123"], description: "`+` and 7 to 15 digits." });
const proxy = Type.String({
  minLength: 1,
  maxLength: 500,
  description: "`socks5://user:password@host:port` or `mtproxy://host:port/secret`; kept encrypted and never shown.",
});

export const NewAccount = Type.Object(
  {
    kind: Type.Union([Type.Literal("telegram_bot"), Type.Literal("telegram_user")]),
    token: Type.Optional(token),
    phone: Type.Optional(phone),
    proxy: Type.Optional(proxy),
    name: Type.Optional(name),
  },
  { additionalProperties: false, description: "A bot needs its `token`; a user account is logged in afterwards, by code or QR." },
);
export type NewAccount = Static<typeof NewAccount>;

export const AccountPatch = Type.Object(
  {
    name: Type.Optional(name),
    paused: Type.Optional(Type.Boolean()),
    timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 60, examples: ["Europe/Berlin"] })),
    token: Type.Optional(token),
    daily_cap: Type.Optional(orNull(count("Of user accounts and the sandbox; bots have none."))),
    new_peer_daily_cap: Type.Optional(orNull(count("Of user accounts."))),
    gap_seconds: Type.Optional(GapSeconds),
    quiet_hours: Type.Optional(orNull(QuietHours)),
    proxy: Type.Optional(orNull(proxy)),
  },
  { additionalProperties: false },
);
export type AccountPatch = Static<typeof AccountPatch>;

export const CodeSent = Type.Object({
  type: Type.String({ description: "How Telegram sent it: `app`, `sms`, `call`, …" }),
  timeout: orNull(Type.Integer({ description: "Seconds until another way can be asked for." })),
});
export type CodeSent = Static<typeof CodeSent>;

export const ConfirmLogin = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 20, description: "As Telegram sent it." }) },
  { additionalProperties: false },
);
export const LoginPassword = Type.Object(
  { password: Type.String({ minLength: 1, maxLength: 256, description: "The two-step password; never kept." }) },
  { additionalProperties: false },
);

export const QrLogin = Type.Object({
  status: Type.Union(["login_required", "password_required", "connected"].map((status) => Type.Literal(status))),
  url: orNull(Type.String({ description: "To be shown as a QR code and scanned in Telegram under Settings, Devices." })),
  expires_at: orNull(time),
});
export type QrLogin = Static<typeof QrLogin>;

/** Asks Telegram whose token this is. */
export interface BotGate {
  check(token: string): Promise<BotCheck>;
}

export type BotCheck =
  | { kind: "ok"; telegram_id: number; username: string; name: string }
  | { kind: "refused"; reason: string }
  | { kind: "unreachable"; reason: string };

/** Logs user accounts in. An attempt lives in memory, in the process that began it, and ends after some minutes. */
export interface UserGate {
  /** Begins anew with a code, which Telegram sends to the phone or to its apps. Takes the place of an attempt under way. */
  sendCode(who: Applicant): Promise<LoginAnswer>;
  confirm(who: Applicant, code: string): Promise<LoginAnswer>;
  password(who: Applicant, password: string): Promise<LoginAnswer>;
  /** The address that a logged-in app scans, renewed as it expires; tells by its answer once it was scanned. Begins anew where no such attempt is under way. */
  qr(who: Applicant): Promise<LoginAnswer>;
  /** Ends the attempt, if there is one. */
  cancel(who: Applicant): Promise<void>;
}

/** The account that is to be logged in. */
export interface Applicant {
  env_id: number;
  id: number;
  /** `+` and digits; null where only QR will do. */
  phone: string | null;
  proxy: string | null;
}

export type LoginAnswer =
  /** @param type how it was sent: `app`, `sms`, `call`, … */
  | { kind: "code_sent"; type: string; timeout_s: number | null }
  | { kind: "qr"; url: string; expires_at: number }
  | { kind: "password_required" }
  | { kind: "done"; session: string; telegram_id: number; username: string | null; phone: string | null; name: string }
  /** What was given is wrong, and can be given again. */
  | { kind: "refused"; field: "phone" | "code" | "password"; reason: string }
  /** The attempt is over, or there is none: to be begun anew. */
  | { kind: "expired"; reason: string }
  /** No attempts for so long. */
  | { kind: "flood"; seconds: number; reason: string }
  /** The phone is banned or the account deleted. */
  | { kind: "gone"; reason: string }
  /** The program's own TELEGRAM_API_ID is missing or refused: no login works. */
  | { kind: "misconfigured"; reason: string }
  | { kind: "unreachable"; reason: string };
