/** A text that is made on first use, kept, and sent again only to those who don't have it. */
export interface Cached {
  /** 200 with the text, or 304 where `If-None-Match` shows that the client has it. */
  answer(request: Request): Promise<Response>;
}

/**
 * @param headers of the answer, beside the ETag
 * @param make is asked again only when it failed
 */
export function cached(headers: Record<string, string>, make: () => Promise<string>): Cached {
  let made: Promise<{ body: Uint8Array<ArrayBuffer>; etag: string }> | undefined;
  const load = async () => {
    const body = new TextEncoder().encode(await make());
    return { body, etag: `"${Bun.hash(body).toString(36)}"` };
  };
  return {
    async answer(request) {
      made ??= load().catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      const { body, etag } = await made;
      const sent = { ...headers, etag, "x-content-type-options": "nosniff" };
      if (matches(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers: sent });
      return new Response(body, { headers: sent });
    },
  };
}

/** RFC 9110, 13.1.2: a list of tags, compared weakly, or `*`. */
function matches(header: string | null, etag: string): boolean {
  return header?.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag) ?? false;
}
