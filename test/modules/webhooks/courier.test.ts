import { describe, expect, test } from "bun:test";
import type { DeliveryRow } from "#src/modules/webhooks/deliveries-sql.ts";
import type { Place } from "#src/modules/events/model.ts";
import type { FeedEvent } from "#src/modules/webhooks/backlog.ts";
import { createBudget } from "#src/modules/webhooks/budget.ts";
import { createCourier, type Done } from "#src/modules/webhooks/courier.ts";
import type { DeliveringStore, EndpointRow } from "#src/modules/webhooks/delivering-sql.ts";
import type { Endpoint } from "#src/modules/webhooks/endpoint.ts";
import type { Feed } from "#src/modules/webhooks/feed.ts";
import type { PostResult } from "#src/modules/webhooks/sender.ts";
import { createTestClock } from "#test/support/test-clock.ts";

const endpoint: Endpoint = {
  ...{ env_id: 1, id: "wh_1", url: "http://127.0.0.1:9/", isOpen: true, headers: [], retry: { max_attempts: 3, schedule: [5] } },
  signature: { header: "x-signature", format: "hex" },
  secrets: [{ number: 1, text: "a-secret-of-24-characters", expires_at: null }],
  takes: () => true,
};
const start: Place = { tx_id: 0, seq: 0 };
const row = { ...start, failing_since: null, last_success_at: null, accepted: null } as EndpointRow;
const due = { env_id: 1, id: "dlv_1", event_id: "evt_1", is_test: 0, tries: 1, attempts: "[]", body: null } as DeliveryRow;
const event: FeedEvent = { tx_id: 0, seq: 1, id: "evt_1", type: "contact.updated", event: {}, bytes: Buffer.from("{}"), about: ["ct_1"] };
const success: PostResult = { stage: null, error: null, status: 200, headers: {}, body: "", duration_ms: 1 };
const nothing = { events: [], last: start, isEnd: true };

/** What a test answers by hand. */
class Asked<T> {
  private waiting: ((value: T) => void)[] = [];
  count = 0;

  ask = (): Promise<T> => {
    this.count++;
    return new Promise((resolve) => this.waiting.push(resolve));
  };

  async answer(value: T): Promise<void> {
    this.waiting.shift()!(value);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  // Answers that come together are followed in the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** A courier whose every question is answered by hand. */
function open() {
  const pages = new Asked<Awaited<ReturnType<Feed["after"]>>>();
  const dueRows = new Asked<DeliveryRow[]>();
  const posts = new Asked<PostResult>();
  const done: Done[] = [];
  const feed: Feed = { follow: () => () => {}, after: pages.ask, byIds: () => Promise.resolve([event]) };
  const store = { known: () => Promise.resolve(new Set()), due: dueRows.ask, nextDue: () => Promise.resolve(null) };
  const courier = createCourier(
    {
      ...{ feed, clock: createTestClock(), budget: createBudget(), signal: new AbortController().signal },
      store: store as unknown as DeliveringStore,
      sender: { post: posts.ask, judge: () => Promise.resolve(null), close: () => Promise.resolve() },
      isFull: () => false,
      done: (_, one) => void done.push(one),
      passed() {},
      onReadFailure(error) {
        throw error;
      },
      onFault(error) {
        throw error;
      },
    },
    endpoint,
    row,
  );
  courier.pump();
  return { courier, pages, dueRows, posts, done };
}

describe("a courier", () => {
  test("that is moved while it reads goes on from its new place", async () => {
    const { courier, pages } = open();
    courier.jump({ tx_id: 0, seq: 7 });
    await pages.answer({ events: [event], last: event, isEnd: true });
    expect(pages.count).toBe(2);
    courier.close();
  });

  test("does not try again what was recorded while it read what is due", async () => {
    const { courier, pages, dueRows, posts, done } = open();
    await pages.answer(nothing);
    await dueRows.answer([due]);
    expect(posts.count).toBe(1);
    courier.lookForDue();
    expect(dueRows.count).toBe(2);
    await posts.answer(success);
    courier.recorded(done[0]!.item, null);
    await dueRows.answer([due]);
    expect(posts.count).toBe(1);
    courier.close();
  });

  test("reads again what was changed while it read what is due", async () => {
    const { courier, pages, dueRows, posts } = open();
    await pages.answer(nothing);
    courier.lookForDue();
    await dueRows.answer([due]);
    expect(posts.count).toBe(0);
    expect(dueRows.count).toBe(2);
    await dueRows.answer([due]);
    expect(posts.count).toBe(1);
    courier.close();
  });

  test.each([
    ["about different people", (seq: number) => [`ct_${seq}`], 16, 100],
    ["about one person", () => ["ct_1"], 1, 600],
  ])("of an endpoint that hangs reads no more ahead than a part of a long log: %s", async (_title, about, attempts, readMax) => {
    const { courier, pages, posts } = open();
    let read = 0;
    for (let pagesAsked = 0; pages.count > pagesAsked;) {
      pagesAsked = pages.count;
      const events = Array.from({ length: 100 }, () => {
        const seq = ++read;
        return { ...event, seq, id: `evt_${seq}`, about: about(seq) };
      });
      await pages.answer({ events, last: { tx_id: 0, seq: read }, isEnd: false });
    }
    expect(posts.count).toBe(attempts);
    expect(read).toBeLessThanOrEqual(readMax);
    courier.close();
  });
});

test("room for attempts that one has no use for goes to the next", () => {
  const budget = createBudget(1);
  const pumped: string[] = [];
  const spender = (name: string) => ({ inFlight: () => 2, pump: () => void pumped.push(name) });
  expect(budget.take(spender("first"))).toBe(true);
  expect(budget.take(spender("closed"))).toBe(false);
  expect(budget.take(spender("other"))).toBe(false);
  budget.giveBack();
  expect(pumped).toEqual(["closed", "other"]);
});
