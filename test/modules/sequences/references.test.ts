import { describe, expect, test } from "bun:test";
import type { Sequence, SequenceCheck } from "#src/modules/sequences/model.ts";
import { sweepFilesAt } from "#src/modules/files/job.ts";
import { appEngines, setup } from "#test/support/app.ts";
import { setupWithTelegram } from "#test/support/bots.ts";
import type { Caller } from "#test/support/client.ts";
import { png, upload } from "#test/support/filing.ts";

const send = { type: "send", text: "Hello", account_id: 7421 };
const none = (prefix: string) => `${prefix}_01HKQ9R2X30000000000000000`;

let made = 0;
/** What stands against activating a sequence of these steps: `field error`. */
async function missing(caller: Caller, ...steps: Record<string, unknown>[]): Promise<string[]> {
  const sequence = await caller.post<Sequence>("/v1/sequences", { name: `Sequence ${++made}`, steps });
  if (sequence.status !== 201) throw new Error(`the sequence was refused: ${sequence.text}`);
  const path = `/v1/sequences/${sequence.body.id}`;
  const { body } = await caller.post<SequenceCheck>(`${path}/check`);
  const activated = await caller.post<Sequence>(`${path}/activate`);
  expect(activated.status).toBe(body.valid ? 200 : 422);
  if (!body.valid) expect(activated.body as unknown).toMatchObject({ code: "validation_error", details: body.faults });
  return body.faults.map(({ field, error }) => `${field} ${error}`);
}

const make = async (caller: Caller, path: string, ask: object) => (await caller.post<{ id: string }>(path, ask)).body.id;

describe.each(appEngines)("what a sequence names on %s", (engine) => {
  test("has to be there before it is activated, and not before", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const all = [
      { ...send, text: undefined, template_id: none("tpl") },
      { ...send, attachments: [{ file_id: none("fil") }] },
      { ...send, account_id: 99 },
      { ...send, account_id: undefined, account_ids: [7421, 99] },
      { type: "branch", if: { segment: none("seg") } },
      { type: "branch", if: { filter: { field: "plan", op: "equals", value: "a" } } },
      { type: "branch", if: { filter: { and: [{ tag: "vip" }, { attribute: "age", op: "is_set" }] } } },
      { type: "set_field", field: "plan", value: "a" },
      { type: "wait", until_field: { field: "birthday" } },
      { type: "enroll", sequence_id: none("seq") },
    ];
    expect(await missing(sandbox, ...all)).toEqual([
      "steps.0.template_id not_found",
      "steps.1.attachments.0.file_id not_found",
      "steps.2.account_id not_found",
      "steps.3.account_ids.1 not_found",
      "steps.4.if.segment not_found",
      "steps.5.if.filter.field not_found",
      "steps.6.if.filter.and.1.attribute not_allowed",
      "steps.7.field not_found",
      "steps.8.until_field.field not_found",
      "steps.9.sequence_id not_found",
    ]);

    await make(sandbox, "/v1/fields", { key: "plan", type: "choice", options: ["a", "b"] });
    await make(sandbox, "/v1/fields", { key: "birthday", type: "date" });
    const segment = await make(sandbox, "/v1/segments", { name: "VIPs", filter: { tag: "vip" } });
    const other = await make(sandbox, "/v1/sequences", { name: "Other", steps: [send] });
    const there = [
      { ...send, text: undefined, template_id: await make(sandbox, "/v1/templates", { name: "Hello", body: "Hello {{ name }}" }) },
      { type: "branch", if: { segment } },
      { type: "branch", if: { filter: { field: "plan", op: "equals", value: "a" } } },
      { type: "set_field", field: "plan", value: "b" },
      { type: "set_field", field: "plan", value: null },
      { type: "wait", until_field: { field: "birthday", offset: "-3d", time: "09:00" } },
      { type: "wait", until_field: { field: "created_at" } },
      { type: "enroll", sequence_id: other },
    ];
    expect(await missing(sandbox, ...there)).toEqual([]);
    expect(await missing(sandbox, { type: "set_field", field: "plan", value: "c" })).toEqual(["steps.0.value not_allowed"]);
    expect(await missing(sandbox, { type: "wait", until_field: { field: "plan" } })).toEqual(["steps.0.until_field.field not_allowed"]);
    await sandbox.post(`/v1/sequences/${other}/archive`);
    expect(await missing(sandbox, { type: "enroll", sequence_id: other })).toEqual(["steps.0.sequence_id not_found"]);
  });

  test("can be told by variables, by contacts, or by a default, and nothing else is needed", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    await make(sandbox, "/v1/fields", { key: "plan", type: "text" });
    const using = async (body: string, variables?: object) => {
      const template_id = await make(sandbox, "/v1/templates", { name: `Template ${++made}`, body });
      return missing(sandbox, { type: "send", template_id, account_id: 7421, ...(variables === undefined ? {} : { variables }) });
    };
    const lacks = ["steps.0.variables required"];
    expect(await using("{{ first_name }} {{ plan }} {{ consent.status }} {email}")).toEqual([]);
    expect(await using("{{ code }}")).toEqual(lacks);
    expect(await using("{{ code }}", { code: "A1" })).toEqual([]);
    expect(await using("{{ code | default: 'none' }}")).toEqual([]);
    expect(await using("{code}")).toEqual(lacks);
    expect(await using("{code|none}")).toEqual([]);
    expect(await using("{% if plan %}{{ code }}{% else %}Hello{% endif %}")).toEqual(lacks);
    expect(await using("{% if plan %}Hello{% else %}{{ code }}{% endif %}")).toEqual(lacks);
    expect(await using("{% if code == 'A1' %}{{ other }}{% endif %}", { code: "B1" })).toEqual([]);

    const text = (written: string, parse_mode?: string) => missing(sandbox, { ...send, text: written, parse_mode });
    expect(await text("{first_name} {plan} {email} {username|there}")).toEqual([]);
    expect(await text("{frist_name}")).toEqual(["steps.0.text not_found"]);
    expect(await text("{frist_name|there}")).toEqual([]);
    expect(await text("<b>{language}</b>", "HTML")).toEqual(["steps.0.text not_found"]);
    expect(await text("\\{language\\} {_|a}", "MarkdownV2")).toEqual([]);
  });

  test("is no account that nobody can be reached from, nor one that lacks what is sent", async () => {
    await using town = await setupWithTelegram(engine);
    const { live } = town.app;
    const { account } = await town.connect();
    const { account: other } = await town.connect();
    const by = (more: object) => missing(live, { type: "send", text: "Hello", ...more });
    const pool = { account_ids: [account.id, other.id] };
    expect(await by({ account_id: account.id })).toEqual([]);
    expect(await by({ ...pool, channels: ["telegram_bot"] })).toEqual([]);
    expect(await by({ ...pool, channels: ["telegram_user"] })).toEqual(["steps.0.channels not_allowed"]);

    await live.patch(`/v1/accounts/${account.id}`, { paused: true });
    expect(await by({ account_id: account.id })).toEqual([]);
    await town.app.db.write((tx) => town.app.services.accounts.disconnect(tx, live.env_id, account.id, "Telegram refuses the token."));
    expect(await by({ account_id: account.id })).toEqual(["steps.0.account_id not_allowed"]);
    expect(await by(pool)).toEqual([]);
    await live.delete(`/v1/accounts/${other.id}`);
    expect(await by(pool)).toEqual(["steps.0.account_ids.1 not_found", "steps.0.account_ids not_allowed"]);
  });

  test("is no account that the key is not bound to, also of a draft", async () => {
    await using app = await setup({ engine });
    const bound = await app.makeKey(app.sandbox, { account_ids: [1] });
    const refused = await bound.post("/v1/sequences", {
      name: "Foreign",
      steps: [send, { type: "send", text: "Hello", account_ids: [1, 7421] }],
    });
    expect(refused.status).toBe(422);
    expect(refused.body["details"]).toMatchObject([{ field: "steps.0.account_id" }, { field: "steps.1.account_ids.1" }]);
    const made = await make(app.sandbox, "/v1/sequences", { name: "Own", steps: [send] });
    expect((await bound.patch(`/v1/sequences/${made}`, { timezone: "Europe/Berlin" })).status).toBe(422);
    expect((await bound.post(`/v1/sequences/${made}/activate`)).status).toBe(422);
  });

  test("stays as it was once it is active: a change that names what is not there is refused", async () => {
    await using app = await setup({ engine });
    const id = await make(app.sandbox, "/v1/sequences", { name: "Own", steps: [send] });
    const change = { steps: [{ ...send, account_id: 99 }] };
    const path = `/v1/sequences/${id}`;
    await app.sandbox.post(`${path}/activate`);
    expect((await app.sandbox.patch(path, change)).body["details"]).toMatchObject([{ field: "steps.0.account_id", error: "not_found" }]);
    expect((await app.sandbox.get<Sequence>(path)).body.version).toBe(1);
  });

  test("is kept no longer than a year, where it is a file that archived ones alone name", async () => {
    await using app = await setup({ engine });
    const [own, shared, old] = [
      await upload(app, app.sandbox, png),
      await upload(app, app.sandbox, png),
      await upload(app, app.sandbox, png),
    ];
    const attaching = (...ids: string[]) => [{ ...send, attachments: ids.map((file_id) => ({ file_id })) }];
    const archived = await make(app.sandbox, "/v1/sequences", { name: "One", steps: attaching(own, old) });
    expect((await app.sandbox.patch(`/v1/sequences/${archived}`, { steps: attaching(own, shared) })).status).toBe(200);
    await make(app.sandbox, "/v1/sequences", { name: "Other", steps: attaching(shared) });
    await app.sandbox.post(`/v1/sequences/${archived}/archive`);
    const statuses = async () => {
      await app.db.write((tx) => app.services.loop.enqueue(tx, sweepFilesAt(app.clock.now())));
      await app.settled();
      const found: number[] = [];
      for (const id of [own, shared, old]) found.push((await app.sandbox.get(`/v1/files/${id}/info`)).status);
      return found;
    };
    await app.leap(365 * 86_400_000);
    expect(await statuses()).toEqual([200, 200, 200]);
    await app.leap(60 * 86_400_000);
    expect(await statuses()).toEqual([404, 200, 404]);
  });

  test("is kept, where it is a file that was uploaded", async () => {
    await using app = await setup({ engine });
    const file = await upload(app, app.sandbox, png);
    const other = await upload(app, app.sandbox, png);
    await make(app.sandbox, "/v1/sequences", { name: "With a file", steps: [{ ...send, attachments: [{ file_id: file }] }] });
    await app.leap(400 * 86_400_000);
    await app.db.write((tx) => app.services.loop.enqueue(tx, sweepFilesAt(app.clock.now())));
    await app.settled();
    expect((await app.sandbox.get(`/v1/files/${other}/info`)).status).toBe(404);
    expect((await app.sandbox.get(`/v1/files/${file}/info`)).status).toBe(200);
  });
});
