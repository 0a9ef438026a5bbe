import type { Outgoing, OutgoingFile } from "#src/modules/messages/channel.ts";
import type { FormFile } from "./form.ts";

const fieldOf = (at: number) => `file${at}`;

/** How a call names a file: its own part of the form, or where Telegram shall fetch it. */
export function nameOf({ source }: OutgoingFile, at: number): string {
  return "url" in source ? source.url : `attach://${fieldOf(at)}`;
}

/** The files that go with a call. */
export function formFiles(files: readonly OutgoingFile[]): FormFile[] {
  return files.flatMap(({ type, name, mime, source }, at) =>
    "url" in source ? [] : [{ field: fieldOf(at), name: name ?? type, mime, bytes: source.blob }],
  );
}

/** https://core.telegram.org/bots/api#formatting-options */
export function parsed({ parse_mode }: Pick<Outgoing, "parse_mode">) {
  return parse_mode === null ? {} : { parse_mode };
}

export function captioned(message: Pick<Outgoing, "text" | "parse_mode">) {
  return message.text === "" ? {} : { caption: message.text, ...parsed(message) };
}

/** https://core.telegram.org/bots/api#inlinekeyboardmarkup */
export function keyboardOf(buttons: Outgoing["buttons"]) {
  if (buttons.length === 0) return {};
  const inline_keyboard = buttons.map((row) =>
    row.map(({ text, url, data = "" }) => (url === undefined ? { text, callback_data: data } : { text, url })),
  );
  return { reply_markup: { inline_keyboard } };
}
