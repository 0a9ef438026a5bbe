import { invalidField } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Attachment } from "#src/modules/files/model.ts";
import type { Channel } from "./channel.ts";
import { type Button, type Content, type NewAttachment, type SendMessage, type SentType, sentTypes } from "./model.ts";

/** https://core.telegram.org/bots/api#sendphoto */
const PHOTO_BYTES_MAX = 10_000_000;
const BUTTONS_MAX = 100;
const BUTTON_DATA_BYTES_MAX = 64;

/** A file as messages know it. */
interface KnownFile {
  id: string;
  type: Attachment["type"];
  name: string | null;
  mime: string | null;
  size: number | null;
}

/** The verb that taking messages uses of files. */
export interface KnownFiles {
  /** Keeps a file from being removed as unused before that time (ms). @returns undefined when there is no such file */
  reserve(tx: Tx, env_id: number, id: string, until: number): Maybe<KnownFile | undefined>;
}

/** True of what is nearly every send: a text and nothing else. */
export function isPlain(ask: SendMessage): boolean {
  return ask.parse_mode === undefined && ask.attachments === undefined && ask.buttons === undefined;
}

/**
 * Reads what a message is to hold beside its text.
 * @param until when it may leave (ms)
 * @throws AppError `validation_error` for what Telegram would refuse
 */
export async function readEnclosures(files: KnownFiles, tx: Tx, env_id: number, ask: SendMessage, until: number): Promise<Content> {
  const { parse_mode, attachments: asked = [], buttons } = ask;
  const content: Content = {};
  if (parse_mode !== undefined) content.parse_mode = parse_mode;
  if (buttons !== undefined) content.buttons = readButtons(buttons, asked.length);
  if (asked.length === 0) return content;
  const attachments: Attachment[] = [];
  for (const [at, attachment] of asked.entries()) attachments.push(await readAttachment(files, tx, env_id, attachment, at, until));
  checkAlbum(attachments);
  return { ...content, attachments };
}

async function readAttachment(
  files: KnownFiles,
  tx: Tx,
  env_id: number,
  asked: NewAttachment,
  at: number,
  until: number,
): Promise<Attachment> {
  const field = `attachments.${at}`;
  checkAttachment(field, asked);
  const { file_id, url } = asked;
  const facts = { width: null, height: null, duration: null };
  if (file_id === undefined) return { ...facts, ...readRemote(field, asked, url!) };
  const file = await files.reserve(tx, env_id, file_id, until);
  if (file === undefined) throw invalidField(`${field}.file_id`, "not_found", "file_id names no file of this environment.", file_id);
  const { name, mime, size } = file;
  const type = asked.type ?? usualType(file);
  if (type === "photo" && (size ?? 0) > PHOTO_BYTES_MAX)
    throw invalidField(`${field}.type`, "not_allowed", "Telegram takes photos of up to 10 MB: send this one as a document.", type);
  return { ...facts, type, file_id, url: null, name: asked.name ?? name, mime, size };
}

/** What can be told of an attachment without looking its file up. @throws AppError `validation_error` */
export function checkAttachment(field: string, asked: NewAttachment): void {
  const { file_id, url } = asked;
  if ((file_id === undefined) === (url === undefined))
    throw invalidField(field, "required", "An attachment has either a file_id or a url.");
  if (url !== undefined) readRemote(field, asked, url);
}

/** What is no way to appear in a chat of one's own, such as a sticker, is a document. */
function usualType({ type, size }: KnownFile): SentType {
  if (type === "photo" && (size ?? 0) > PHOTO_BYTES_MAX) return "document";
  return sentTypes.find((known) => known === type) ?? "document";
}

function readRemote(field: string, { type, name }: NewAttachment, url: string): Omit<Attachment, "width" | "height" | "duration"> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw invalidField(`${field}.url`, "bad_format", "The url of an attachment begins with https:// or http://.");
  if (name !== undefined)
    throw invalidField(`${field}.name`, "not_allowed", "A file that Telegram fetches keeps its name: upload it to give it another.", name);
  return { type: type ?? typeByName(parsed.pathname), file_id: null, url, name: null, mime: null, size: null };
}

const byExtension: Readonly<Record<string, SentType>> = {
  ...{ jpg: "photo", jpeg: "photo", png: "photo", webp: "photo", gif: "animation", mp4: "video" },
  ...{ mp3: "audio", m4a: "audio", ogg: "voice", oga: "voice", opus: "voice" },
};

function typeByName(path: string): SentType {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(byExtension, extension) ? byExtension[extension]! : "document";
}

/** https://core.telegram.org/bots/api#sendmediagroup */
function checkAlbum(attachments: readonly Attachment[]): void {
  if (attachments.length === 1) return;
  const types = new Set(attachments.map(({ type }) => (type === "video" ? "photo" : type)));
  const [type, other] = types;
  if (other === undefined && (type === "photo" || type === "document" || type === "audio")) return;
  throw invalidField(
    "attachments",
    "not_allowed",
    "An album has photos and videos, or documents alone, or audio alone: give each a type that fits, or send several messages.",
    attachments.map(({ type }) => type),
  );
}

/** @throws AppError `validation_error` on `buttons` where there can't be any */
export function checkButtonsAllowed({ lacksButtons }: Pick<Channel, "lacksButtons">, buttons: readonly unknown[] | undefined): void {
  if (lacksButtons === true && buttons !== undefined && buttons.length > 0)
    throw invalidField("buttons", "not_allowed", "Only bots can send buttons: leave them out, or send from a bot.");
}

/** @throws AppError `validation_error` on `buttons` */
export function readButtons(rows: readonly (readonly Button[])[], attachments: number): Button[][] {
  if (attachments > 1)
    throw invalidField("buttons", "not_allowed", "Telegram shows no buttons under an album: send them with a message of their own.");
  const count = rows.reduce((sum, row) => sum + row.length, 0);
  if (count > BUTTONS_MAX) throw invalidField("buttons", "too_long", `There are ${count} buttons; Telegram takes ${BUTTONS_MAX}.`);
  for (const [row, buttons] of rows.entries())
    for (const [column, button] of buttons.entries()) checkButton(button, `buttons.${row}.${column}`);
  return rows.map((row) => row.map((button) => ({ ...button })));
}

function checkButton({ text, url, data }: Button, field: string): void {
  if (text.trim() === "") throw invalidField(`${field}.text`, "too_short", "The text of a button holds nothing but white space.");
  if ((url === undefined) === (data === undefined)) throw invalidField(field, "required", "A button has either a url or data.");
  if (data !== undefined && Buffer.byteLength(data) > BUTTON_DATA_BYTES_MAX)
    throw invalidField(`${field}.data`, "too_long", `The data of a button has at most ${BUTTON_DATA_BYTES_MAX} bytes.`);
  if (url !== undefined && !(URL.canParse(url) && /^(https?|tg):$/.test(new URL(url).protocol)))
    throw invalidField(`${field}.url`, "bad_format", "The url of a button begins with https://, http:// or tg://.");
}
