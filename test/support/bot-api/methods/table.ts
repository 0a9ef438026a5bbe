import { answerCallbackQuery } from "./answer-callback-query.ts";
import type { Method } from "./call.ts";
import { deleteMessage, deleteMessages } from "./delete-messages.ts";
import { editMessageCaption, editMessageReplyMarkup, editMessageText } from "./edit-message.ts";
import { getChat } from "./get-chat.ts";
import { getMe } from "./get-me.ts";
import { getUpdates } from "./get-updates.ts";
import { sendMessage } from "./send-message.ts";
import { deleteWebhook, getWebhookInfo, setWebhook } from "./webhooks.ts";

const methods: Record<string, Method> = {
  getMe,
  getChat,
  sendMessage,
  editMessageText,
  editMessageCaption,
  editMessageReplyMarkup,
  deleteMessage,
  deleteMessages,
  answerCallbackQuery,
  getUpdates,
  setWebhook,
  deleteWebhook,
  getWebhookInfo,
};

/** Every method that the emulator knows, by its name in lower case: the Bot API does not tell case apart. */
export const methodTable: ReadonlyMap<string, Method> = new Map(
  Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]),
);
