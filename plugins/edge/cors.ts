/** What a page of another origin may read. https://fetch.spec.whatwg.org/#http-cors-protocol */
const exposed =
  "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-SendLimit-Limit, X-SendLimit-Remaining, X-SendLimit-Reset, Retry-After, Idempotency-Replayed, ETag";

export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST, PATCH, PUT, DELETE",
      "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key, If-Match",
      "access-control-max-age": "600",
    },
  });
}

export function corsHeaders(origin: string): [string, string][] {
  return [
    ["access-control-allow-origin", origin],
    ["access-control-expose-headers", exposed],
  ];
}
