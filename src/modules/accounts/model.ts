import { type Static, Type } from "@sinclair/typebox";

/** The account that every test environment has. */
export const SANDBOX_ACCOUNT_ID = 7_421;
/** Why a lane waits whose account has used its sends of today; a change of the cap ends the wait. */
export const DAILY_CAP_HOLD = "daily cap";
/** Accounts of one's own are numbered from here. */
export const FIRST_ACCOUNT_ID = 10_000;

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });

const accountStatuses = ["connected", "connecting", "login_required", "password_required", "paused", "disconnected", "disabled"] as const;
export type AccountStatus = (typeof accountStatuses)[number];

export const Account = Type.Object(
  {
    id: Type.Integer(),
    kind: Type.Union([Type.Literal("telegram_bot"), Type.Literal("sandbox")]),
    name: Type.String(),
    username: Type.Union([Type.String(), Type.Null()]),
    telegram_id: Type.Union([Type.Integer(), Type.Null()]),
    status: Type.Union(accountStatuses.map((status) => Type.Literal(status))),
    status_reason: Type.Union([Type.String(), Type.Null()]),
    paused: Type.Boolean(),
    timezone: Type.String({ description: "IANA name; a day of the daily cap is this timezone's." }),
    daily_cap: Type.Union([Type.Integer(), Type.Null()], { description: "Sends a day; null without a cap." }),
    created_at: time,
    updated_at: time,
  },
  { $id: "Account" },
);
export type Account = Static<typeof Account>;

const name = Type.String({ minLength: 1, maxLength: 100 });
const token = Type.String({ pattern: "^\\d{1,20}:[A-Za-z0-9_-]{10,100}$", description: "As @BotFather gave it: `digits:characters`." });

export const NewAccount = Type.Object(
  { kind: Type.Literal("telegram_bot"), token, name: Type.Optional(name) },
  { additionalProperties: false },
);
export type NewAccount = Static<typeof NewAccount>;

export const AccountPatch = Type.Object(
  {
    name: Type.Optional(name),
    paused: Type.Optional(Type.Boolean()),
    timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 60, examples: ["Europe/Berlin"] })),
    token: Type.Optional(token),
    daily_cap: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: 1_000_000 }), Type.Null()], {
        description: "Only the sandbox takes one yet; bots have none.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type AccountPatch = Static<typeof AccountPatch>;

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
