import { describe, expect, test } from "bun:test";
import { sweepAt } from "#src/modules/erasure/service.ts";
import type { NewScoreRule } from "#src/modules/scoring/model.ts";
import { fadeAt } from "#src/modules/scoring/job.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { crossings, eventsOf, makeContact, makeRule, scoreOf, totalOf } from "#test/support/scoring.ts";
import { queue } from "#test/support/sending.ts";

const DAY_MS = 86_400_000;

const fields = [
  { key: "seats", type: "number" },
  { key: "plan", type: "choice", options: ["starter", "Professional"] },
  { key: "likes", type: "multi_choice", options: ["tea", "coffee"] },
  { key: "since", type: "date" },
  { key: "paying", type: "boolean" },
  { key: "motto", type: "text" },
  { key: "site", type: "url" },
];

describe.each(appEngines)("the score of a contact on %s", (engine) => {
  test("goes with the contact into a merge, comes back out of it, and stays when that can't be undone any more", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makeRule(sandbox, 10, { event: "contact.created" });
    await makeRule(sandbox, 3, { event: "contact.updated" });
    await makeRule(sandbox, 1, { attribute: "email", op: "is_set" });
    await sandbox.patch("/v1/scoring", { thresholds: [25] });
    const [one, two, three] = [
      await makeContact(sandbox, { name: "One" }),
      await makeContact(sandbox, { name: "Two", email: "two@example.com" }),
      await makeContact(sandbox, { name: "Three" }),
    ];
    await sandbox.patch(`/v1/contacts/${two}`, { language: "en" });
    expect([await totalOf(sandbox, one), await totalOf(sandbox, two)]).toEqual([10, 14]);
    await sandbox.post(`/v1/contacts/${two}/merge`, { contact_id: three });
    const { body } = await sandbox.post<{ id: string }>(`/v1/contacts/${one}/merge`, { contact_id: two });
    expect(await totalOf(sandbox, one)).toBe(34);
    const held = await sandbox.get<{ points: { points: number }[] }>(`/v1/contacts/${one}/export`);
    expect(held.body.points.map(({ points }) => points).toSorted()).toEqual([10, 10, 10, 3]);
    await sandbox.post(`/v1/merges/${body.id}/undo`);
    expect([await totalOf(sandbox, one), await totalOf(sandbox, two)]).toEqual([10, 24]);
    expect(await crossings(sandbox)).toEqual([]);
    await sandbox.patch(`/v1/contacts/${two}`, { language: "de" });
    expect(await crossings(sandbox)).toEqual([[25, 24, 27]]);
    await app.leap(31 * DAY_MS);
    await app.db.write((tx) => app.services.loop.enqueue(tx, sweepAt(app.clock.now())));
    await app.settled();
    expect(await app.db.read.selectFrom("contacts").select("id").orderBy("id").execute()).toEqual([{ id: one }, { id: two }]);
    expect(await totalOf(sandbox, two)).toBe(27);
  });

  test("knows identities in whatever form people write them", async () => {
    await using app = await setup({ engine });
    const id = await makeContact(app.live, { username: "sarah_miller", email: "sarah@example.com", phone: "+447700900123" });
    await makeRule(app.live, 1, { attribute: "phone", op: "equals", value: "+44 (7700) 900-123" });
    await makeRule(app.live, 2, { attribute: "email", op: "equals", value: " Sarah@Example.com" });
    await makeRule(app.live, 4, { attribute: "username", op: "equals", value: " @Sarah_Miller" });
    expect(await totalOf(app.live, id)).toBe(7);
  });

  test("counts what is so of the contact, for as long as it is", async () => {
    await using app = await setup({ engine });
    for (const field of fields) await app.live.post("/v1/fields", field);
    const id = await makeContact(app.live, {
      ...{ username: "@Sarah_Miller", email: "Sarah@example.com", telegram_id: 777, name: "Sara Müller", language: "pt-BR" },
      ...{ timezone: "Europe/London", consent: { status: "granted" }, tags: ["VIP", "web inar"] },
      fields: {
        seats: 12,
        plan: "Professional",
        likes: ["tea"],
        since: "2026-05-06",
        paying: false,
        motto: "Carpe  diem",
        site: "https://a.example",
      },
    });
    const so: NewScoreRule["when"][] = [
      ...(["tag", "username", "email", "telegram_id", "first_name", "language", "timezone", "consent"] as const).map(
        (attribute) => ({ attribute, op: "is_set" }) as const,
      ),
      { attribute: "tag", op: "equals", value: "VIP" },
      { attribute: "tag", op: "equals", value: " web  inar " },
      { attribute: "username", op: "equals", value: "@sarah_miller" },
      { attribute: "email", op: "equals", value: "SARAH@example.com" },
      { attribute: "telegram_id", op: "equals", value: 777 },
      { attribute: "name", op: "equals", value: "sara muller" },
      { attribute: "language", op: "equals", value: "pt-br" },
      { attribute: "consent", op: "equals", value: "granted" },
      ...fields.map(({ key }) => ({ field: key, op: "is_set" }) as const),
      { field: "seats", op: "equals", value: 12 },
      { field: "seats", op: "at_least", value: 12 },
      { field: "seats", op: "at_most", value: 12 },
      { field: "plan", op: "equals", value: "Professional" },
      { field: "likes", op: "equals", value: "tea" },
      { field: "since", op: "equals", value: "2026-05-06" },
      { field: "since", op: "at_least", value: "2026-01-01" },
      { field: "since", op: "at_most", value: "2026-05-06" },
      { field: "paying", op: "equals", value: false },
      { field: "motto", op: "equals", value: "carpe  DIEM" },
      { field: "site", op: "equals", value: "https://a.example" },
    ];
    const not: NewScoreRule["when"][] = [
      { attribute: "phone", op: "is_set" },
      { attribute: "external_id", op: "is_set" },
      { attribute: "tag", op: "equals", value: "vip" },
      { attribute: "language", op: "equals", value: "pt" },
      { attribute: "consent", op: "equals", value: "withdrawn" },
      { field: "seats", op: "at_least", value: 12.5 },
      { field: "seats", op: "at_most", value: 11 },
      { field: "likes", op: "equals", value: "coffee" },
      { field: "since", op: "at_least", value: "2026-05-07" },
      { field: "paying", op: "equals", value: true },
    ];
    for (const when of so) await makeRule(app.live, 1, when);
    for (const when of not) await makeRule(app.live, 100, when);
    const { total, why } = await scoreOf(app.live, id);
    // Its first name is not the name's: a contact has the one that it was given.
    expect([total, why.length]).toEqual([so.length, so.length]);
    expect(why[0]).toMatchObject({ points: 1, count: null, last_at: null });
    const nothing = { username: null, email: null, name: null, first_name: null, last_name: null, language: null, timezone: null };
    await app.live.patch(`/v1/contacts/${id}`, {
      ...nothing,
      consent: null,
      tags: [],
      fields: Object.fromEntries(fields.map(({ key }) => [key, null])),
    });
    expect(await totalOf(app.live, id)).toBe(2);
  });

  test("counts events from the rule's making on, and fades by whole days", async () => {
    await using app = await setup({ engine });
    const early = await makeContact(app.live, { username: "early" });
    await makeRule(app.live, 7, { event: "contact.created" }, 10);
    await makeRule(app.live, 2, { event: "contact.updated" });
    await makeRule(app.live, 5, { event: "contact.tagged" }, 2);
    await makeRule(app.live, 20, { event: "contact.tagged", tag: "vip" });
    await makeRule(app.live, -4, { event: "contact.untagged", tag: "vip" });
    const id = await makeContact(app.live, { username: "sarah", tags: ["vip", "other"] });
    expect([await totalOf(app.live, early), await totalOf(app.live, id)]).toEqual([0, 32]);
    await app.live.patch(`/v1/contacts/${id}`, { tags: ["third"], first_name: "Sarah" });
    expect(await totalOf(app.live, id)).toBe(35);
    await app.live.post("/v1/contacts", { username: "sarah", first_name: "Sarah" });
    expect(await totalOf(app.live, id)).toBe(35);
    const seen: number[] = [];
    for (let day = 1; day <= 12; day++) {
      app.clock.advance(DAY_MS);
      seen.push(await totalOf(app.live, id));
    }
    // 18 stay; 7 go in ten days, 10 in two.
    expect(seen).toEqual([29, 24, 23, 22, 22, 21, 20, 19, 19, 18, 18, 18]);
    expect((await scoreOf(app.live, id)).why.map(({ points, count }) => [points, count])).toEqual([
      [20, 1],
      [2, 1],
      [-4, 1],
    ]);
    const points = () => app.db.read.selectFrom("contact_points").selectAll().execute();
    expect(await points()).toHaveLength(5);
    await app.db.write((tx) => app.services.loop.enqueue(tx, fadeAt(app.clock.now())));
    await app.settled();
    expect(await points()).toHaveLength(3);
    expect(await totalOf(app.live, id)).toBe(18);
  });

  test("keeps a row for each day of a rule that fades, and one for a rule that doesn't", async () => {
    await using app = await setup({ engine });
    await makeRule(app.live, 1, { event: "contact.updated" }, 10);
    await makeRule(app.live, 1, { event: "contact.updated" });
    const id = await makeContact(app.live, { username: "sarah" });
    for (let at = 0; at < 9; at++) {
      await app.live.patch(`/v1/contacts/${id}`, { name: `Sarah ${at}` });
      app.clock.advance(DAY_MS / 3);
    }
    const rows = await app.db.read
      .selectFrom("contact_points")
      .select(["count", "decay_days"])
      .orderBy("decay_days")
      .orderBy("day")
      .execute();
    expect(rows).toEqual([
      { count: 9, decay_days: 0 },
      { count: 2, decay_days: 10 },
      { count: 3, decay_days: 10 },
      { count: 3, decay_days: 10 },
      { count: 1, decay_days: 10 },
    ]);
  });

  test("tells each threshold that it crosses, and tells it again after it has faded", async () => {
    await using app = await setup({ engine });
    await makeRule(app.live, 30, { event: "contact.tagged" }, 3);
    const email = await makeRule(app.live, 25, { attribute: "email", op: "is_set" });
    await app.live.patch("/v1/scoring", { thresholds: [50, 25, 20] });
    const id = await makeContact(app.live, { username: "sarah" });
    await app.live.patch(`/v1/contacts/${id}`, { email: "sarah@example.com" });
    const first = (await eventsOf(app.live)).find(({ event }) => event === "lead.scored");
    expect(first).toMatchObject({
      subject: id,
      actor: expect.stringMatching(/^key_/),
      data: {
        ...{ contact_id: id, score: 25, previous_score: 0, threshold: 20 },
        why: [{ rule_id: email.id, name: "email", points: 25, count: null, last_at: null }],
      },
    });
    await app.live.patch(`/v1/contacts/${id}`, { name: "Sarah" });
    await app.live.patch(`/v1/contacts/${id}`, { tags: ["a"] });
    const told = [
      [20, 0, 25],
      [25, 0, 25],
      [50, 25, 55],
    ];
    expect(await crossings(app.live)).toEqual(told as never);
    app.clock.advance(DAY_MS);
    expect(await totalOf(app.live, id)).toBe(45);
    expect(await crossings(app.live)).toHaveLength(3);
    await app.live.post("/v1/contacts", { username: "sarah", tags: ["b"] });
    await app.live.patch(`/v1/contacts/${id}`, { email: null });
    await app.live.patch(`/v1/contacts/${id}`, { email: "sarah@example.com" });
    expect((await crossings(app.live)).slice(3)).toEqual([[50, 45, 75]]);
    const activity = await app.live.get<{ items: { type: string }[] }>(`/v1/contacts/${id}/activity`);
    expect(activity.body.items.filter(({ type }) => type === "lead.scored")).toHaveLength(4);
    const { key } = await app.makeKey(app.live, { scopes: ["read:messages"] });
    const blind = await eventsOf(app.client.as(key));
    expect(blind.filter(({ event }) => event === "lead.scored")).toEqual([]);
  });

  test("counts each of a batch, also one that is there twice", async () => {
    await using app = await setup({ engine });
    await makeRule(app.live, 10, { event: "contact.tagged" });
    await makeRule(app.live, 5, { attribute: "email", op: "is_set" });
    await app.live.patch("/v1/scoring", { thresholds: [10, 24] });
    const { body } = await app.live.post<{ results: { id: string }[] }>("/v1/contacts/batch", {
      contacts: [
        { username: "first", tags: ["a"] },
        { username: "second" },
        { username: "first", tags: ["b"], email: "a@example.com" },
        { username: "third", email: "nobody" },
        { username: "first", tags: ["b"] },
      ],
    });
    expect(await totalOf(app.live, body.results[0]!.id)).toBe(25);
    expect(await totalOf(app.live, body.results[1]!.id)).toBe(0);
    expect(await crossings(app.live)).toEqual([
      [10, 0, 10],
      [24, 10, 25],
    ]);
  });

  test("counts what becomes of messages, and of none that is only accepted", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makeRule(sandbox, 1, { event: "message.sent" });
    await makeRule(sandbox, 10, { event: "message.delivered" });
    await makeRule(sandbox, 100, { event: "message.read" }, 30);
    await makeRule(sandbox, -7, { event: "message.failed" });
    await sandbox.patch("/v1/scoring", { thresholds: [100, 200] });
    const ids = new Map<string, string>();
    for (const username of ["sarah", "sandbox_delivered", "sandbox_read", "sandbox_blocked", "optedout", "late"])
      ids.set(username, await makeContact(sandbox, { username }));
    await sandbox.post("/v1/suppressions", { to: "@optedout" });
    for (const username of ids.keys()) if (username !== "late") await queue(sandbox, { to: `@${username}` });
    const times = (from: number, to: number) => [from, to].map((ms) => new Date(app.clock.now() + ms).toISOString());
    const [schedule_at, expires_at] = times(60_000, 120_000);
    await app.settled();
    await queue(sandbox, { to: ids.get("sandbox_read"), text: "again" });
    await app.settled();
    await sandbox.patch("/v1/accounts/7421", { paused: true });
    await queue(sandbox, { to: "@late", schedule_at, expires_at });
    await queue(sandbox, { to: "@nobody_here" });
    await app.advance(180_000);
    const totals = await Promise.all([...ids.values()].map((id) => totalOf(sandbox, id)));
    expect(totals).toEqual([1, 11, 222, -7, -7, -7]);
    expect(await crossings(sandbox)).toEqual([
      [100, 11, 111],
      [200, 122, 222],
    ]);
    const told = (await eventsOf(sandbox)).filter(({ event }) => event === "lead.scored");
    expect(told.map(({ subject, actor }) => [subject, actor])).toEqual([
      [ids.get("sandbox_read")!, "job"],
      [ids.get("sandbox_read")!, "job"],
    ]);
  });

  test("leaves points for events as they were given when the rule changes, and none while it is disabled", async () => {
    await using app = await setup({ engine });
    const rule = await makeRule(app.live, 10, { event: "contact.tagged" }, 10);
    const state = await makeRule(app.live, 5, { attribute: "email", op: "is_set" });
    const change = (id: string, ask: object) => app.live.patch(`/v1/scoring/rules/${id}`, ask);
    const id = await makeContact(app.live, { username: "sarah", email: "a@example.com", tags: ["a"] });
    await change(rule.id, { points: 3 });
    await change(state.id, { points: 50 });
    await app.live.patch(`/v1/contacts/${id}`, { tags: ["a", "b"] });
    expect(await totalOf(app.live, id)).toBe(63);
    await change(rule.id, { decay_days: null });
    await app.live.patch(`/v1/contacts/${id}`, { tags: ["a", "b", "c"] });
    app.clock.advance(5 * DAY_MS);
    expect((await scoreOf(app.live, id)).why).toMatchObject([{ points: 50 }, { points: 9.5, count: 3 }]);
    expect(await totalOf(app.live, id)).toBe(60);
    await change(rule.id, { enabled: false });
    await app.live.patch(`/v1/contacts/${id}`, { tags: ["d"] });
    expect(await totalOf(app.live, id)).toBe(50);
    await change(rule.id, { enabled: true });
    expect(await totalOf(app.live, id)).toBe(60);
  });

  test("is of one environment, stands on the contact alone, and leaves its tag as it is", async () => {
    await using app = await setup({ engine });
    await makeRule(app.live, 10, { event: "contact.created" }, 5);
    await app.live.patch("/v1/scoring", { thresholds: [5] });
    const [here, there] = [await makeContact(app.live, { username: "sarah" }), await makeContact(app.sandbox, { username: "sarah" })];
    expect([await totalOf(app.live, here), await totalOf(app.sandbox, there)]).toEqual([10, 0]);
    expect([await crossings(app.live), await crossings(app.sandbox)]).toEqual([[[5, 0, 10]], []]);
    expect((await app.live.get<{ items: object[] }>("/v1/contacts")).body.items[0]).not.toHaveProperty("score");
    const etag = async () => (await app.live.get(`/v1/contacts/${here}`)).headers.get("etag")!;
    const before = await etag();
    app.clock.advance(DAY_MS);
    expect([await totalOf(app.live, here), await etag()]).toEqual([8, before]);
    expect((await app.live.patch(`/v1/contacts/${here}`, { name: "Sarah" }, { "if-match": before })).status).toBe(200);
  });

  test("is erased with the contact, and told with all that is held on it", async () => {
    await using app = await setup({ engine });
    const rule = await makeRule(app.live, 10, { event: "contact.created" });
    await app.live.patch("/v1/scoring", { thresholds: [5] });
    const [gone, stays] = [await makeContact(app.live, { username: "sarah" }), await makeContact(app.live, { username: "other" })];
    const points = [{ rule_id: rule.id, points: 10, count: 1, last_at: expect.any(String), fades_at: null }];
    expect((await app.live.get(`/v1/contacts/${gone}/export`)).body).toMatchObject({ points });
    await app.live.delete(`/v1/contacts/${gone}?erase=true`);
    await app.settled();
    expect(await app.db.read.selectFrom("contact_points").selectAll().execute()).toHaveLength(1);
    expect(await totalOf(app.live, stays)).toBe(10);
    const told = (await eventsOf(app.live)).filter(({ event }) => event === "lead.scored");
    expect(told.map(({ data }) => data)).toMatchObject([
      { contact_id: gone, score: null, why: [] },
      { contact_id: stays, score: 10 },
    ]);
  });
});
