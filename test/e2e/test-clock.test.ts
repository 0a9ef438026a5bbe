import { beforeAll, expect, test } from "bun:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "#src/core/page.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import { executable } from "#test/support/executable.ts";
import { openReceiver } from "#test/support/receiver.ts";
import type { Moved } from "#test/support/rehearsing.ts";
import { queue } from "#test/support/sending.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, eventually } from "./api.ts";
import { startPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

const HOUR_MS = 3_600_000;
const MESSAGES = 150;
const KILLS = 6;
/** Real time goes on while the program is down, and with it the environment's. */
const LATE_MS_MAX = 30_000;

test("kill -9 in the middle of a move goes on at the next start: each message once, in order, at its time", async () => {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(tempFolder());
  const receiver = stack.use(openReceiver());
  const options = { folder, env: { ALLOW_PRIVATE_WEBHOOKS: "true" } };
  let server = stack.use(await startPosthouse(options));
  const key = await server.sandboxKey();
  let caller = (await connect(server)).as(key);
  expect((await caller.post("/v1/webhooks", { url: receiver.url(), events: ["message.sent"] })).status).toBe(201);
  // Each second one is refused at first, so that its retry falls between two others.
  receiver.answer("/hook", (_received, earlier) => (receiver.ids().length % 2 === 0 && earlier === 0 ? 500 : 200));
  const due: { id: string; at: number }[] = [];
  const start = Date.now();
  for (let n = 0; n < MESSAGES; n++) {
    const at = start + (n + 1) * HOUR_MS;
    due.push({ id: await queue(caller, { to: `@person_${n}`, schedule_at: new Date(at).toISOString() }), at });
  }
  const { body: begun } = await caller.post<Task>("/v1/test/clock", { advance: `${MESSAGES + 10}h` });

  const kept = new Set<number>();
  for (let kill = 0; kill < KILLS; kill++) {
    await wait(20 + kill * 15);
    kept.add((await caller.get<Task>(`/v1/jobs/${begun.id}`)).body.progress.done);
    await server.stop("SIGKILL");
    server = stack.use(await startPosthouse(options));
    caller = (await connect(server)).as(key);
  }
  const task = await eventually(
    "the move does not end",
    async () => (await caller.get<Task>(`/v1/jobs/${begun.id}`)).body,
    ({ finished_at }) => finished_at !== null,
    60_000,
  );
  expect(task.status).toBe("done");
  const { sent, failed, deliveries } = task.result as unknown as Moved;
  expect([sent, failed, deliveries.delivered, deliveries.dead_letters]).toEqual([MESSAGES, 0, MESSAGES, 0]);
  // That it was killed on the way.
  expect([...kept].filter((done) => done > 0 && done < task.progress.total!).length).toBeGreaterThan(1);

  const messages = new Map<string, Message>();
  for (let cursor: string | null = ""; cursor !== null;) {
    const { body }: { body: Page<Message> } = await caller.get<Page<Message>>(
      `/v1/messages?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    for (const message of body.items) messages.set(message.id, message);
    cursor = body.next_cursor;
  }
  for (const { id, at } of due) {
    const { status, sent_at, attempts } = messages.get(id)!;
    expect([status, attempts.length]).toEqual(["sent", 1]);
    expect(Date.parse(sent_at!)).toBeGreaterThanOrEqual(at);
    expect(Date.parse(sent_at!)).toBeLessThan(at + LATE_MS_MAX);
  }
  const { body: log } = await caller.get<Page<{ data: { id: string } }>>("/v1/events?type=message.sent&limit=200");
  expect(log.items.map(({ data }) => data.id).toSorted()).toEqual(due.map(({ id }) => id).toSorted());
  expect(new Set(receiver.ids()).size).toBe(MESSAGES);
}, 120_000);
