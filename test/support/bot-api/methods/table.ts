import { answerCallbackQuery } from "./answer-callback-query.ts";
import type { Method } from "./call.ts";
import { deleteMessage, deleteMessages } from "./delete-messages.ts";
import { editMessageCaption, editMessageReplyMarkup, editMessageText } from "./edit-message.ts";
import { getChat } from "./get-chat.ts";
import { getChatMember } from "./get-chat-member.ts";
import { getFile } from "./get-file.ts";
import { getMe } from "./get-me.ts";
import { getUpdates } from "./get-updates.ts";
import { sendMediaGroup } from "./send-media-group.ts";
import { sendAnimation, sendAudio, sendDocument, sendPhoto, sendSticker, sendVideo, sendVoice } from "./send-media.ts";
import { sendMessage } from "./send-message.ts";
import { setMessageReaction } from "./set-message-reaction.ts";
import { deleteWebhook, getWebhookInfo, setWebhook } from "./webhooks.ts";

const methods: Record<string, Method> = {
  getMe,
  getChat,
  getChatMember,
  getFile,
  sendMessage,
  sendPhoto,
  sendDocument,
  sendVideo,
  sendAnimation,
  sendVoice,
  sendAudio,
  sendSticker,
  sendMediaGroup,
  setMessageReaction,
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
