import { beforeAll, expect, test } from "bun:test";
import { eventually } from "#test/e2e/api.ts";
import { deliveriesOf, happen, register, rotate, startDelivering } from "#test/e2e/webhooks.ts";
import { executable } from "#test/support/executable.ts";
import { openSeedReceivers, seedEndpoints } from "./receivers.ts";

const PEOPLE = 8;
/** Of each person: a contact, and a message. */
const EVENTS = 2 * PEOPLE;
const OVERLAP_SECONDS = 3_600;
const SHORT_SECONDS = 1;

beforeAll(() => executable(), 60_000);

test.each(seedEndpoints.map((endpoint) => [endpoint.path, endpoint] as const))(
  "a receiver that verifies as the sources show it (%s) accepts every delivery through rotations, and waits for none",
  async (_, { path, signature }) => {
    const first = "your-chosen-signing-secret";
    await using on = await startDelivering();
    await using receivers = await openSeedReceivers(first);
    const { id } = await register(on.caller, { url: receivers.url(path), secret: first, ...(signature && { signature }) });
    let events = 0;

    /** Lets things happen. @returns how many requests were refused before the other secret was tried at once */
    async function accept(while_: () => Promise<unknown> = () => Promise.resolve()): Promise<number> {
      const refusedBefore = receivers.answers(path).filter((status) => status !== 200).length;
      await Promise.all([happen(on.caller, PEOPLE), while_()]);
      const deliveries = await deliveriesOf(on.caller, id, (events += EVENTS));
      expect(deliveries).toHaveLength(events);
      expect(deliveries.map(({ status, tries }) => ({ status, tries }))).toEqual(deliveries.map(() => ({ status: "delivered", tries: 1 })));
      expect(receivers.answers(path).filter((status) => status === 200)).toHaveLength(events);
      expect(receivers.answers(path).filter((status) => status !== 200 && status !== 401)).toEqual([]);
      return receivers.answers(path).filter((status) => status !== 200).length - refusedBefore;
    }

    expect(await accept()).toBe(0);
    // The endpoint has another secret, the receiver does not know it yet; events happen meanwhile.
    let second = "";
    await accept(async () => (second = (await rotate(on.caller, id, OVERLAP_SECONDS)).secret));
    expect(await accept()).toBe(0);
    // Now it knows it, and knows the former one no more.
    await accept(() => Promise.resolve(receivers.know(path, second)));
    expect(await accept()).toBe(0);
    // A rotation whose overlap ends before anything happens.
    const { secret: third, previous_expires_at } = await rotate(on.caller, id, SHORT_SECONDS);
    receivers.know(path, third);
    const ends = Date.parse(previous_expires_at!);
    await eventually(
      "the overlap does not end",
      () => Promise.resolve(Date.now()),
      (now) => now > ends,
    );
    expect(await accept()).toBe(0);
    // Nothing that is signed with the secret of before is accepted.
    receivers.know(path, "some-other-signing-secret");
    await happen(on.caller, 1);
    await eventually(
      "it is refused",
      () => Promise.resolve(receivers.answers(path)),
      (answers) => answers.at(-1) === 401,
    );
  },
  120_000,
);
