import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { type OutcomeCode, outcomes } from "#src/core/outcomes.ts";
import { Metadata } from "#src/modules/contacts/model.ts";
import { Attachment, FileId } from "#src/modules/files/model.ts";
import { Variables } from "#src/modules/templates/model.ts";

export type * from "./automation-model.ts";

/** Telegram's own limit: https://core.telegram.org/bots/api#sendmessage */
export const TEXT_MAX = 4_096;
/** Before its variables are resolved a text may be longer. */
export const UNRESOLVED_TEXT_MAX = 8_192;
/** Of a text that is a caption: https://core.telegram.org/bots/api#sendphoto */
export const CAPTION_MAX = 1_024;
/** Of an album: https://core.telegram.org/bots/api#sendmediagroup */
const ATTACHMENTS_MAX = 10;
const BUTTON_ROWS_MAX = 100;
const BATCH_MAX = 500;

export const messageStatuses = ["queued", "sending", "sent", "delivered", "read", "failed", "canceled", "received"] as const;
export type MessageStatus = (typeof messageStatuses)[number];

export const directions = ["out", "in"] as const;
export type Direction = (typeof directions)[number];

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });
const nullableTime = Type.Union([time, Type.Null()]);
const MessageId = Type.String({ pattern: idPattern("msg") });
const Status = Type.Union(messageStatuses.map((status) => Type.Literal(status)));

const Attempt = Type.Object({
  at: time,
  duration_ms: Type.Integer(),
  outcome: Type.String({ description: "`sent`, `failed`, `held`, `unreached`, `unknown` or `unauthorized`." }),
  code: Type.Union([Type.String(), Type.Null()]),
  detail: Type.Union([Type.String(), Type.Null()]),
});
export type Attempt = Static<typeof Attempt>;

const nullableName = Type.Union([Type.String(), Type.Null()]);
export const Person = Type.Object({
  telegram_id: Type.Integer(),
  username: Type.Union([Type.String(), Type.Null()], { description: "Without `@`." }),
  first_name: nullableName,
  last_name: nullableName,
});
/** Who has written to an account, as the channel tells. */
export type Person = Static<typeof Person>;

const Location = Type.Object({ latitude: Type.Number(), longitude: Type.Number() });
export type Location = Static<typeof Location>;

const ContactCard = Type.Object({
  phone: Type.String(),
  first_name: Type.String(),
  last_name: nullableName,
  telegram_id: Type.Union([Type.Integer(), Type.Null()]),
});
/** A contact that somebody has shared in a chat. */
export type ContactCard = Static<typeof ContactCard>;

const parseModes = ["HTML", "MarkdownV2"] as const;
export type ParseMode = (typeof parseModes)[number];

/** https://core.telegram.org/bots/api#inlinekeyboardbutton */
export const Button = Type.Object(
  {
    text: Type.String({ minLength: 1, maxLength: 100 }),
    url: Type.Optional(Type.String({ minLength: 1, maxLength: 2_048, description: "Opened when it is pressed." })),
    data: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: "Told by `message.button_pressed`; at most 64 bytes. Either this or `url`.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type Button = Static<typeof Button>;

/** What a message holds beside its text. */
const enclosed = {
  parse_mode: Type.Union([...parseModes.map((mode) => Type.Literal(mode)), Type.Null()]),
  attachments: Type.Array(Attachment),
  buttons: Type.Array(Type.Array(Button), { description: "Rows of buttons under the message." }),
  location: Type.Union([Location, Type.Null()]),
  contact_card: Type.Union([ContactCard, Type.Null()]),
  album_id: Type.Union([Type.String(), Type.Null()], { description: "The same for all received messages of one album." }),
  start_payload: Type.Union([Type.String(), Type.Null()], { description: "What stood behind `/start`: `https://t.me/<bot>?start=…`." }),
  reactions: Type.Array(Type.String(), { description: "What the other side has put to it." }),
};
const Content = Type.Partial(Type.Object(enclosed));
/** As it is kept: what a message doesn't have is left out. */
export type Content = Static<typeof Content>;

export const Message = Type.Object(
  {
    id: MessageId,
    channel: Type.String(),
    account_id: Type.Union([Type.Integer(), Type.Null()]),
    direction: Type.Union([Type.Literal("out"), Type.Literal("in")]),
    to: Type.String({ description: "Of a received message the account: its `@username`, else its id." }),
    sender: Type.Union([Person, Type.Null()], { description: "Who wrote a received message; null of one that was sent." }),
    contact_id: Type.Union([Type.String(), Type.Null()]),
    thread_id: Type.Union([Type.String(), Type.Null()]),
    text: Type.String(),
    ...enclosed,
    status: Status,
    eta: nullableTime,
    schedule_at: nullableTime,
    expires_at: nullableTime,
    silent: Type.Boolean(),
    reply_to: Type.Union([Type.String(), Type.Null()]),
    error: Type.Union([
      Type.Object({
        code: Type.Union((Object.keys(outcomes) as OutcomeCode[]).map((code) => Type.Literal(code))),
        message: Type.String(),
        link: Type.Union([Type.String(), Type.Null()]),
      }),
      Type.Null(),
    ]),
    last_error: Type.Union([Type.String(), Type.Null()], { description: "Why the last try did not get through, in words." }),
    attempts: Type.Array(Attempt),
    metadata: Metadata,
    origin: Type.Union(
      [
        Type.Object({
          type: Type.Union([Type.Literal("sequence"), Type.Literal("broadcast")]),
          id: Type.String(),
          step: Type.Union([Type.String(), Type.Null()], { description: "Of a sequence its step, of a broadcast the variant." }),
          enrollment_id: Type.Union([Type.String(), Type.Null()]),
        }),
        Type.Null(),
      ],
      { description: "What made it; null of one that was asked for by itself, and of a received one." },
    ),
    created_at: time,
    sent_at: nullableTime,
    delivered_at: nullableTime,
    read_at: nullableTime,
    edited_at: nullableTime,
    deleted_at: nullableTime,
    updated_at: time,
  },
  { $id: "Message" },
);
export type Message = Static<typeof Message>;

/** What can be sent; the other types are only received. */
export const sentTypes = ["photo", "document", "video", "voice", "audio", "animation"] as const;
export type SentType = (typeof sentTypes)[number];

const NewAttachment = Type.Object(
  {
    type: Type.Optional(
      Type.Union(
        sentTypes.map((type) => Type.Literal(type)),
        { description: "How it appears in the chat; without it by what the file is." },
      ),
    ),
    file_id: Type.Optional(FileId),
    url: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        description: "Where Telegram fetches it, over http or https. Either this or `file_id`.",
      }),
    ),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: "Of a file of yours, in the place of its own." })),
  },
  { additionalProperties: false },
);
export type NewAttachment = Static<typeof NewAttachment>;

const ParseModeField = Type.Union(
  parseModes.map((mode) => Type.Literal(mode)),
  {
    description:
      "The markup of the text: Telegram's HTML or MarkdownV2. Checked before the message is taken; values of variables are escaped for it.",
  },
);
const ButtonRow = Type.Array(Button, { minItems: 1, maxItems: 8 });
const Buttons = Type.Array(ButtonRow, {
  minItems: 1,
  maxItems: BUTTON_ROWS_MAX,
  description: "Rows of buttons under the message, up to 100 in all. An album can't have any.",
});

export const SendMessage = Type.Object(
  {
    account_id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "Account to send from; 7421 is the sandbox." }),
    to: Type.Union(
      [
        Type.String({ minLength: 1, maxLength: 100 }),
        Type.Integer({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      ],
      {
        description: "`@username` with or without the `@`, a numeric chat id, or the id of a contact.",
      },
    ),
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: UNRESOLVED_TEXT_MAX,
        description:
          "`{first_name}` and `{first_name|there}` are filled from the recipient's profile when it is sent; `\\{` is a brace. At most 4,096 characters then, 1,024 beside attachments, markup not counted. Either this or `template_id`; beside attachments neither is needed.",
      }),
    ),
    template_id: Type.Optional(
      Type.String({ minLength: 1, maxLength: 40, description: "Id of a template (`tpl_…`) whose text it is, as it is now." }),
    ),
    variables: Type.Optional(Variables),
    parse_mode: Type.Optional(ParseModeField),
    attachments: Type.Optional(
      Type.Array(NewAttachment, {
        minItems: 1,
        maxItems: ATTACHMENTS_MAX,
        description:
          "Files, with the text as their caption. Several are an album: photos and videos in any order, or documents alone, or audio alone.",
      }),
    ),
    buttons: Type.Optional(Buttons),
    schedule_at: Type.Optional(Type.String({ format: "date-time", description: "Not before this time." })),
    expires_at: Type.Optional(Type.String({ format: "date-time", description: "Not after this time: then it fails as `expired`." })),
    silent: Type.Optional(Type.Boolean({ description: "Arrives without a sound." })),
    reply_to: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 40,
        description: "Id of a message of yours in that chat (`msg_…`), or Telegram's own message id.",
      }),
    ),
    metadata: Type.Optional(Metadata),
  },
  { additionalProperties: false },
);
export type SendMessage = Static<typeof SendMessage>;

export const EditMessage = Type.Object(
  {
    text: Type.Optional(
      Type.String({
        maxLength: UNRESOLVED_TEXT_MAX,
        description: "As of a send; of a message with files it is the caption, and can be empty.",
      }),
    ),
    parse_mode: Type.Optional(Type.Union([...parseModes.map((mode) => Type.Literal(mode)), Type.Null()])),
    buttons: Type.Optional(Type.Array(ButtonRow, { maxItems: BUTTON_ROWS_MAX, description: "None takes them away." })),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type EditMessage = Static<typeof EditMessage>;

export const Sent = Type.Object({ id: MessageId, status: Status, eta: time }, { $id: "Sent" });
export type Sent = Static<typeof Sent>;

export const SendBatch = Type.Object(
  { messages: Type.Array(SendMessage, { minItems: 1, maxItems: BATCH_MAX }) },
  { additionalProperties: false },
);
export type SendBatch = Static<typeof SendBatch>;

const BatchResult = Type.Union([
  Type.Object({ index: Type.Integer(), id: MessageId, status: Status, eta: time }),
  Type.Object({
    index: Type.Integer(),
    error: Type.Object({ code: Type.String(), message: Type.String() }, { additionalProperties: true }),
  }),
]);
export const BatchAnswer = Type.Object(
  { results: Type.Array(BatchResult), accepted: Type.Integer(), refused: Type.Integer() },
  { $id: "BatchAnswer" },
);
export type BatchAnswer = Static<typeof BatchAnswer>;

/** What a list of messages can be narrowed by. */
export interface MessageFilter {
  status?: MessageStatus;
  direction?: Direction;
  account_id?: number;
  to?: string;
  created_after?: string;
  created_before?: string;
}
