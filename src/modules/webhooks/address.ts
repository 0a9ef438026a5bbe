import { invalidField } from "#src/core/errors.ts";

/**
 * Looks at an endpoint's address as it is written; where it leads is judged by whoever dials it. Nothing of it gets into an error,
 * since it can hold a token.
 * @throws AppError `validation_error` on `url`
 */
export function checkUrl(text: string): void {
  const refuse = (why: string) => invalidField("url", "bad_format", why);
  if (/[\s\p{Cc}]/u.test(text)) throw refuse("url holds a space or a line break: encode it as %20, or leave it out.");
  const url = URL.parse(text);
  if (url === null) throw refuse("url is not an address such as https://example.com/webhooks.");
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse("url begins with https:// or http://.");
  if (url.username !== "" || url.password !== "")
    throw refuse('url holds credentials: give them as a header, such as {"headers": {"Authorization": "Basic …"}}.');
  if (text.includes("#")) throw refuse("url has a fragment, which is never sent: leave out what begins with #.");
}
