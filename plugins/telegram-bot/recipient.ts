import type { Limit } from "#src/modules/messages/channel.ts";

/** Ids have at most 52 significant bits: https://core.telegram.org/bots/api#chat */
const ID_MAX = 2 ** 52 - 1;
const ID = /^-?[1-9]\d{0,15}$/;

/** https://core.telegram.org/method/account.checkUsername; names of four characters were given to a few early on. */
const USERNAME = /^@?([a-zA-Z][a-zA-Z0-9_]{3,31})$/;

/** `123456789`, `-100123456789` or `@sarah_miller`, or null for what a bot can't address, such as a phone. */
export function normalizeRecipient(recipient: string | number): string | null {
  const text = String(recipient);
  if (ID.test(text)) return Math.abs(Number(text)) <= ID_MAX ? text : null;
  const username = USERNAME.exec(text)?.[1];
  return username === undefined ? null : `@${username.toLowerCase()}`;
}

/** Groups, supergroups and channels have negative ids. */
export const isGroup = (recipient: string) => recipient.startsWith("-");

/** 30 a second over all, 1 a second per chat, 20 a minute per group: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this */
export const accountLimits: readonly Limit[] = [{ count: 30, per_ms: 1_000 }];
const everyChat: readonly Limit[] = [{ count: 1, per_ms: 1_000 }];
const group: readonly Limit[] = [...everyChat, { count: 20, per_ms: 60_000 }];

/** How fast this recipient may be written to. */
export const chatLimits = (recipient: string) => (isGroup(recipient) ? group : everyChat);
