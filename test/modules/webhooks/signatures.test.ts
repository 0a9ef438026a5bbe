import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { plainSignature, standardSignature } from "#src/modules/webhooks/signing.ts";
import { makeSecret } from "#src/modules/webhooks/new-secret.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { delivered } from "#test/support/delivering.ts";
import { openReceiver, type Received } from "#test/support/receiver.ts";
import { makeWebhook } from "#test/support/webhooks.ts";

const TOLERANCE_MS = 5 * 60_000;

/** The package looks at the machine's time. */
afterEach(() => void setSystemTime());

/** A receiver's own view of a secret: what is no `whsec_` is taken as the bytes that it is written in. */
const verifierOf = (secret: string) =>
  secret.startsWith("whsec_") ? new Webhook(secret) : new Webhook(new TextEncoder().encode(secret), { format: "raw" });

const isGood = (secret: string, { body, headers }: Pick<Received, "body" | "headers">) => {
  try {
    verifierOf(secret).verify(body, headers.toJSON());
    return true;
  } catch {
    return false;
  }
};

/** Events of several kinds, in letters of several scripts. */
async function happen({ sandbox }: TestApp): Promise<void> {
  await sandbox.post("/v1/contacts", { username: "@zoe", name: "Zoë 🎈 Ямщикова", tags: ["trial"] });
  await sandbox.post("/v1/sandbox/inbound", { from: "@zoe", text: 'Is "Friday" fine?\n\u2028</script>' });
  await sandbox.post("/v1/messages/send", { account_id: 7421, to: "@sandbox_blocked", text: "Hello" });
}

async function rotate({ sandbox }: TestApp, id: string, ask: object): Promise<string> {
  const { status, body, text } = await sandbox.post<{ secret: string }>(`/v1/webhooks/${id}/rotate-secret`, ask);
  if (status !== 200) throw new Error(`the secret was not rotated: ${text}`);
  return body.secret;
}

describe.each(appEngines)("on %s the standardwebhooks package", (engine) => {
  test.each([
    ["that is made", undefined],
    ["of one's own in its form", makeSecret()],
    ["of one's own as raw bytes", "a secret of my own, of 24 bytes or more"],
    ["of one's own with letters of any script", "это мой собственный секрет 🎈"],
  ])("verifies every delivery with a secret %s", async (_, own) => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const { secret } = await makeWebhook(app.sandbox, { url: receiver.url(), events: ["*"], secret: own });
    await happen(app);
    await delivered(app);
    setSystemTime(app.clock.now());
    expect(receiver.received.length).toBeGreaterThanOrEqual(5);
    for (const one of receiver.received) {
      expect(verifierOf(secret).verify(one.body, one.headers.toJSON())).toEqual(JSON.parse(one.body));
      expect(one.headers.get("x-signature")).toBe(plainSignature(secret, one.body, "sha256=hex"));
      expect(isGood(makeSecret(), one)).toBe(false);
      expect(isGood(secret, { ...one, body: one.body.replace("}", " }") })).toBe(false);
    }
  });

  test("verifies every delivery of an overlap with either secret, and after it with the new one alone", async () => {
    await using app = await setup({ engine, delivers: true });
    await using receiver = openReceiver();
    const first = "a secret of my own, of 24 bytes or more";
    const { id } = await makeWebhook(app.sandbox, { url: receiver.url(), events: ["*"], secret: first });
    const second = await rotate(app, id, { overlap_seconds: 3_600 });
    await happen(app);
    await delivered(app);
    const third = await rotate(app, id, { overlap_seconds: 7_200 });
    const inBoth = receiver.received.length;
    await happen(app);
    await delivered(app);
    setSystemTime(app.clock.now());
    const goodWith = (one: Received) => [first, second, third].map((secret) => isGood(secret, one));
    expect(receiver.received.slice(0, inBoth).map(goodWith)).toEqual(
      receiver
        .ids()
        .slice(0, inBoth)
        .map(() => [true, true, false]),
    );
    expect(receiver.received.slice(inBoth).map(goodWith)).toEqual(
      receiver
        .ids()
        .slice(inBoth)
        .map(() => [true, true, true]),
    );
    for (const [ms, good] of [
      [3_601_000, [false, true, true]],
      [3_601_000, [false, false, true]],
    ] as const) {
      const before = receiver.received.length;
      await app.leap(ms);
      await happen(app);
      await delivered(app);
      setSystemTime(app.clock.now());
      expect(receiver.received.length).toBeGreaterThan(before);
      for (const one of receiver.received.slice(before)) expect(goodWith(one)).toEqual([...good]);
    }
  });
});

describe("of what was signed", () => {
  const at = 1_790_000_000_000;
  const bodies = fc.json({ maxDepth: 2 }).filter((json) => json.length > 0);
  const signed = (secret: string, body: string) =>
    new Headers({
      "webhook-id": "evt_01HKQ9R2X70000000000000000",
      "webhook-timestamp": String(at / 1_000),
      "webhook-signature": standardSignature([secret], "evt_01HKQ9R2X70000000000000000", at / 1_000, body),
    });

  test("nothing can be changed: no byte of the body, no id, no time, no signature", () => {
    setSystemTime(at);
    const secret = makeSecret();
    fc.assert(
      fc.property(bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, place, difference) => {
        const headers = signed(secret, body);
        expect(isGood(secret, { body, headers })).toBe(true);
        const bytes = Buffer.from(body);
        bytes[place % bytes.length]! ^= difference;
        const changed = bytes.toString();
        expect(isGood(secret, { body: changed, headers })).toBe(changed === body);
        for (const [name, value] of [
          ["webhook-id", "evt_01HKQ9R2X70000000000000001"],
          ["webhook-timestamp", String(at / 1_000 - 1)],
          ["webhook-signature", headers.get("webhook-signature")!.replace("v1,", "v1,A")],
        ] as const) {
          const other = new Headers(headers);
          other.set(name, value);
          expect(isGood(secret, { body, headers: other })).toBe(false);
        }
      }),
    );
  });

  test("nothing is taken long after, nor long before its time", () => {
    const secret = makeSecret();
    const one = { body: "{}", headers: signed(secret, "{}") };
    for (const [now, good] of [
      [at, true],
      [at + TOLERANCE_MS, true],
      [at + TOLERANCE_MS + 1_000, false],
      [at - TOLERANCE_MS, true],
      [at - TOLERANCE_MS - 1_000, false],
    ] as const) {
      setSystemTime(now);
      expect({ now, good: isGood(secret, one) }).toEqual({ now, good });
    }
  });

  test("nothing is taken with another secret", () => {
    setSystemTime(at);
    const secret = makeSecret();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 64 }), bodies, (bytes, body) => {
        const other = `whsec_${Buffer.from(bytes).toString("base64")}`;
        expect(isGood(other, { body, headers: signed(secret, body) })).toBe(false);
      }),
    );
  });
});
