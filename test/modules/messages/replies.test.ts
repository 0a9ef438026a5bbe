import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Page } from "#src/core/page.ts";
import { readReply, startWords, stopWords } from "#src/modules/messages/replies.ts";
import type { Suppression } from "#src/modules/suppressions/model.ts";
import type { Environment } from "#src/modules/workspaces/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { arriving, receiveFrom } from "#test/support/receiving.ts";
import { queue, read } from "#test/support/sending.ts";

const around = fc.array(fc.constantFrom(" ", "\n", "\t", ".", "!", "?", "…", "«", "»", "/", "👍", "\u{1F6D1}", "\u200B", "(", ")"), {
  maxLength: 5,
});
const word = fc.constantFrom(...stopWords, ...startWords);

async function hear(app: TestApp, opt_out_replies = true): Promise<Environment> {
  const { items } = (await app.sandbox.get<Page<Environment>>("/v1/environments")).body;
  const { id } = items.find(({ mode }) => mode === "test")!;
  return (await app.sandbox.patch<Environment>(`/v1/environments/${id}`, { opt_out_replies })).body;
}
const suppressions = async ({ sandbox }: TestApp) => (await sandbox.get<Page<Suppression>>("/v1/suppressions")).body.items;
async function sent(app: TestApp, to: string): Promise<string> {
  const id = await queue(app.sandbox, { to });
  await app.settled();
  const { status, error } = await read(app.sandbox, id);
  return error?.code ?? status;
}

describe("a reply", () => {
  test("means the same in whatever case and whatever stands around it", () => {
    fc.assert(
      fc.property(word, around, around, fc.boolean(), (plain, before, after, isLoud) => {
        const text = before.join("") + (isLoud ? plain.toUpperCase() : plain) + after.join("");
        expect([text, readReply(text)]).toEqual([text, stopWords.has(plain) ? "stop" : "start"]);
      }),
    );
  });

  test("means nothing where the word is a part of a longer text", () => {
    fc.assert(
      fc.property(word, fc.constantFrom("please ", "don't ", "un", "the bus ", "я не "), (plain, more) => {
        for (const text of [more + plain, `${plain} ${more}`]) {
          const known = stopWords.has(text.trim()) || startWords.has(text.trim());
          expect([text, known ? null : readReply(text)]).toEqual([text, null]);
        }
      }),
    );
  });

  test("is read in many languages and scripts, with and without accents", () => {
    const stops = ["STOP", "/stop", "Stopp!", "Unsubscribe", "ARRET", "Arrêt", "se désabonner", "¡BAJA!", "PARE", "СТОП", "Отписаться"];
    for (const text of [...stops, "توقف", "إيقاف", "ايقاف", "停止", "退订。", "退訂", "DUR", "stop 🛑", "opt  out", "수신거부"])
      expect([text, readReply(text)]).toEqual([text, "stop"]);
    for (const text of ["START", "/start", "Unstop", "Старт", "ابدأ", "开始", "BAŞLA", "başla"])
      expect([text, readReply(text)]).toEqual([text, "start"]);
    for (const text of ["", " ", "!", "cancel", "end", "quit", "yes", "no", "/start abc", "stop it", "non-stop", "st op"])
      expect([text, readReply(text)]).toEqual([text, null]);
    expect([...stopWords].filter((one) => startWords.has(one) || one === "")).toEqual([]);
  });
});

describe.each(appEngines)("an answer of STOP on %s", (engine) => {
  test("does nothing unless the environment says so, which is audited", async () => {
    await using app = await setup({ engine });
    await receiveFrom(app.sandbox, { text: "STOP" });
    expect(await suppressions(app)).toEqual([]);
    const { id, opt_out_replies } = await hear(app);
    expect(opt_out_replies).toBe(true);
    await receiveFrom(app.sandbox, { text: "stop" });
    expect(await suppressions(app)).toHaveLength(1);
    const { items } = (await app.sandbox.get<Page<{ operation: string; subject: string }>>("/v1/audit")).body;
    expect(items.find(({ operation }) => operation === "environments.patch")).toMatchObject({
      ...{ subject: id, before: { opt_out_replies: false }, after: { opt_out_replies: true } },
    });
    expect(items.find(({ operation }) => operation === "suppressions.create")).toMatchObject({
      ...{ actor: "contact", after: { channel: "telegram", reason: "reply" } },
    });
  });

  test("suppresses the person by id and by name, also what is queued, until they answer START", async () => {
    await using app = await setup({ engine });
    await hear(app);
    const { body } = await receiveFrom(app.sandbox);
    const soon = new Date(app.clock.now() + 60_000).toISOString();
    const queued = await queue(app.sandbox, { to: "@sarah_miller", schedule_at: soon });
    await receiveFrom(app.sandbox, { text: " Stop!" });
    await receiveFrom(app.sandbox, { text: "STOP" });
    const id = String(body.sender!.telegram_id);
    expect(await suppressions(app)).toMatchObject([{ channel: "telegram", to: id, reason: "reply", actor: "contact", note: null }]);
    await app.advance(60_000);
    expect((await read(app.sandbox, queued)).error?.code).toBe("recipient_suppressed");
    for (const to of ["@sarah_miller", id, body.contact_id!]) expect([to, await sent(app, to)]).toEqual([to, "recipient_suppressed"]);
    expect(await sent(app, "@john_doe")).toBe("sent");
    await receiveFrom(app.sandbox, { text: "/start" });
    expect(await suppressions(app)).toEqual([]);
    expect(await sent(app, "@sarah_miller")).toBe("sent");
  });

  test("is lifted by START only where an answer has made it", async () => {
    await using app = await setup({ engine });
    await hear(app);
    const { body } = await receiveFrom(app.sandbox);
    await app.sandbox.post("/v1/suppressions", { to: body.sender!.telegram_id, channel: "telegram", reason: "opt_out" });
    await receiveFrom(app.sandbox, { text: "STOP" });
    await receiveFrom(app.sandbox, { text: "START" });
    expect(await suppressions(app)).toMatchObject([{ reason: "opt_out" }]);
    expect((await app.sandbox.get<Page<Suppression>>("/v1/suppressions?reason=reply")).body.total).toBe(0);
    const forged = await app.sandbox.post("/v1/suppressions", { to: 5, channel: "telegram", reason: "reply" });
    expect(forged.status).toBe(422);
  });

  test("in a group, or told a second time after START, does nothing", async () => {
    await using app = await setup({ engine });
    await hear(app);
    const told = { text: "STOP", message_id: 9 };
    await receiveFrom(app.sandbox, told);
    await receiveFrom(app.sandbox, { text: "START" });
    await receiveFrom(app.sandbox, told);
    await app.db.write((tx) =>
      app.services.happened(tx, { env_id: app.sandbox.env_id, id: 7421, kind: "sandbox", username: null }, [
        arriving({ text: "STOP", chat: { id: "-100", type: "supergroup" } }),
      ]),
    );
    expect(await suppressions(app)).toEqual([]);
  });
});

describe.each(appEngines)("an environment's settings on %s", (engine) => {
  test("are those of the key's own, and heed what the client has read", async () => {
    await using app = await setup({ engine });
    const { items } = (await app.live.get<Page<Environment>>("/v1/environments")).body;
    const [live, sandbox] = items;
    expect(items.map(({ opt_out_replies }) => opt_out_replies)).toEqual([false, false]);
    const path = `/v1/environments/${live!.id}`;
    expect((await app.sandbox.patch(path, { opt_out_replies: true })).status).toBe(404);
    expect([(await app.sandbox.get(path)).status, (await app.live.get(`/v1/environments/${sandbox!.id}`)).status]).toEqual([404, 404]);
    const read = await app.live.get<Environment>(path);
    expect(read.body).toEqual(live!);
    const headers = { "if-match": read.headers.get("etag")! };
    expect((await app.live.patch<Environment>(path, { opt_out_replies: true }, headers)).body.opt_out_replies).toBe(true);
    expect((await app.live.patch(path, { opt_out_replies: false }, headers)).status).toBe(412);
    expect((await app.live.patch<Environment>(path, {})).body.opt_out_replies).toBe(true);
    for (const patch of [{ opt_out_replies: null }, { name: "x" }]) expect((await app.live.patch(path, patch)).status).toBe(422);
  });
});
