import { invalidField } from "#src/core/errors.ts";
import { readTime } from "#src/core/time-field.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Variables } from "#src/modules/templates/model.ts";
import type { Channel } from "./channel.ts";
import { readUnresolved } from "./markup.ts";
import { CAPTION_MAX, type ParseMode, type SendMessage, TEXT_MAX } from "./model.ts";
import { hasVariables, lengthOf } from "./text.ts";

/** When a message may leave, and until when. */
export interface Timing {
  run_at: number;
  schedule_at: number | null;
  expires_at: number | null;
}

/** @throws AppError `validation_error` for times that are none, or that leave no moment to send */
export function readTiming(ask: SendMessage, now: number): Timing {
  const schedule_at = ask.schedule_at === undefined ? null : readTime("schedule_at", ask.schedule_at);
  const expires_at = ask.expires_at === undefined ? null : readTime("expires_at", ask.expires_at);
  const run_at = Math.max(now, schedule_at ?? now);
  if (expires_at !== null && expires_at <= run_at)
    throw invalidField(
      "expires_at",
      "too_small",
      "expires_at leaves no time to send: it must lie after now and after schedule_at.",
      ask.expires_at,
    );
  return { run_at, schedule_at, expires_at };
}

/** @returns the recipient in the channel's normal form @throws AppError `validation_error` on `to` */
export function readRecipient(channel: Channel, to: string | number): string {
  const recipient = channel.normalize(to);
  if (recipient === null)
    throw invalidField("to", "bad_format", "to is neither a username such as @sarah_miller nor a numeric chat id.", to);
  return recipient;
}

/** The verb that messages use of templates. */
export interface Templates {
  /** @throws AppError `not_found` (the template), `validation_error` */
  textFor(
    tx: Tx,
    env_id: number,
    template_id: string,
    fill: { variables?: Variables; contact_id?: string; markup?: ParseMode | null },
  ): Promise<string>;
}

/** @returns the text that a message is to have, or its template's, which has yet to be asked @throws AppError `validation_error` */
export function readText(
  templates: Templates,
  tx: Tx,
  env_id: number,
  ask: SendMessage,
  contact_id: string | null,
): string | Promise<string> {
  const { text, template_id, variables } = ask;
  if (template_id !== undefined) return templatesText(templates, tx, env_id, template_id, ask, contact_id);
  if (text === undefined && ask.attachments === undefined) throw invalidField("text", "required", "Give either text or template_id.");
  if (variables !== undefined)
    throw invalidField(
      "variables",
      "not_allowed",
      "variables are a template's: give them with template_id. A text has {first_name|there}.",
    );
  // A file needs no caption.
  if (text === undefined) return "";
  checkText(text, "text", ask);
  return text;
}

async function templatesText(
  templates: Templates,
  tx: Tx,
  env_id: number,
  template_id: string,
  ask: SendMessage,
  contact_id: string | null,
): Promise<string> {
  const { text, variables, parse_mode = null } = ask;
  if (text !== undefined) throw invalidField("template_id", "not_allowed", "Give either text or template_id, not both.");
  const composed = await templates.textFor(tx, env_id, template_id, {
    ...(variables === undefined ? {} : { variables }),
    ...(contact_id === null ? {} : { contact_id }),
    markup: parse_mode,
  });
  checkText(composed, "template_id", ask);
  return composed;
}

type Rich = Pick<SendMessage, "parse_mode" | "attachments">;

/** A text without variables has its final length already. @throws AppError `validation_error` on the field that it comes from */
export function checkText(text: string, field: "text" | "parse_mode" | "template_id", { parse_mode, attachments }: Rich): void {
  if (text.trim() === "") throw invalidField(field, "too_short", "The text holds nothing but white space, which Telegram refuses.");
  const most = attachments === undefined ? TEXT_MAX : CAPTION_MAX;
  if (parse_mode !== undefined) checkMarkup(text, field, parse_mode, most);
  else if (text.length > most && !hasVariables(text)) checkLength(lengthOf(text), field, most);
}

function checkMarkup(text: string, field: string, parse_mode: ParseMode, most: number): void {
  const read = readUnresolved(text, parse_mode);
  if ("fault" in read) throw invalidField(field, "bad_format", `As ${parse_mode} the text does not work: ${read.fault}`);
  if (read.text.trim() === "") throw invalidField(field, "too_short", "Without its markup nothing is left of the text.");
  if (read.text.length > most && !hasVariables(text)) checkLength(lengthOf(read.text), field, most);
}

function checkLength(length: number, field: string, most: number): void {
  if (length <= most) return;
  const what = most === CAPTION_MAX ? "as the caption of a file at most" : "at most";
  throw invalidField(field, "too_long", `The text has ${length} characters; Telegram takes ${what} ${most}.`);
}
