import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import { scopes as allScopes, type Scope } from "#src/core/principal.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { countingKind, startCount } from "#test/support/tasks.ts";

/** What starts jobs, as the contract's table of scopes has it. */
const pairs: NewTask["scopes"][] = [
  { read: "read:contacts", write: "write:contacts" },
  { read: "read:messages", write: "write:messages" },
  { read: "manage:sequences", write: "manage:sequences" },
];

const open = (engine: (typeof appEngines)[number]) => setup({ engine, taskKinds: (db) => [countingKind(db)] });

/** What a key is told of a job, by each operation and by the event log; the log is open to keys of some scopes only. */
async function seenBy(caller: Caller, id: string) {
  const listed = (await caller.get<Page<Task>>("/v1/jobs?limit=200")).body;
  const events = await caller.get<{ items?: Event[] }>("/v1/events?limit=200");
  const cancel = await caller.post<{ required_scope?: string }>(`/v1/jobs/${id}/cancel`);
  return {
    get: (await caller.get(`/v1/jobs/${id}`)).status,
    listed: listed.items.some((job) => job.id === id),
    counted: listed.total === listed.items.length,
    told: events.body.items?.some(({ subject }) => subject === id) ?? false,
    cancel: cancel.status,
    required_scope: cancel.body.required_scope,
  };
}

const keyWith = (app: TestApp, scopes: Scope[]) => app.makeKey(app.live, { scopes });

describe.each(appEngines)("a job that has ended, on %s,", (engine) => {
  test.each(pairs)("is there for a key with $read or $write, and for no other key of its environment", async (scopes) => {
    await using app = await open(engine);
    const ids = new Map<NewTask["scopes"], string>();
    for (const pair of pairs) ids.set(pair, await startCount(app, app.live, { upTo: 1 }, pair));
    await app.settled();
    const id = ids.get(scopes)!;
    const { read, write } = scopes;
    const others = allScopes.filter((scope) => scope !== read && scope !== write);
    const nothing = { get: 404, listed: false, counted: true, told: false, cancel: 404, required_scope: undefined };
    expect(await seenBy(await keyWith(app, others), id)).toEqual(nothing);
    // One more scope opens the log to keys that it would not be open to; it is none of the job's.
    const reader = await seenBy(await keyWith(app, [read, "manage:keys"]), id);
    const shown = { get: 200, listed: true, counted: true, told: true };
    expect(reader).toEqual({ ...shown, cancel: read === write ? 409 : 403, required_scope: read === write ? undefined : write });
    expect(await seenBy(await keyWith(app, [write, "manage:keys"]), id)).toEqual({ ...shown, cancel: 409, required_scope: undefined });
  });

  test("is passed over by who follows the log without its scope, and holds up nobody", async () => {
    await using app = await open(engine);
    for (let at = 0; at < 4; at++) await startCount(app, app.live, { upTo: 1 }, pairs[at % 2]);
    await app.settled();
    const caller = await keyWith(app, ["read:messages"]);
    const seen: Event[] = [];
    let after: string | null = null;
    for (let more = true; more;) {
      const query: string = after === null ? "?limit=1" : `?limit=1&after=${after}`;
      const { body } = await caller.get<{ items: Event[]; has_more: boolean; next_cursor: string }>(`/v1/events${query}`);
      seen.push(...body.items);
      [after, more] = [body.next_cursor, body.has_more];
    }
    expect(seen.map(({ event }) => event)).toEqual(["job.completed", "job.completed"]);
  });
});

describe.each(appEngines)("jobs of two environments on %s", (engine) => {
  test("never meet, also where one's id is known to the other", async () => {
    await using app = await open(engine);
    const second = await app.makeWorkspace("Second");
    await app.services.loop.stop();
    const id = await startCount(app, app.live, { upTo: 1 });
    const nothing = { get: 404, listed: false, counted: true, told: false, cancel: 404, required_scope: undefined };
    for (const caller of [app.sandbox, second.live, second.sandbox]) expect(await seenBy(caller, id)).toEqual(nothing);
    await app.services.loop.start();
    await app.settled();
    for (const caller of [app.sandbox, second.live, second.sandbox]) expect(await seenBy(caller, id)).toEqual(nothing);
    expect((await app.live.get<Task>(`/v1/jobs/${id}`)).body.status).toBe("done");
  });
});
