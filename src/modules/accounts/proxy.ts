/** Whether a text names a proxy in a form that user accounts can use. */
export function readProxy(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.hostname === "" || url.port === "") return null;
  if (url.protocol === "socks5:") return url.pathname === "" || url.pathname === "/" ? url : null;
  // A secret is 16 bytes in hex, with `dd` or `ee` before it, or the same in base64.
  return url.protocol === "mtproxy:" && /^\/[0-9a-zA-Z+/_=-]{16,300}$/.test(url.pathname) ? url : null;
}
