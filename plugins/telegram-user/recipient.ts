/** Ids have at most 52 significant bits: https://core.telegram.org/bots/api#chat */
const ID_MAX = 2 ** 52 - 1;
const ID = /^-?[1-9]\d{0,15}$/;
/** https://core.telegram.org/method/account.checkUsername; names of four characters were given to a few early on. */
const USERNAME = /^@?([a-zA-Z][a-zA-Z0-9_]{3,31})$/;
/** https://www.itu.int/rec/T-REC-E.164, with the signs that people put between. */
const PHONE = /^\+[1-9]\d{5,14}$/;

/** `123456789`, `-100123456789`, `@sarah_miller` or `+4915112345678`; null for what an account can't address. */
export function normalizeRecipient(recipient: string | number): string | null {
  const text = String(recipient);
  if (ID.test(text)) return Math.abs(Number(text)) <= ID_MAX ? text : null;
  if (text.startsWith("+")) {
    const digits = text.replace(/[\s().-]/g, "");
    return PHONE.test(digits) ? digits : null;
  }
  const username = USERNAME.exec(text)?.[1];
  return username === undefined ? null : `@${username.toLowerCase()}`;
}
