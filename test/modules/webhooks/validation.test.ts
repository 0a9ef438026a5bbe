import { describe, expect, test } from "bun:test";
import { setup } from "#test/support/app.ts";
import { faultOf, makeWebhook, seed } from "#test/support/endpoints.ts";

const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString("base64");

const refused: [string, object, string, string, RegExp][] = [
  ["an address without a scheme", { url: "example.com/hook" }, "url", "bad_format", /https:\/\/example\.com/],
  ["another scheme", { url: "ftp://example.com/hook" }, "url", "bad_format", /https:\/\/ or http/],
  ["credentials in the address", { url: "https://user:pass@example.com/" }, "url", "bad_format", /give them as a header/],
  ["a fragment", { url: "https://example.com/#part" }, "url", "bad_format", /leave out what begins with #/],
  ["an empty fragment", { url: "https://example.com/#" }, "url", "bad_format", /fragment/],
  ["a space in the address", { url: "https://example.com/a b" }, "url", "bad_format", /%20/],
  ["an address that is too long", { url: `https://example.com/${"a".repeat(2_048)}` }, "url", "too_long", /./],
  ["no events", { events: [] }, "events", "too_short", /./],
  ["too many events", { events: Array.from({ length: 51 }, () => "*") }, "events", "too_long", /./],
  ["an unknown event", { events: ["*", "message.recieved"] }, "events.1", "not_allowed", /There is .*message\.received.*webhook\.disabled/],
  ["an unknown noun", { events: ["messages.*"] }, "events.0", "not_allowed", /contact\.\*/],
  ["a secret that is too short", { secret: "x".repeat(23) }, "secret", "too_short", /24 bytes/],
  ["a secret that is too long", { secret: "x".repeat(257) }, "secret", "too_long", /./],
  ["a whsec_ secret that is no base64", { secret: `whsec_${"!".repeat(40)}` }, "secret", "bad_format", /base64/],
  ["a whsec_ secret without its =", { secret: `whsec_${base64(32).replace("=", "")}` }, "secret", "bad_format", /base64/],
  ["a whsec_ secret of too few bytes", { secret: `whsec_${base64(23)}` }, "secret", "too_short", /24 bytes/],
  ["a whsec_ secret of too many bytes", { secret: `whsec_${base64(65)}` }, "secret", "too_long", /64 bytes/],
  ["a header that is no token", { headers: { "X Token": "a" } }, "headers.X Token", "bad_format", /letters/],
  ["a header with a line break", { headers: { "X-Token": "a\r\nhost: b" } }, "headers.X-Token", "bad_characters", /printable/],
  ["an empty header", { headers: { "X-Token": "" } }, "headers.X-Token", "bad_characters", /printable/],
  ["a header that is too long", { headers: { "X-Token": "a".repeat(1_025) } }, "headers.X-Token", "too_long", /1024/],
  ["a hidden value", { headers: { "X-Token": "[hidden]" } }, "headers.X-Token", "not_allowed", /give the value itself/],
  ["a header twice", { headers: { "X-Token": "a", "x-token": "b" } }, "headers.x-token", "taken", /twice/],
  ["the header of the signature", { headers: { "x-signature": "a" } }, "headers.x-signature", "not_allowed", /signature\.header/],
  ["a signature in a header of ours", { signature: { header: "Webhook-Signature" } }, "signature.header", "not_allowed", /of ours/],
  ["a signature in no header", { signature: { header: "X Signature" } }, "signature.header", "bad_format", /X-Signature/],
  ["an unknown format", { signature: { format: "base64" } }, "signature.format", "not_allowed", /./],
  ["no attempts", { retry: { max_attempts: 0 } }, "retry.max_attempts", "too_small", /./],
  ["too many attempts", { retry: { max_attempts: 21 } }, "retry.max_attempts", "too_large", /./],
  ["an empty schedule", { retry: { schedule: [] } }, "retry.schedule", "too_short", /./],
  ["a delay of more than a day", { retry: { schedule: [86_401] } }, "retry.schedule.0", "too_large", /./],
  [
    "a filter that can match nothing",
    { filter: { path: "data.nothing.there", op: "exists" } },
    "filter.path",
    "not_found",
    /nothing\.there/,
  ],
];
for (const name of [
  "Host",
  "content-type",
  "Content-Length",
  "connection",
  "TE",
  "proxy-authorization",
  "user-agent",
  "webhook-id",
  "expect",
])
  refused.push([`the header ${name}`, { headers: { [name]: "a" } }, `headers.${name}`, "not_allowed", /of ours/]);

describe("a webhook is refused with", () => {
  test.each(refused)("%s", async (_, ask, field, error, detail) => {
    await using app = await setup();
    const whole = { ...seed, events: ["message.received"], ...ask };
    const answer = await app.live.post<{ detail: string }>("/v1/webhooks", whole);
    expect(faultOf(answer)).toEqual([422, field, error]);
    expect(answer.body.detail).toMatch(detail);
    const { id } = await makeWebhook(app.live, { events: ["message.received"] });
    const { secret: _secret, ...patch } = ask as { secret?: string };
    if (Object.keys(patch).length === 0) return;
    const [status, named] = faultOf(await app.live.patch(`/v1/webhooks/${id}`, patch));
    // What null can stand for is told as a whole there.
    expect([status, named === field || field.startsWith(`${named}.`)]).toEqual([422, true]);
  });
});

describe("a webhook takes", () => {
  test.each([
    ["a kind of events, and all", { events: ["contact.*", "*", "sequence.completed"] }, {}],
    ["a secret of 24 bytes", { secret: "é".repeat(12) }, {}],
    ["a whsec_ secret", { secret: `whsec_${base64(64)}` }, {}],
    [
      "another header and format for the signature",
      { signature: { format: "hex" } },
      { signature: { header: "X-Signature", format: "hex" } },
    ],
    [
      "a header of one's own with the name of the usual signature, where that is another",
      { signature: { header: "X-Hub" }, headers: { "X-Signature": "mine" } },
      { signature: { header: "X-Hub", format: "sha256=hex" }, headers: { "X-Signature": "[hidden]" } },
    ],
    ["a schedule alone", { retry: { schedule: [1, 2] } }, { retry: { max_attempts: 3, schedule: [1, 2] } }],
    ["attempts alone", { retry: { max_attempts: 1 } }, { retry: { max_attempts: 1 } }],
    ["the longest schedule", { retry: { schedule: Array.from({ length: 20 }, () => 60) } }, { retry: { max_attempts: 20 } }],
    ["an address with a port and a query", { url: "http://example.com:8080/a?b=c" }, { url: "http://example.com:8080/a?b=c" }],
  ])("%s", async (_, ask, shown) => {
    await using app = await setup();
    expect(await makeWebhook(app.live, ask)).toMatchObject(shown);
  });
});

test("an endpoint that asks for other events keeps its filter only where it can match one of them", async () => {
  await using app = await setup();
  const filter = { path: "data.text", op: "contains", value: "?" };
  const { id } = await makeWebhook(app.live, { events: ["message.received"], filter });
  const path = `/v1/webhooks/${id}`;
  expect(faultOf(await app.live.patch(path, { events: ["contact.created"] }))).toEqual([422, "filter.path", "not_found"]);
  expect((await app.live.patch(path, { events: ["contact.created", "message.sent"] })).status).toBe(200);
  expect((await app.live.patch(path, { events: ["contact.created"], filter: null })).body).toMatchObject({ filter: null });
  expect((await app.live.patch(path, { signature: { header: "X-One" }, headers: { "X-Two": "a" } })).status).toBe(200);
  expect(faultOf(await app.live.patch(path, { signature: { header: "X-Two" } }))[1]).toBe("headers.X-Two");
  expect((await app.live.patch(path, { signature: null, retry: { max_attempts: 2 } })).body).toMatchObject({
    signature: { header: "X-Signature", format: "sha256=hex" },
    retry: { max_attempts: 2 },
  });
  expect((await app.live.patch(path, { retry: null })).body).toMatchObject({ retry: { max_attempts: 9 } });
});
