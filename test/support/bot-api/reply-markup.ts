import { badRequest } from "./failure.ts";
import type { Params } from "./params.ts";

type Button = Record<string, unknown>;

const DATA_BYTES_MAX = 64;
const BUTTONS_MAX = 100;
const ACTIONS = ["url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text", "pay"];

/** https://core.telegram.org/bots/api#inlinekeyboardmarkup; of other keyboards only that they are objects. */
export function replyMarkupOf(params: Params): Record<string, unknown> | null {
  const markup = params.object("reply_markup");
  if (markup === undefined) return null;
  const rows = markup.inline_keyboard;
  if (rows === undefined) return markup;
  if (!Array.isArray(rows) || !rows.every((row) => Array.isArray(row))) {
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup should be an Array of Arrays');
  }
  const buttons = rows.flat() as unknown[];
  for (const button of buttons) checkButton(button);
  if (buttons.length > BUTTONS_MAX) throw badRequest("reply markup is too long");
  return buttons.length === 0 ? null : markup;
}

function checkButton(button: unknown): void {
  const unparsable = (why: string) => badRequest(`can't parse inline keyboard button: ${why}`);
  if (typeof button !== "object" || button === null) throw unparsable("InlineKeyboardButton must be an Object");
  const { text, url, callback_data } = button as Button;
  if (text === undefined) throw unparsable('Can\'t find field "text"');
  if (typeof text !== "string") throw unparsable('Field "text" must be of type String');
  const action = ACTIONS.find((name) => name in button);
  if (action === undefined || url === "" || callback_data === "") throw unparsable("Text buttons are unallowed in the inline keyboard");
  if (typeof callback_data === "string" && Buffer.byteLength(callback_data) > DATA_BYTES_MAX) throw badRequest("BUTTON_DATA_INVALID");
  if (typeof url === "string") checkUrl(url);
}

/** As far as Telegram looks: a protocol that it knows, and a host with a dot in it. */
function checkUrl(url: string): void {
  const wrong = (why: string) => badRequest(`inline keyboard button URL '${url}' is invalid: ${why}`);
  const protocol = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (protocol !== undefined && !["http", "https", "tg", "ton", "tonsite"].includes(protocol)) throw wrong("Unsupported URL protocol");
  if (protocol === "tg" || protocol === "ton") return;
  const parsed = URL.parse(protocol === undefined ? `http://${url}` : url);
  if (parsed === null || !/^[^.]+(\.[^.]+)+$/.test(parsed.hostname)) throw wrong("Wrong HTTP URL");
}
