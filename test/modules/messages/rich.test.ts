import { describe, expect, test } from "bun:test";
import type { Channel, Outgoing } from "#src/modules/messages/channel.ts";
import type { Button, SendMessage } from "#src/modules/messages/model.ts";
import { createSandboxChannel } from "#plugins/sandbox/channel.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { gif, jpeg, mp4, pdf, png, upload } from "#test/support/filing.ts";
import { queue, read, sendTo } from "#test/support/sending.ts";

/** An app whose sandbox tells what its channel was given. */
async function listening(engine: (typeof appEngines)[number] = "sqlite") {
  const sent: Outgoing[] = [];
  const app = await setup({
    engine,
    channels: (clock) => {
      const sandbox = createSandboxChannel(clock);
      const send: Channel["send"] = (account, message, signal) => {
        sent.push(message);
        return sandbox.send(account, message, signal);
      };
      return [{ ...sandbox, send }];
    },
  });
  return Object.assign(app, { sent });
}

describe.each(appEngines)("a message with more than a text on %s", (engine) => {
  test("is sent with its files, its buttons and its markup, and shows them", async () => {
    await using app = await listening(engine);
    const file_id = await upload(app, app.sandbox, png, "name=a.png");
    const buttons = [
      [
        { text: "Accept", data: "yes" },
        { text: "Read", url: "https://example.com/" },
      ],
    ];
    const id = await queue(app.sandbox, { text: "<b>{first_name}</b>, look", parse_mode: "HTML", attachments: [{ file_id }], buttons });
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({
      status: "sent",
      text: "<b>Sarah</b>, look",
      parse_mode: "HTML",
      attachments: [{ type: "photo", file_id, url: null, name: "a.png", mime: "image/png", size: png.byteLength }],
      buttons,
    });
    expect(app.sent).toMatchObject([
      { text: "<b>Sarah</b>, look", parse_mode: "HTML", buttons, files: [{ type: "photo", name: "a.png" }] },
    ]);
    const { source } = app.sent[0]!.files[0]!;
    expect("blob" in source && new Uint8Array(await source.blob.arrayBuffer())).toEqual(png);
  });

  test("fails in words when a file is gone by the time that it leaves", async () => {
    await using app = await listening(engine);
    const file_id = await upload(app, app.sandbox, png);
    const schedule_at = new Date(app.clock.now() + 60_000).toISOString();
    const id = await queue(app.sandbox, { attachments: [{ file_id }], schedule_at });
    await app.sandbox.delete(`/v1/files/${file_id}`);
    await app.advance(60_000);
    expect(await read(app.sandbox, id)).toMatchObject({
      status: "failed",
      error: { code: "message_rejected", message: `The file ${file_id} is no longer there.` },
    });
    expect(app.sent).toEqual([]);
  });

  test("can't have another environment's file", async () => {
    await using app = await listening(engine);
    const file_id = await upload(app, app.live, png);
    expect(await sendTo(app.sandbox, { attachments: [{ file_id }] })).toMatchObject({
      status: 422,
      body: { details: [{ field: "attachments.0.file_id", error: "not_found" }] },
    });
  });
});

describe("attachments", () => {
  test("need no text, and can be one by its address", async () => {
    await using app = await listening();
    const id = await queue(app.sandbox, { text: undefined, attachments: [{ url: "https://example.com/a/Report.PDF?x=1" }] });
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ status: "sent", text: "", attachments: [{ type: "document", file_id: null }] });
    expect(app.sent[0]!.files).toEqual([
      { type: "document", name: null, mime: null, source: { url: "https://example.com/a/Report.PDF?x=1" } },
    ]);
  });

  test("that are several are an album, of kinds that go together", async () => {
    await using app = await setup();
    const [photo, video, document, animation] = await Promise.all([jpeg, mp4, pdf, gif].map((bytes) => upload(app, app.sandbox, bytes)));
    const status = async (...attachments: SendMessage["attachments"] & object) =>
      (await sendTo(app.sandbox, { text: undefined, attachments })).status;
    expect(await status({ file_id: photo! }, { file_id: video! }, { file_id: photo! })).toBe(200);
    expect(await status({ file_id: document! }, { file_id: document! })).toBe(200);
    expect(await status({ file_id: photo!, type: "document" }, { file_id: document! })).toBe(200);
    expect(await status({ file_id: photo! }, { file_id: document! })).toBe(422);
    expect(await status({ file_id: animation! }, { file_id: photo! })).toBe(422);
    expect(await status(...Array.from({ length: 10 }, () => ({ file_id: photo! })))).toBe(200);
    expect(await status(...Array.from({ length: 11 }, () => ({ file_id: photo! })))).toBe(422);
  });

  test.each([
    ["attachments.0", {}],
    ["attachments.0", { file_id: "fil_01HKQ9R2X30000000000000000", url: "https://example.com/" }],
    ["attachments.0.file_id", { file_id: "fil_01HKQ9R2X30000000000000000" }],
    ["attachments.0.url", { url: "ftp://example.com/a.png" }],
    ["attachments.0.url", { url: "a.png" }],
    ["attachments.0.name", { url: "https://example.com/a.png", name: "b.png" }],
    ["attachments.0.type", { url: "https://example.com/a.png", type: "sticker" }],
  ])("are refused on %s: %p", async (field, attachment) => {
    await using app = await setup();
    const { status, body } = await sendTo(app.sandbox, { attachments: [attachment] as never });
    expect([status, (body as unknown as { details: { field: string }[] }).details[0]!.field]).toEqual([422, field]);
  });

  test("leave room for a caption of 1,024 characters, markup not counted", async () => {
    await using app = await setup();
    const attachments = [{ url: "https://example.com/a.png" }];
    const status = async (ask: object) => (await sendTo(app.sandbox, { attachments, ...ask })).status;
    expect(await status({ text: "x".repeat(1_024) })).toBe(200);
    expect(await status({ text: "x".repeat(1_025) })).toBe(422);
    expect(await status({ text: `<b>${"&lt;".repeat(1_024)}</b>`, parse_mode: "HTML" })).toBe(200);
    const id = await queue(app.sandbox, { attachments, text: "{name}".repeat(100) });
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ status: "failed", error: { code: "message_rejected" } });
  });
});

describe("buttons", () => {
  const rows = (count: number): Button[][] => Array.from({ length: count }, (_, at) => [{ text: String(at), data: String(at) }]);

  test.each<[string, unknown]>([
    ["buttons.0.0", [[{ text: "a" }]]],
    [
      "buttons.0.1",
      [
        [
          { text: "a", data: "a" },
          { text: "b", data: "b", url: "https://example.com/" },
        ],
      ],
    ],
    ["buttons.0.0.data", [[{ text: "a", data: "ü".repeat(33) }]]],
    ["buttons.0.0.url", [[{ text: "a", url: "javascript:alert(1)" }]]],
    ["buttons.0.0.text", [[{ text: "  ", data: "a" }]]],
    ["buttons.0", [[]]],
    ["buttons", [...rows(50), ...Array.from({ length: 7 }, () => rows(8).flat())]],
  ])("are refused on %s", async (field, buttons) => {
    await using app = await setup();
    const { status, body } = await sendTo(app.sandbox, { buttons: buttons as never });
    expect([status, (body as unknown as { details: { field: string }[] }).details[0]!.field]).toEqual([422, field]);
  });

  test("can be a hundred, and none under an album", async () => {
    await using app = await setup();
    expect((await sendTo(app.sandbox, { buttons: rows(100) })).status).toBe(200);
    const attachments = [{ url: "https://example.com/a.png" }, { url: "https://example.com/b.png" }];
    expect((await sendTo(app.sandbox, { attachments, buttons: rows(1) })).status).toBe(422);
  });
});

describe("a text with markup", () => {
  test("that Telegram would refuse is refused at once, in words and not with the text", async () => {
    await using app = await setup();
    const { status, body, text } = await sendTo(app.sandbox, { text: "a <b>secret", parse_mode: "HTML" });
    expect([status, body]).toMatchObject([
      422,
      {
        details: [{ field: "text", error: "bad_format" }],
        message: "As HTML the text does not work: The tag <b> is never closed (character 3).",
      },
    ]);
    expect(text).not.toContain("secret");
  });

  test("counts for its length without the markup", async () => {
    await using app = await setup();
    const status = async (text: string) => (await sendTo(app.sandbox, { text, parse_mode: "HTML" })).status;
    expect(await status(`<b>${"&amp;".repeat(1_600)}</b>`)).toBe(200);
    expect(await status("x".repeat(4_096))).toBe(200);
    expect(await status("x".repeat(4_097))).toBe(422);
    expect(await status("<b> </b>")).toBe(422);
  });

  test.each([
    ["HTML", "<b>{company|R&D}</b> {first_name} \\{x}", "<b>A &lt;b&gt; &amp; C</b> Sarah {x}"],
    ["MarkdownV2", "*{company}* {first_name} \\{x\\} \\\\{nick|a.b}", "*A <b\\> & C* Sarah \\{x\\} \\\\a\\.b"],
  ] as const)("in %s has the values of its variables escaped", async (parse_mode, text, sent) => {
    await using app = await setup();
    await app.sandbox.post("/v1/fields", { key: "company", type: "text" });
    await app.sandbox.post("/v1/contacts", { username: "sarah_miller", company: "A <b> & C" });
    const id = await queue(app.sandbox, { text, parse_mode });
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ text: sent, status: "sent", error: null });
  });

  test.each([
    [
      "HTML",
      "<b>{{ what }}</b> {what} {first_name} {% raw %}<i>{% endraw %}",
      "<b>&lt;x&gt;_{&amp;}</b> &lt;x&gt;_{&amp;} Sarah &lt;i&gt;",
    ],
    ["MarkdownV2", "*{{ what }}* {what}{first_name} \\{\\}", "*<x\\>\\_\\{&\\}* <x\\>\\_\\{&\\}Sarah \\{\\}"],
  ] as const)("in %s can be a template's, whose values are escaped too", async (parse_mode, body, text) => {
    await using app = await setup();
    const { body: template } = await app.sandbox.post<{ id: string }>("/v1/templates", { name: "Rich", body });
    const id = await queue(app.sandbox, { text: undefined, template_id: template.id, variables: { what: "<x>_{&}" }, parse_mode });
    await app.settled();
    expect(await read(app.sandbox, id)).toMatchObject({ status: "sent", text, error: null });
  });
});
