import { describe, expect, test } from "bun:test";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { act, draft, getBroadcast, makePeople, pass, recipientsOf, sentMessages, some } from "#test/support/broadcasting.ts";

const HOUR = 3_600_000;
const TRACKED = /^http:\/\/127\.0\.0\.1:5110\/l\/[\w-]{16}$/;

/** Opens a link as a browser does. */
function open(app: TestApp, address: string, agent = "Mozilla/5.0"): Promise<Response> {
  return Promise.resolve(app.fetch(new Request(address, { headers: { "user-agent": agent } }), "203.0.113.7"));
}

const linksIn = (text: string) => text.match(/http\S+/g) ?? [];

describe.each(appEngines)("tracked links of a broadcast on %s", (engine) => {
  test("lead on to where they were meant to, and count each person once", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(3));
    const text = "New: https://shop.example/a?b=1&c=2 and https://shop.example/b.";
    const made = await draft(sandbox, { message: { text }, track_links: true });
    await act(sandbox, made, "send");
    await app.settled();
    const sent = await sentMessages(sandbox);
    const links = sent.map((message) => linksIn(message.text));
    for (const [first, second] of links) {
      expect(first).toMatch(TRACKED);
      expect(second!.replace(/\.$/, "")).toMatch(TRACKED);
    }
    expect(new Set(links.flat()).size).toBe(6);

    const [first, second] = links[0]!;
    const answer = await open(app, first!);
    expect([answer.status, answer.headers.get("location"), answer.headers.get("cache-control")]).toEqual([
      302,
      "https://shop.example/a?b=1&c=2",
      "no-store",
    ]);
    await open(app, first!);
    expect((await open(app, second!.replace(/\.$/, ""))).headers.get("location")).toBe("https://shop.example/b");
    await Promise.all(Array.from({ length: 5 }, () => open(app, links[1]![0]!)));

    expect((await getBroadcast(sandbox, made)).counts).toMatchObject({ sent: 3, clicked: 2 });
    const { body } = await sandbox.get<{ totals: object; days: object[] }>(`/v1/broadcasts/${made.id}/statistics`);
    expect(body).toMatchObject({ totals: { clicked: 2 }, days: [{ clicked: 2 }] });
    const recipients = (await recipientsOf(sandbox, made)).items;
    expect(recipients.filter(({ clicked_at }) => clicked_at !== null)).toHaveLength(2);
  });

  test("do not count Telegram's preview, and lead nowhere where there is none", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(1));
    const made = await draft(sandbox, { message: { text: "https://shop.example" }, track_links: true });
    await act(sandbox, made, "send");
    await app.settled();
    const [link] = linksIn((await sentMessages(sandbox))[0]!.text);
    const preview = await open(app, link!, "TelegramBot (like TwitterBot)");
    expect([preview.status, preview.headers.get("location")]).toEqual([302, "https://shop.example"]);
    expect((await getBroadcast(sandbox, made)).counts.clicked).toBe(0);
    expect((await open(app, `${link}x`)).status).toBe(404);
  });

  test("stand behind words and on buttons too, and leave what is filled in for each", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(1));
    const message = {
      text: '<a href="https://shop.example/?a=1&amp;b=2">Shop</a> https://shop.example/{first_name|you}',
      parse_mode: "HTML" as const,
      buttons: [[{ text: "Open", url: "https://shop.example/button" }]],
    };
    const made = await draft(sandbox, { message, track_links: true });
    await act(sandbox, made, "send");
    await app.settled();
    const [sent] = await sentMessages(sandbox);
    expect(sent!.text).toMatch(/^<a href="http:\/\/127\.0\.0\.1:5110\/l\/[\w-]{16}">Shop<\/a> https:\/\/shop\.example\/Person$/);
    const button = (sent as unknown as { buttons: { url: string }[][] }).buttons[0]![0]!;
    expect((await open(app, button.url)).headers.get("location")).toBe("https://shop.example/button");
  });

  test("are left alone unless it is asked for, and refused where nobody could open them", async () => {
    await using app = await setup({ engine, linkBase: null });
    const { sandbox } = app;
    await makePeople(sandbox, some(1));
    const made = await draft(sandbox, { message: { text: "https://shop.example" } });
    await act(sandbox, made, "send");
    await app.settled();
    expect((await sentMessages(sandbox))[0]!.text).toBe("https://shop.example");
    const refused = await sandbox.post("/v1/broadcasts", {
      ...{ name: "News", audience: { tag: "vip" }, message: { text: "Hi" }, account_ids: [7421], track_links: true },
    });
    expect(refused).toMatchObject({ status: 422, body: { details: [{ field: "track_links", error: "not_allowed" }] } });
  });

  test("let the variant win whose links are opened more", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await makePeople(sandbox, some(40));
    const variants = ["a", "b"].map((name) => ({ name, message: { text: `${name} https://shop.example/${name}` } }));
    const ab_test = { variants, sample_percent: 50, winner: { metric: "clicked" as const, after: "1h" } };
    const without = await sandbox.post("/v1/broadcasts", { name: "x", audience: { tag: "vip" }, ab_test, account_ids: [7421] });
    expect(without).toMatchObject({ status: 422, body: { details: [{ field: "ab_test.winner.metric" }] } });
    const made = await draft(sandbox, { ab_test, track_links: true });
    await act(sandbox, made, "send");
    await app.settled();
    const ofB = (await sentMessages(sandbox)).find(({ text }) => text.startsWith("b "))!;
    await open(app, linksIn(ofB.text)[0]!);
    await pass(app, 2 * HOUR);
    expect(await getBroadcast(sandbox, made)).toMatchObject({ status: "completed", winner: "b", counts: { sent: 40, clicked: 1 } });
  });
});
