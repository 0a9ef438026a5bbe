import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Attempt } from "#src/modules/webhooks/model.ts";
import { setup, type TestApp } from "#test/support/app.ts";
import { addEndpoint, delivered, deliveries, happen } from "#test/support/delivering.ts";
import { answerWith, type RawServer, startRawServer } from "#test/support/raw-server.ts";

/** What a receiver does with one attempt. */
type Behaviour =
  | { kind: "answers"; status: number; retry_after: { form: "seconds" | "date"; seconds: number } | null }
  | { kind: "refuses" }
  | { kind: "resets" }
  | { kind: "hangs" };

interface Policy {
  max_attempts: number;
  schedule: number[];
}

const HOUR_S = 3_600;
const FIVE_DAYS_MS = 120 * HOUR_S * 1_000;
const TIMEOUT_MS = 10_000;
/** As the contract has it. */
const DEFAULT: Policy = { max_attempts: 9, schedule: [5, 30, 120, 600, HOUR_S, 3 * HOUR_S, 8 * HOUR_S, 12 * HOUR_S] };

const retryAfter = fc.option(
  fc.record({
    form: fc.constantFrom("seconds" as const, "date" as const),
    seconds: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 30 * HOUR_S })),
  }),
);
const statusThatFails = fc.constantFrom(301, 302, 307, 400, 404, 409, 429, 500, 502, 503);
const failure: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("answers" as const), status: statusThatFails, retry_after: retryAfter }) },
  { weight: 1, arbitrary: fc.constant({ kind: "refuses" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "resets" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "hangs" as const }) },
);
const ending: fc.Arbitrary<Behaviour> = fc.record({
  kind: fc.constant("answers" as const),
  status: fc.constantFrom(200, 201, 204, 299, 410),
  retry_after: retryAfter,
});
/** Failures, and what comes after them for good. */
const behaviours = fc.tuple(fc.array(failure, { maxLength: 14 }), fc.oneof(ending, failure)).map(
  ([failures, last]) =>
    (attempt: number) =>
      failures[attempt - 1] ?? last,
);
const policies = fc.oneof(
  fc.constant(null),
  fc.record({
    max_attempts: fc.integer({ min: 1, max: 12 }),
    schedule: fc.array(fc.integer({ min: 1, max: 24 * HOUR_S }), { minLength: 1, maxLength: 6 }),
  }),
);

/** What the contract says of an attempt that has ended. @returns what becomes of the delivery, or between which delays (ms) it is tried again */
function rule(policy: Policy, nth: number, behaviour: Behaviour) {
  const status = behaviour.kind === "answers" ? behaviour.status : null;
  if (status !== null && status >= 200 && status <= 299) return "delivered" as const;
  if (status === 410) return "gone" as const;
  if (nth === policy.max_attempts) return "dead_letter" as const;
  const delay = (policy.schedule[nth - 1] ?? policy.schedule.at(-1)!) * 1_000;
  const asked = behaviour.kind === "answers" && behaviour.retry_after !== null ? behaviour.retry_after.seconds * 1_000 : 0;
  const most = delay + HOUR_S * 1_000;
  // A date has no fractions of a second.
  const cut = behaviour.kind === "answers" && behaviour.retry_after?.form === "date" ? 1_000 : 0;
  const patience = Math.min(asked, most);
  return { from: Math.max(delay * 0.8, patience - cut), to: Math.max(delay * 1.2, patience) };
}

/** A receiver on one port whose next behaviour is set before each attempt. */
async function openPlayer(app: TestApp) {
  let next: Behaviour = { kind: "hangs" };
  const serve = (port: number) =>
    startRawServer(
      (socket) => {
        if (next.kind === "resets") socket.resetAndDestroy();
        if (next.kind !== "answers") return;
        const { status, retry_after } = next;
        const at = new Date(app.clock.now() + (retry_after?.seconds ?? 0) * 1_000);
        const value = retry_after?.form === "date" ? at.toUTCString() : String(retry_after?.seconds);
        const headers = { location: "http://127.0.0.1:9/", ...(retry_after === null ? {} : { "retry-after": value }) };
        socket.write(status === 204 ? answerWith(204, "", headers) : answerWith(status, "words", headers));
      },
      { port },
    );
  let server: RawServer | undefined = await serve(0);
  const { port, url } = server;
  return {
    url,
    async play(behaviour: Behaviour): Promise<void> {
      next = behaviour;
      if (behaviour.kind === "refuses") {
        await server?.[Symbol.asyncDispose]();
        server = undefined;
      } else server ??= await serve(port);
    },
    /** Resolves when somebody waits for an answer. */
    asked: async (): Promise<void> => server?.received(1),
    /** Forgets who asked. */
    forget: () => void (server === undefined ? 0 : (server.requests.length = 0)),
    [Symbol.asyncDispose]: async () => server?.[Symbol.asyncDispose](),
  };
}

async function follow(policy: Policy | null, behaviourOf: (attempt: number) => Behaviour): Promise<void> {
  await using app = await setup({ delivers: true });
  await using player = await openPlayer(app);
  const { env_id } = app.sandbox;
  const id = await addEndpoint(app, env_id, player.url, policy === null ? {} : { retry: policy });
  const row = async () => (await deliveries(app, env_id)).find(({ webhook_id }) => webhook_id === id);
  const made: Behaviour[] = [];
  let endpoint = await endpointOf(app, id);
  for (let at: number | null = app.clock.now(); at !== null && endpoint.disabled_at === null; at = (await row())!.next_attempt_at) {
    const behaviour = behaviourOf(made.push(behaviourOf(made.length + 1)));
    await player.play(behaviour);
    player.forget();
    if (made.length === 1) await happen(app, env_id, "ct_1");
    else app.clock.advance(at - app.clock.now());
    if (behaviour.kind === "hangs") {
      await player.asked();
      app.clock.advance(TIMEOUT_MS);
    }
    await delivered(app);
    endpoint = await endpointOf(app, id);
  }
  const whole = (await row())!;
  const attempts = JSON.parse(whole.attempts) as Attempt[];
  expect(attempts).toHaveLength(made.length);
  expect(whole.tries).toBe(made.length);
  compare(policy ?? DEFAULT, made, attempts, whole.status, endpoint.disabled_reason);
}

/** Holds what was recorded against the rules, one attempt after another. */
function compare(policy: Policy, made: readonly Behaviour[], attempts: readonly Attempt[], status: string, reason: string | null): void {
  const failingSince = attempts[0]!.at + attempts[0]!.duration_ms;
  for (const [index, behaviour] of made.entries()) {
    const attempt = attempts[index]!;
    const next = attempts[index + 1];
    const verdict = rule(policy, index + 1, behaviour);
    const endedAt = attempt.at + attempt.duration_ms;
    expect(attempt.duration_ms).toBe(behaviour.kind === "hangs" ? TIMEOUT_MS : 0);
    expect(attempt.status).toBe(behaviour.kind === "answers" ? behaviour.status : null);
    expect(attempt.stage).toBe(stageOf(behaviour, verdict === "delivered"));
    const disables = verdict !== "delivered" && verdict !== "gone" && endedAt - failingSince >= FIVE_DAYS_MS;
    if (next === undefined) {
      expect(reason).toBe(verdict === "gone" ? "gone" : disables ? "failing" : null);
      expect(status).toBe(typeof verdict === "object" ? "pending" : verdict === "gone" ? "dead_letter" : verdict);
      if (typeof verdict === "object") expect(disables).toBe(true);
    } else {
      expect(disables).toBe(false);
      if (typeof verdict !== "object") throw new Error(`it was tried again after ${verdict}`);
      const waited = next.at - endedAt;
      expect(waited).toBeGreaterThanOrEqual(Math.floor(verdict.from));
      expect(waited).toBeLessThanOrEqual(Math.ceil(verdict.to));
    }
  }
}

function stageOf({ kind }: Behaviour, succeeded: boolean): Attempt["stage"] {
  if (kind === "answers") return succeeded ? null : "status";
  return kind === "refuses" ? "connect" : "wait";
}

const endpointOf = ({ db }: TestApp, id: string) =>
  db.read.selectFrom("webhooks").select(["disabled_at", "disabled_reason"]).where("id", "=", id).executeTakeFirstOrThrow();

describe("the times of attempts", () => {
  test("are those of the schedule whatever a receiver does, to the last attempt, 410, or five days of failures", async () => {
    await fc.assert(fc.asyncProperty(policies, behaviours, follow), { numRuns: 25 });
  }, 60_000);
});
